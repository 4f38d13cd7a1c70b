"""The change feed: what changed, in the order of commits, as far as a caller may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framedex.core.access import Action, Caller, Standing, may
from framedex.core.errors import LogPruned
from framedex.core.ids import DataRowId, DatasetId, FolderId, ItemId
from framedex.core.ports.catalog import Catalog, Change, Entity, ReadUnit

_BATCH = 1000
#: Entries that one request looks at: a caller who may see few of them gets an answer all the same.
_MOST_EXAMINED = 20_000

_OF_ITEMS = frozenset({Entity.ITEM.value, Entity.ITEM_METADATA.value})
_OF_DATASETS = frozenset({Entity.DATASET.value, Entity.DATA_ROW.value})


@dataclass(frozen=True, slots=True)
class Feed:
    """A stretch of the feed.

    Attributes:
        next_after: where to go on: the last entry that was looked at, shown or not.
        seq: the newest entry of the log.
    """

    changes: Sequence[Change]
    next_after: int
    seq: int


class ChangeService:
    """Use cases of followers of the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def last_seq(self) -> int:
        """The newest committed seq."""
        with self._catalog.read() as unit:
            return unit.last_seq()

    def list_changes(self, caller: Caller, *, after: int, limit: int) -> Feed:
        """Up to `limit` entries behind `after` that the caller may see.

        Items, folders, datasets and data rows show themselves to those who may read them now. Everything else, and
        what is gone (of which the log does not say who could see it), shows itself to admins of the workspace alone.

        Raises:
            LogPruned: `after` is older than the log, or newer (the catalog was restored from an older backup).
        """
        with self._catalog.read() as unit:
            seq = unit.last_seq()
            _require_reach(unit, after, seq)
            shown: list[Change] = []
            end = min(seq, after + _MOST_EXAMINED)
            while after < end and len(shown) < limit:
                batch = unit.changes_after(after, min(_BATCH, end - after))
                if not batch:
                    break
                visible = _visible(unit, caller, batch)[: limit - len(shown)]
                shown.extend(visible)
                after = shown[-1].seq if len(shown) == limit else batch[-1].seq
        return Feed(shown, after, seq)


def _require_reach(unit: ReadUnit, after: int, seq: int) -> None:
    oldest = unit.changes_after(0, 1)
    if oldest and after < oldest[0].seq - 1:
        raise LogPruned(f"The change log begins at {oldest[0].seq}: read everything anew, then follow from {seq}.")
    if after > seq:
        raise LogPruned(
            f"The change log ends at {seq}, before {after}: the catalog was restored from an older backup. "
            f"Read everything anew, then follow from {seq}."
        )


def _visible(unit: ReadUnit, caller: Caller, batch: Sequence[Change]) -> list[Change]:
    item_ids = list({ItemId(c.entity_id) for c in batch if c.entity in _OF_ITEMS})
    folder_ids = list({FolderId(c.entity_id) for c in batch if c.entity == Entity.FOLDER})
    items = unit.items.standings(caller, item_ids) if item_ids else {}
    folders = unit.folders.standings(caller, folder_ids) if folder_ids else {}
    datasets = _datasets(unit, caller, batch)
    shown = []
    for change in batch:
        if change.entity in _OF_ITEMS:
            known = items.get(ItemId(change.entity_id))
        elif change.entity in _OF_DATASETS:
            known = datasets.get(change.entity_id)
        else:
            known = folders.get(FolderId(change.entity_id))
        may_see = caller.is_workspace_admin if known is None else may(Action.READ, caller, known)
        if may_see:
            shown.append(change)
    return shown


def _datasets(unit: ReadUnit, caller: Caller, batch: Sequence[Change]) -> Mapping[str, Standing]:
    """What connects the caller with each dataset and each data row of a batch; those that are gone are left out."""
    row_ids = list({DataRowId(c.entity_id) for c in batch if c.entity == Entity.DATA_ROW})
    of_rows = unit.datasets.datasets_of(row_ids) if row_ids else {}
    dataset_ids = {DatasetId(c.entity_id) for c in batch if c.entity == Entity.DATASET} | set(of_rows.values())
    known: dict[str, Standing] = {}
    for dataset_id in dataset_ids:
        standing = unit.datasets.standing(caller, dataset_id)
        if standing is not None:
            known[dataset_id] = standing
    return known | {row_id: known[d] for row_id, d in of_rows.items() if d in known}
