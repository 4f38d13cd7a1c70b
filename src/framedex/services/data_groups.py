"""Data groups: items of any kind put together, in an order and a layout."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.access import Action, Caller
from framedex.core.chunks import chunks
from framedex.core.clock import now_us
from framedex.core.data_groups import (
    MAX_CHILDREN_IN_ALL,
    MAX_GROUPS,
    NewDataGroup,
    arrangement_text,
    check_arrangement,
)
from framedex.core.errors import InvalidArguments
from framedex.core.folders import check_name
from framedex.core.ids import FolderId, ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.services.derived import DerivedMetadata
from framedex.services.folders import require_folder
from framedex.services.items import require_items
from framedex.services.mirrors import link_to_mirror


class DataGroupService:
    """Use cases of data groups."""

    def __init__(self, catalog: Catalog, derived: DerivedMetadata) -> None:
        self._catalog = catalog
        self._derived = derived

    def create_groups(self, caller: Caller, folder_id: FolderId, groups: Sequence[NewDataGroup]) -> Sequence[ItemId]:
        """Creates data groups in a folder, all or none, and answers their ids in order.

        Needs USER on the folder; each item inside must be one that the caller may read, wherever it lives.

        Raises:
            InvalidArguments: nothing that could be shown, or too much at once. NotPermitted: the folder or an item.
        """
        _check_request(groups)
        with self._catalog.write() as unit:
            require_folder(unit, Action.WRITE, caller, folder_id)
            children = list({item_id: None for group in groups for item_id in group.arrangement.contents.values()})
            for chunk in chunks(children):
                require_items(unit, Action.READ, caller, chunk)
            new = [_item(group, folder_id, caller) for group in groups]
            unit.items.add_many(new, user_id=caller.user_id, now_us=now_us())
            self._derived.add(unit, new)
            ids = [item.id for item in new]
            unit.log(Entity.ITEM, Op.CREATE, ids)
            link_to_mirror(unit, caller, folder_id, ids)
            unit.audit(caller.user_id, "data_group.create", Entity.ITEM, ids, folder=folder_id)
        return ids


def _check_request(groups: Sequence[NewDataGroup]) -> None:
    if not 1 <= len(groups) <= MAX_GROUPS:
        raise InvalidArguments(f"from 1 to {MAX_GROUPS} data groups in one request; this has {len(groups)}")
    in_all = sum(len(group.arrangement.contents) for group in groups)
    if in_all > MAX_CHILDREN_IN_ALL:
        raise InvalidArguments(
            f"at most {MAX_CHILDREN_IN_ALL} items in the groups of one request; these have {in_all}. Send fewer groups."
        )
    for position, group in enumerate(groups):
        check_arrangement(group.arrangement, path=f"$[{position}]")
        if group.name is not None:
            check_name(group.name, path=f"$[{position}].name")


def _item(group: NewDataGroup, folder_id: FolderId, caller: Caller) -> NewItem:
    item_id = ItemId(new_id())
    return NewItem(
        id=item_id,
        folder_id=folder_id,
        item_type=ItemType.GROUP,
        name=group.name or f"data-group-{item_id}",
        owner_id=caller.user_id,
        facts=MediaFacts(),
        metadata=group.metadata,
        children=tuple(group.arrangement.contents.values()),
        group_layout=arrangement_text(group.arrangement),
    )
