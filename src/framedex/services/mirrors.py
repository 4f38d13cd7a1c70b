"""Mirror folders: what comes into one is linked by its dataset (decision: see docs/decisions)."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId
from framedex.core.ports.catalog import Entity, Op, WriteUnit
from framedex.services.folders import MAX_BULK


def link_to_mirror(unit: WriteUnit, caller: Caller, folder_id: FolderId, item_ids: Sequence[ItemId]) -> None:
    """Links items that were just put into a folder, if it mirrors a dataset. The right to put them there is enough."""
    folder = unit.folders.get(caller, folder_id)
    if folder is None or folder.dataset_id is None:
        return
    now = now_us()
    for start in range(0, len(item_ids), MAX_BULK):
        chunk = item_ids[start : start + MAX_BULK]
        unit.log(
            Entity.DATA_ROW,
            Op.CREATE,
            unit.datasets.link(folder.dataset_id, chunk, skip_linked=True, now_us=now),
        )
