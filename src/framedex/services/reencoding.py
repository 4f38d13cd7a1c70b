"""Videos encoded anew for players that get along with H.264 MP4 at a constant rate alone (decision 0018)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framedex.core.access import Action, Caller
from framedex.core.chunks import MAX_BULK
from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments, NotFound, NotPermitted
from framedex.core.frame_maps import FrameMap
from framedex.core.ids import DataRowId, DatasetId, ItemId, JobId, new_id
from framedex.core.items import Item
from framedex.core.jobs import Job, JobState, UnitReceipt, UnitState
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit
from framedex.core.ports.job_handlers import JobSignals
from framedex.core.registration import Unit, decode_unit, encode_unit, items_of_receipt
from framedex.services.datasets import require_dataset
from framedex.services.folders import require_folder
from framedex.services.items import readable_ids, require_items
from framedex.services.reencoding_handler import KIND, ReencodingOptions

#: Behind registrations and the schema: hours of work must not keep people waiting for seconds of it.
_PRIORITY = 30
_MOST_TITLE = 500


@dataclass(frozen=True, slots=True)
class Reencoded:
    """What became of one video of a job.

    Attributes:
        row_id: the data row that was named; None where an item was.
        new: None while it is under way, when it failed, and when the caller may not see it any more.
        is_known: nothing was made: `new` was there before, or the original is such a video itself.
        facts: of a video that was made: `rate`, `frames`, `is_one_to_one`, `lost_frames`, `sound`.
    """

    item_id: ItemId
    row_id: DataRowId | None
    state: UnitState
    new: Item | None
    is_known: bool
    error: str | None
    facts: Mapping[str, object]


class ReencodingService:
    """Use cases of re-encoding."""

    def __init__(self, catalog: Catalog, signals: JobSignals) -> None:
        self._catalog = catalog
        self._signals = signals

    def start(self, caller: Caller, item_ids: Sequence[ItemId], *, title: str, is_forced: bool) -> JobId:
        """Starts a job for videos; each is encoded once, however often it is named.

        The new videos are put beside the originals, so this needs USER on the folder of each.

        Raises:
            InvalidArguments: none or too many, or one is no video; with its position.
            NotPermitted: one is not there or not the caller's, or its integration is strict client-only.
        """
        _check_count(len(item_ids), "$.storageItems")
        ids = list(dict.fromkeys(item_ids))
        paths = [f"$.storageItems[{item_ids.index(item_id)}]" for item_id in ids]
        with self._catalog.write() as unit:
            require_items(unit, Action.READ, caller, ids)
            self._require_videos(unit, caller, ids, paths)
            return self._add(unit, caller, ids, paths, title, ReencodingOptions(is_forced))

    def start_rows(self, caller: Caller, dataset_id: DatasetId, row_ids: Sequence[DataRowId]) -> JobId:
        """Starts a job for videos of a dataset; rows of others are left out, as the SDK's users know it.

        Raises:
            InvalidArguments: none, too many, or none of the dataset; or one is no video.
            NotFound: no such dataset for the caller. NotPermitted: as `start`.
        """
        _check_count(len(row_ids), "values.payload.data_hash")
        ids = list(dict.fromkeys(row_ids))
        with self._catalog.write() as unit:
            require_dataset(unit, Action.WRITE, caller, dataset_id)
            rows = unit.datasets.rows(dataset_id, ids, with_metadata=False)
            mine = [row_id for row_id in ids if row_id in rows]
            if not mine:
                raise InvalidArguments(
                    f"none of these is a data row of the dataset {dataset_id}", path="values.payload.data_hash"
                )
            items = [rows[row_id].item_id for row_id in mine]
            paths = [f"values.payload.data_hash[{row_ids.index(row_id)}]" for row_id in mine]
            self._require_videos(unit, caller, items, paths)
            options = ReencodingOptions(is_forced=False, rows=tuple(mine))
            return self._add(unit, caller, items, paths, f"re-encode {len(mine)} data rows", options, dataset_id)

    def _require_videos(
        self, unit: WriteUnit, caller: Caller, item_ids: Sequence[ItemId], paths: Sequence[str]
    ) -> None:
        items = unit.items.get_many(item_ids, with_metadata=False)
        strict = {i.id: i.title for i in unit.people.integrations() if i.config.strict_client_only}
        for folder_id in dict.fromkeys(items[item_id].folder_id for item_id in item_ids):
            require_folder(unit, Action.WRITE, caller, folder_id)
        for item_id, path in zip(item_ids, paths, strict=True):
            item = items[item_id]
            if item.item_type is not ItemType.VIDEO:
                raise InvalidArguments(
                    f"item {item_id} is of type {item.item_type.value}; only videos are re-encoded", path=path
                )
            if item.integration_id in strict:
                raise NotPermitted(
                    f"{path}: item {item_id} belongs to the strict client-only integration "
                    f"{strict[item.integration_id]!r}, whose objects this server never reads: it cannot re-encode it."
                )

    def _add(
        self,
        unit: WriteUnit,
        caller: Caller,
        item_ids: Sequence[ItemId],
        paths: Sequence[str],
        title: str,
        options: ReencodingOptions,
        dataset_id: DatasetId | None = None,
    ) -> JobId:
        job = Job(
            id=JobId(new_id()),
            kind=KIND,
            state=JobState.APPLYING,
            priority=_PRIORITY,
            user_id=caller.user_id,
            folder_id=None,
            dataset_id=dataset_id,
            title=title.replace("\x00", "")[:_MOST_TITLE],
            options=options.to_json(),
            problems=(),
            units_total=len(item_ids),
            units_done=0,
            units_error=0,
            units_cancelled=0,
            created_at=now_us(),
            finished_at=None,
        )
        payloads = [
            encode_unit(Unit(ItemType.VIDEO, item_ids=(item_id,), path=path))
            for item_id, path in zip(item_ids, paths, strict=True)
        ]
        unit.jobs.add(job)
        unit.jobs.add_units(job.id, [(n, UnitState.WAITING, text, None) for n, text in enumerate(payloads)])
        unit.log(Entity.JOB, Op.CREATE, [job.id])
        unit.audit(caller.user_id, "item.reencode", Entity.ITEM, item_ids, job=job.id)
        unit.after_commit(self._signals.has_work)
        return job.id

    def get_job(self, caller: Caller, job_id: JobId) -> Job:
        """One job of re-encoding.

        Raises:
            NotPermitted: not the caller's, or not there.
        """
        with self._catalog.read() as read:
            return _visible(caller, read.jobs.get(job_id), job_id)

    def get_numbered(self, caller: Caller, dataset_id: DatasetId, number: int) -> Job:
        """The job of a dataset by its number: the first 64 bits of its id.

        Raises:
            NotFound: no such dataset for the caller. NotPermitted: the job is not the caller's, or not there.
        """
        with self._catalog.read() as read:
            require_dataset(read, Action.READ, caller, dataset_id)
            job = read.jobs.find_numbered(number, KIND) if 0 <= number < 1 << 64 else None
            if job is not None and job.dataset_id != dataset_id:
                job = None
            return _visible(caller, job, number)

    def results(self, caller: Caller, job: Job) -> Sequence[Reencoded]:
        """What became of each video, in the order of the request."""
        rows = ReencodingOptions.from_json(job.options).rows
        with self._catalog.read() as read:
            units = read.jobs.receipts(job.id, after=-1, limit=MAX_BULK)
            made = {unit.position: made_id for unit in units if (made_id := _made_by(unit)) is not None}
            seen = readable_ids(read, caller, list(dict.fromkeys(made.values())))
            items = read.items.get_many(seen, with_metadata=False)
        return [
            _result(unit, DataRowId(rows[unit.position]) if rows else None, _get(items, made.get(unit.position)))
            for unit in units
        ]

    def frame_map(self, caller: Caller, item_id: ItemId) -> tuple[ItemId | None, FrameMap]:
        """The original of a re-encoded video, None unless the caller may read it, and how its frames went into it.

        Raises:
            NotPermitted: no such item for the caller. NotFound: it is no re-encoded video.
        """
        with self._catalog.read() as read:
            require_items(read, Action.READ, caller, [item_id])
            found = read.reencodings.get(item_id)
            if found is None:
                raise NotFound(f"Item {item_id} was not made by re-encoding, so it has no map of frames.")
            source = next(iter(readable_ids(read, caller, [found.source_id])), None)
        return source, FrameMap.from_bytes(found.frame_map)


def _check_count(count: int, path: str) -> None:
    if not 1 <= count <= MAX_BULK:
        raise InvalidArguments(f"from 1 to {MAX_BULK} videos in one request; this has {count}", path=path)


def _visible(caller: Caller, job: Job | None, name: object) -> Job:
    is_shown = job is not None and (job.user_id == caller.user_id or caller.sees_workspace)
    if job is None or not is_shown or job.kind != KIND:
        raise NotPermitted(f"There is no re-encoding job {name} that you may see.")
    return job


def _get(items: Mapping[ItemId, Item], item_id: ItemId | None) -> Item | None:
    return None if item_id is None else items.get(item_id)


def _made_by(unit: UnitReceipt) -> ItemId | None:
    if unit.state is not UnitState.DONE or unit.receipt is None:
        return None
    return ItemId(items_of_receipt(unit.receipt)[0][0])


def _result(unit: UnitReceipt, row_id: DataRowId | None, new: Item | None) -> Reencoded:
    receipt = {} if unit.receipt is None else json.loads(unit.receipt)
    item_id = ItemId(decode_unit(unit.payload).item_ids[0])
    facts = {name: receipt[name] for name in _TOLD if name in receipt}
    return Reencoded(item_id, row_id, unit.state, new, bool(receipt.get("skipped")), receipt.get("error"), facts)


_TOLD = ("rate", "frames", "is_one_to_one", "lost_frames", "sound")
