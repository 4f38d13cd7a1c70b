"""The end of an all-or-nothing registration of which a unit failed: what the others registered goes again.

A manifest may have half a million units, so this goes a step at a time, each in a transaction of its own that also
turns its units to cancelled: whatever dies, the next step goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.ids import DataRowId, ItemId, JobId
from framedex.core.jobs import Job, UnitState
from framedex.core.ports.catalog import Entity, Op, WriteUnit

#: Units that one step looks at; it ends sooner when they have `MAX_BULK` items or rows.
_UNITS = 500


@dataclass(frozen=True, slots=True)
class _Effect:
    """What one unit left: items that it made, frames first, and rows that link them or older items."""

    position: int
    made: Sequence[ItemId]
    rows: Sequence[DataRowId]


class TakeBack:
    """Steps of all jobs that are being taken back."""

    def __init__(self) -> None:
        # Where each job's last step ended: to look from the first unit each time would take the square of their number.
        # A step that was rolled back leaves units behind this, so the end is only where none is found from the first.
        self._after: dict[JobId, int] = {}

    def step(self, write: WriteUnit, job: Job) -> bool:
        """Takes the next units back; False when none is left."""
        after = self._after.pop(job.id, -1)
        effects = _bounded([_effect(*row) for row in _done(write, job, after)])
        if effects:
            _delete(write, [item_id for effect in effects for item_id in effect.made])
            _unlink(write, job, [row_id for effect in effects for row_id in effect.rows])
            write.jobs.cancel_done_units(job.id, [effect.position for effect in effects])
            self._after[job.id] = effects[-1].position
        return bool(effects) or after >= 0


def _done(write: WriteUnit, job: Job, after: int) -> Sequence[tuple[int, str]]:
    return write.jobs.receipt_texts(job.id, UnitState.DONE, after=after, limit=_UNITS)


def _effect(position: int, text: str) -> _Effect:
    receipt = json.loads(text)
    own = [] if receipt.get("skipped") else [item_id for item_id, _ in receipt["items"]]
    made = [ItemId(item_id) for item_id in [*receipt.get("frames", ()), *own]]
    return _Effect(position, made, [DataRowId(row_id) for row_id in receipt.get("rows", ())])


def _bounded(effects: Sequence[_Effect]) -> Sequence[_Effect]:
    """The first of them, up to `MAX_BULK` items and rows; one at least."""
    size = 0
    for number, effect in enumerate(effects):
        size += len(effect.made) + len(effect.rows)
        if size > MAX_BULK and number:
            return effects[:number]
    return effects


def _delete(write: WriteUnit, item_ids: Sequence[ItemId]) -> None:
    for chunk in chunks(item_ids):
        write.log(Entity.DATA_ROW, Op.DELETE, write.datasets.rows_of(chunk))
        # Whose id is reserved by its upload place has the bytes that somebody put there: they wait for a retry again.
        places = write.uploads.by_placeholders(chunk)
        write.items.delete(chunk)
        write.uploads.reopen(list(places.values()))
    write.log(Entity.ITEM, Op.DELETE, item_ids)


def _unlink(write: WriteUnit, job: Job, row_ids: Sequence[DataRowId]) -> None:
    if job.dataset_id is None:
        return
    for chunk in chunks(row_ids):
        write.datasets.unlink(job.dataset_id, chunk, now_us())
    write.log(Entity.DATA_ROW, Op.DELETE, row_ids)
