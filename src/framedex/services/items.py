"""Items: list, read, patch, move, delete, and where they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framedex.core.access import Action, Caller, may, require
from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments
from framedex.core.folders import check_name
from framedex.core.ids import FolderId, ItemId
from framedex.core.items import Item, ItemPatch, ItemQuery
from framedex.core.paging import Page, PageRequest
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_items import ItemUse
from framedex.services.derived import DerivedMetadata
from framedex.services.folders import MAX_BULK, require_folder


def require_items(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, item_ids: Sequence[ItemId]) -> None:
    """Refuses unless the caller may do `action` on every item.

    Raises:
        NotPermitted: naming the first item that is not there or not the caller's.
    """
    standings = unit.items.standings(caller, item_ids)
    for item_id in item_ids:
        require(action, caller, standings.get(item_id), f"item {item_id}")


def readable_ids(unit: ReadUnit | WriteUnit, caller: Caller, item_ids: Sequence[ItemId]) -> list[ItemId]:
    """Those of the items that are there and that the caller may read, in order; of any number."""
    found: list[ItemId] = []
    for start in range(0, len(item_ids), MAX_BULK):
        chunk = item_ids[start : start + MAX_BULK]
        standings = unit.items.standings(caller, chunk)
        found.extend(i for i in chunk if i in standings and may(Action.READ, caller, standings[i]))
    return found


class ItemService:
    """Use cases of items."""

    def __init__(self, catalog: Catalog, blobs: OwnBlobs, derived: DerivedMetadata) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._derived = derived

    def get_items(self, caller: Caller, item_ids: Sequence[ItemId]) -> Sequence[Item]:
        """Items in the order asked for; a repeated id is answered as often.

        Raises:
            InvalidArguments: more than 1000. NotPermitted: one is not there or not the caller's.
        """
        if len(item_ids) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} items in one request; this has {len(item_ids)}")
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, item_ids)
            found = unit.items.get_many(item_ids)
        return [found[item_id] for item_id in item_ids]

    def get_item(self, caller: Caller, item_id: ItemId) -> Item:
        return self.get_items(caller, [item_id])[0]

    def list_items(self, caller: Caller, query: ItemQuery, page: PageRequest) -> Page[Item]:
        """A page of items, of one folder or of all that the caller may read."""
        with self._catalog.read() as unit:
            if query.folder_id is not None:
                require_folder(unit, Action.READ, caller, query.folder_id)
            return unit.items.list_page(caller, query, page)

    def children(self, caller: Caller, folder_id: FolderId, item_id: ItemId) -> Sequence[Item]:
        """Child items in order, unpaged. Those of a data group may live in other folders: the readable ones of them."""
        with self._catalog.read() as unit:
            self._require_in_folder(unit, Action.READ, caller, folder_id, item_id)
            children = unit.items.children(item_id)
            elsewhere = [child.id for child in children if child.folder_id != folder_id]
            hidden = set(elsewhere) - set(readable_ids(unit, caller, elsewhere))
        return [child for child in children if child.id not in hidden]

    def use(self, caller: Caller, folder_id: FolderId, item_id: ItemId) -> tuple[Item, ItemUse]:
        """The item, and the groups and datasets that use it."""
        with self._catalog.read() as unit:
            self._require_in_folder(unit, Action.READ, caller, folder_id, item_id)
            return unit.items.get_many([item_id])[item_id], unit.items.use(caller, item_id)

    def update_items(self, caller: Caller, patches: Mapping[ItemId, ItemPatch]) -> Sequence[Item]:
        """Patches up to 1000 items, all or none; answers them in the order of the patches.

        Raises:
            InvalidArguments: too many, or a bad name. NotPermitted: one of them is not the caller's to edit.
        """
        if len(patches) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} items in one request; this has {len(patches)}")
        for patch in patches.values():
            if patch.name is not None:
                check_name(patch.name)
        ids = list(patches)
        with self._catalog.write() as unit:
            require_items(unit, Action.WRITE, caller, ids)
            self._apply(unit, caller, patches)
            found = unit.items.get_many(ids)
        return [found[item_id] for item_id in ids]

    def update_item(self, caller: Caller, folder_id: FolderId, item_id: ItemId, patch: ItemPatch) -> Item:
        """Patches one item of a folder."""
        if patch.name is not None:
            check_name(patch.name)
        with self._catalog.write() as unit:
            self._require_in_folder(unit, Action.WRITE, caller, folder_id, item_id)
            self._apply(unit, caller, {item_id: patch})
            return unit.items.get_many([item_id])[item_id]

    def _apply(self, unit: WriteUnit, caller: Caller, patches: Mapping[ItemId, ItemPatch]) -> None:
        now = now_us()
        for item_id, patch in patches.items():
            unit.items.patch(item_id, patch, user_id=caller.user_id, now_us=now)
        texts = {item_id: p.metadata for item_id, p in patches.items() if p.metadata is not None}
        self._derived.replace(unit, texts)
        unit.log(Entity.ITEM, Op.UPDATE, patches)
        unit.log(Entity.ITEM_METADATA, Op.UPDATE, texts)
        unit.audit(caller.user_id, "item.update", Entity.ITEM, patches)

    def move_items(self, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId], parent_id: FolderId) -> None:
        """Moves items of a folder to another. Needs ADMIN on the folder and USER on the new one."""
        with self._catalog.write() as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            require_folder(unit, Action.WRITE, caller, parent_id)
            self._require_all_in(unit, folder_id, item_ids)
            unit.items.move(item_ids, parent_id, now_us())
            unit.log(Entity.ITEM, Op.UPDATE, item_ids)
            unit.audit(caller.user_id, "item.move", Entity.ITEM, item_ids, parent=parent_id)

    def delete_items(
        self, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId], *, remove_unused_frames: bool
    ) -> int:
        """Deletes items of a folder, and frames that nothing else uses when asked. Needs ADMIN. Answers how many."""
        with self._catalog.write() as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            self._require_all_in(unit, folder_id, item_ids)
            frames = unit.items.unused_frames(item_ids) if remove_unused_frames else []
            gone = [*dict.fromkeys(item_ids), *frames]
            object_keys = unit.items.delete(gone)
            unit.log(Entity.ITEM, Op.DELETE, gone)
            unit.audit(caller.user_id, "item.delete", Entity.ITEM, gone)
        for key in object_keys:
            self._blobs.delete(key)
        return len(gone)

    def _require_in_folder(
        self, unit: ReadUnit | WriteUnit, action: Action, caller: Caller, folder_id: FolderId, item_id: ItemId
    ) -> None:
        require_items(unit, action, caller, [item_id])
        self._require_all_in(unit, folder_id, [item_id])

    def _require_all_in(self, unit: ReadUnit | WriteUnit, folder_id: FolderId, item_ids: Sequence[ItemId]) -> None:
        found = unit.items.get_many(item_ids, with_metadata=False)
        for item_id in item_ids:
            item = found.get(item_id)
            if item is None or item.folder_id != folder_id:
                raise InvalidArguments(f"item {item_id} is not in folder {folder_id}")
