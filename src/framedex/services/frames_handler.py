"""The job that makes frame tables of videos whose files must be read as a whole for them (decision 0019)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from framedex.core.access import Action
from framedex.core.clock import now_us
from framedex.core.errors import DomainError, InvalidArguments, NotPermitted
from framedex.core.frames import FrameTable
from framedex.core.ids import ItemId, JobId, UserId, new_id
from framedex.core.items import Item
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.job_handlers import Prepared
from framedex.core.ports.media import LongMaker, Made
from framedex.core.registration import Unit, decode_unit, encode_receipt, encode_unit
from framedex.services.content import ContentService
from framedex.services.items import require_items
from framedex.services.progress import noting

KIND = "frames"
#: Of one table, packed.
MAX_TABLE_BYTES = 96 << 20
# Behind registrations, before re-encoding.
_PRIORITY = 20


def add_job(unit: WriteUnit, user_id: UserId, item_ids: Sequence[ItemId]) -> JobId:
    """Adds a job that makes the tables of these videos."""
    what = f"item {item_ids[0]}" if len(item_ids) == 1 else f"{len(item_ids)} videos"
    job = Job(
        id=JobId(new_id()),
        kind=KIND,
        state=JobState.APPLYING,
        priority=_PRIORITY,
        user_id=user_id,
        folder_id=None,
        dataset_id=None,
        title=f"frame table of {what}",
        options="{}",
        problems=(),
        units_total=len(item_ids),
        units_done=0,
        units_error=0,
        units_cancelled=0,
        created_at=now_us(),
        finished_at=None,
    )
    payloads = [encode_unit(Unit(ItemType.VIDEO, item_ids=(item_id,))) for item_id in item_ids]
    unit.jobs.add(job)
    unit.jobs.add_units(job.id, [(n, UnitState.WAITING, text, None) for n, text in enumerate(payloads)])
    unit.log(Entity.JOB, Op.CREATE, [job.id])
    return job.id


@dataclass(frozen=True, slots=True)
class Tabled:
    """A table that was made of an item's object as it was then."""

    item: Item
    made: Made


class FramesHandler:
    """The `JobHandler` of these jobs."""

    def __init__(self, catalog: Catalog, content: ContentService, maker: LongMaker) -> None:
        self._catalog = catalog
        self._content = content
        self._maker = maker

    def instant_units(self, job: Job) -> int:  # noqa: ARG002 - as the port says
        return 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        with self._catalog.read() as read:
            item = _require_video(read, job.user_id, ItemId(decode_unit(unit.payload).item_ids[0]))
        with closing(self._content.open(item)) as source:
            found = self._maker.make_file(
                "frames", ItemType.VIDEO, [source], asked={}, on_progress=noting(self._catalog, unit)
            )
        with found.file:
            data = found.file.read(MAX_TABLE_BYTES + 1)
        if len(data) > MAX_TABLE_BYTES:
            raise InvalidArguments(f"the frame table has more than {MAX_TABLE_BYTES} bytes")
        FrameTable.unpack(data)
        return Prepared(unit, Tabled(item, Made(found.facts, data)))

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        return [self._outcome(write, job, p.unit, p.work) for p in prepared]

    def _outcome(self, write: WriteUnit, job: Job, unit: ClaimedUnit, work: object) -> UnitOutcome:
        assert isinstance(work, Tabled)
        try:
            item = _require_video(write, job.user_id, work.item.id)
            if (item.url, item.remote_etag) != (work.item.url, work.item.remote_etag):
                raise InvalidArguments(f"the object of item {item.id} became another one while the job ran")
        except DomainError as error:
            return UnitOutcome(unit.position, UnitState.ERROR, self.unit_failed(unit, error.message))
        keep_table(write, item, work.made)
        receipt = {"items": [(item.id, item.name)], "frame_count": work.made.facts.get("frame_count")}
        return UnitOutcome(unit.position, UnitState.DONE, encode_receipt(receipt))

    def discard(self, prepared: Prepared) -> None:
        """Nothing is kept outside the catalog."""

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        item_id = decode_unit(unit.payload).item_ids[0]
        return json.dumps({"urls": [], "error": message, "action": f"make the frame table of item {item_id}"})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:  # noqa: ARG002 - as the port says
        return JobState.ERROR if errors else JobState.DONE


def keep_table(unit: WriteUnit, item: Item, made: Made) -> None:
    """Keeps a table, and gives an item that lacks them the facts that follow from it."""
    unit.frame_tables.put(item.id, made.data)
    facts = made.facts
    count, duration, fps = facts.get("frame_count"), facts.get("duration"), facts.get("fps")
    if isinstance(count, int):
        unit.frame_tables.complete(
            item.id,
            frame_count=count,
            duration=duration if isinstance(duration, float) else None,
            fps=fps if isinstance(fps, float) else None,
            now_us=now_us(),
        )
    unit.log(Entity.ITEM, Op.UPDATE, [item.id])  # facts or not: which frames are indexed follows from the table


def _require_video(unit: ReadUnit | WriteUnit, user_id: UserId, item_id: ItemId) -> Item:
    caller = unit.people.caller_by_id(user_id)
    if caller is None:
        raise NotPermitted("the user of this job was removed")
    item = unit.items.get_many([item_id], with_metadata=False).get(item_id)
    if item is None:
        raise InvalidArguments(f"item {item_id} was deleted while the job ran")
    require_items(unit, Action.READ, caller, [item_id])
    return item
