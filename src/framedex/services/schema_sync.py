"""The job that brings quarantine and vectors of stored items in step with a schema that was just saved.

It goes through all metadata in the order of ids, a stretch at a time. Each unit is one stretch; it writes the next one
with its effect, in one transaction, so that the job goes on where it was, whatever dies. A newer schema ends the job of
an older one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framedex.core.clock import now_us
from framedex.core.ids import ItemId, JobId, UserId, new_id
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit
from framedex.core.ports.catalog_metadata import CurrentText
from framedex.core.ports.job_handlers import Prepared
from framedex.services.derived import Derived, DerivedMetadata, Extent, derive, extents_of

KIND = "schema_sync"

#: Behind registrations, which people wait for.
_PRIORITY = 20
#: A stretch ends at whichever comes first: items, characters of metadata, rows. Bounds how long the writer is held.
_ITEMS = 500
_CHARACTERS = 500_000
_ROWS = 3000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of items with what is derived of them by one version of the schema.

    Attributes:
        versions: version of each item's metadata that was looked at.
        touched: items that have something derived, now or then: the others need no write.
        following: the payload of the next stretch; None when this is the end.
    """

    schema_version: int
    versions: dict[ItemId, int]
    touched: frozenset[ItemId]
    derived: Derived
    following: str | None


def start_sync(unit: WriteUnit, user_id: UserId, schema_version: int) -> JobId:
    """Writes the job for a schema that this unit saves, and ends the jobs of older ones."""
    now = now_us()
    for older in unit.jobs.runnable(now):
        if older.kind == KIND:
            unit.jobs.cancel_open_units(older.id)
            unit.jobs.set_state(older.id, JobState.CANCELLED, now_us=now)
    job = Job(
        id=JobId(new_id()),
        kind=KIND,
        state=JobState.APPLYING,
        priority=_PRIORITY,
        user_id=user_id,
        folder_id=None,
        dataset_id=None,
        title=f"metadata schema, version {schema_version}",
        options="{}",
        problems=(),
        units_total=1,
        units_done=0,
        units_error=0,
        units_cancelled=0,
        created_at=now,
        finished_at=None,
    )
    unit.jobs.add(job)
    unit.jobs.add_units(job.id, [(0, UnitState.WAITING, _payload(None, _ITEMS), None)])
    unit.log(Entity.JOB, Op.CREATE, [job.id])
    return job.id


class SchemaSyncHandler:
    """The `JobHandler` of these jobs."""

    def __init__(self, catalog: Catalog, derived: DerivedMetadata) -> None:
        self._catalog = catalog
        self._derived = derived

    def instant_units(self, job: Job) -> int:  # noqa: ARG002 - as the port says
        return 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:  # noqa: ARG002 - as the port says
        wanted = json.loads(unit.payload)
        return Prepared(unit, self._stretch(wanted["after"], wanted["items"]))

    def _stretch(self, after: ItemId | None, limit: int) -> Stretch:
        with self._catalog.read() as read:
            typed = self._derived.schema(read)
            texts, is_end = _texts(read.metadata.iter_current(after, limit), limit)
            unclean = {text.item_id for text in texts if not typed.quick.is_clean(text.text)}
            extents = extents_of(read, unclean)
            derived_before = read.metadata.with_derived([text.item_id for text in texts])
        rows = Derived()
        for number, text in enumerate(texts, 1):
            if text.item_id in unclean:
                derive(rows, text.item_id, text.text, typed, extents.get(text.item_id, Extent()))
            if len(rows) >= _ROWS and number < len(texts):
                texts, is_end = texts[:number], False
                break
        is_crowded = len(rows) >= _ROWS // 2
        versions = {text.item_id: text.version for text in texts}
        derived_now = {row.item_id for row in rows.misfits} | {row.item_id for row in rows.vectors}
        return Stretch(
            schema_version=typed.version,
            versions=versions,
            touched=frozenset((derived_before | derived_now) & versions.keys()),
            derived=rows,
            following=None if is_end else _payload(texts[-1].item_id, len(texts) if is_crowded else _ITEMS),
        )

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        return [self._apply(write, job, p.unit, p.work) for p in prepared if isinstance(p.work, Stretch)]

    def _apply(self, write: WriteUnit, job: Job, unit: ClaimedUnit, stretch: Stretch) -> UnitOutcome:
        if write.metadata.schema_number() != stretch.schema_version:
            return UnitOutcome(unit.position, UnitState.DONE, json.dumps({"superseded": True}))
        # Whoever wrote metadata meanwhile wrote what is derived of it too, by the schema in force.
        now = write.metadata.versions_now(list(stretch.touched))
        same = [item_id for item_id in stretch.touched if now.get(item_id) == stretch.versions[item_id]]
        keep = frozenset(same)
        misfits = [row for row in stretch.derived.misfits if row.item_id in keep]
        vectors = [row for row in stretch.derived.vectors if row.item_id in keep]
        write.metadata.set_derived(same, misfits, vectors)
        write.log(Entity.ITEM_METADATA, Op.UPDATE, same)
        if stretch.following is not None:
            write.jobs.extend(job.id, [(unit.position + 1, UnitState.WAITING, stretch.following, None)])
        receipt = {"items": len(stretch.versions), "misfits": len(misfits), "vectors": len(vectors)}
        return UnitOutcome(unit.position, UnitState.DONE, json.dumps(receipt))

    def discard(self, prepared: Prepared) -> None:
        """Nothing was made."""

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:  # noqa: ARG002 - as the port says
        return json.dumps({"error": message})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.ERROR if errors else JobState.DONE


def _payload(after: ItemId | None, items: int) -> str:
    return json.dumps({"after": after, "items": items})


def _texts(rows: Iterator[CurrentText], limit: int) -> tuple[list[CurrentText], bool]:
    """Texts of one stretch, and whether there are no more behind them."""
    texts: list[CurrentText] = []
    size = 0
    for row in rows:
        texts.append(row)
        size += len(row.text)
        if size >= _CHARACTERS:
            return texts, False
    return texts, len(texts) < limit
