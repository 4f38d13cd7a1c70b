"""Mirror folders: what comes into one is linked by its dataset (decision 0014)."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.access import Action, Caller, require
from framedex.core.chunks import chunks
from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId
from framedex.core.ports.catalog import Entity, Op, WriteUnit


def link_to_mirror(unit: WriteUnit, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId]) -> None:
    """Links items that were just put into a folder, if it mirrors a dataset.

    The right to put them there is enough for them, but not for what lies elsewhere in them: to link is to share.

    Raises:
        NotPermitted: a child of one lies in a folder on which the caller has no role.
    """
    folder = unit.folders.get(caller, folder_id)
    if folder is None or folder.dataset_id is None:
        return
    now = now_us()
    for chunk in chunks(item_ids):
        require_own_children(unit, caller, chunk)
        unit.log(
            Entity.DATA_ROW,
            Op.CREATE,
            unit.datasets.link(folder.dataset_id, chunk, skip_linked=True, now_us=now),
        )


def require_own_children(unit: WriteUnit, caller: Caller, item_ids: Sequence[ItemId]) -> None:
    """Refuses up to 1000 items in which something lies that the caller sees but has no role on.

    Raises:
        NotPermitted: naming the first such child.
    """
    foreign = unit.datasets.foreign_children(item_ids)
    for chunk in chunks(foreign):
        standings = unit.items.standings(caller, chunk)
        for child_id in chunk:
            require(Action.WRITE, caller, standings.get(child_id), f"item {child_id}")
