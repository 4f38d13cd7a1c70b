"""Registering data: from a checked manifest to a job, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from framedex.core.access import Action, Caller
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, InvalidArguments, NotPermitted
from framedex.core.ids import DatasetId, FolderId, IntegrationId, JobId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.core.ports.job_handlers import JobSignals
from framedex.core.registration import Manifest, Unit, encode_unit, items_of_receipt
from framedex.services.addresses import OpenIntegration, Resolver, require_registrar
from framedex.services.folders import loaded, require_folder
from framedex.services.registration_checks import needs_no_read
from framedex.services.registration_handler import KIND, RegistrationOptions, failed_receipt, units_at_once
from framedex.services.synced_folders import refuse_synced

#: Units that one transaction stages, and characters of them.
_STAGE = 1000
#: Receipts read at once for an answer that streams.
_STREAMED = 5000
_STAGE_BYTES = 8 << 20


#: Different errors that one answer names; each failed unit has its own text besides.
MOST_TEXTS = 1000


#: Units to write: position, state, payload, receipt.
_Rows = list[tuple[int, UnitState, str, str | None]]


@dataclass(frozen=True, slots=True)
class UnitError:
    """A unit that failed, as the SDK's `DataUnitError`."""

    urls: Sequence[str]
    error: str
    action: str
    position: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a registration stands.

    Attributes:
        checked: units that were checked, while none is written yet.
        error_texts: in final states, what is wrong, each thing once and `MOST_TEXTS` at most.
    """

    job: Job
    checked: int
    error_texts: Sequence[str]

    @property
    def units_done(self) -> int:
        """While checking, units that were checked."""
        return self.checked if self.job.state is JobState.CHECKING else self.job.units_done

    @property
    def units_pending(self) -> int:
        if self.job.state.is_final:
            return 0
        return max(0, self.job.units_total - self.units_done - self.job.units_error - self.job.units_cancelled)


class RegistrationService:
    """Use cases of registration jobs."""

    def __init__(
        self, catalog: Catalog, blobs: OwnBlobs, open_integration: OpenIntegration, signals: JobSignals
    ) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._open_integration = open_integration
        self._signals = signals

    def start(
        self,
        caller: Caller,
        folder_id: FolderId,
        manifest: Manifest,
        *,
        integration_id: IntegrationId | None,
        ignore_errors: bool,
        title: str = "",
        dataset_id: DatasetId | None = None,
    ) -> JobId:
        """Writes a job with a unit for each element of the manifest; answers its id.

        Items are linked by `dataset_id` (whose rights were checked), without it by the dataset that the folder mirrors.
        Nothing of it is visible until all units are written: a crash before leaves nothing.

        Raises:
            NotPermitted: no right to register into the folder or with the integration.
        """
        resolver = self._resolver(caller, folder_id, integration_id)
        dataset_id = self._dataset(caller, folder_id) if dataset_id is None else dataset_id
        is_instant = all(needs_no_read(unit, resolver) for unit in manifest.units)
        options = RegistrationOptions(
            integration_id,
            ignore_errors,
            manifest.skip_duplicate_urls,
            manifest.upsert_metadata,
            is_instant,
            resolver.title_root,
            units_at_once(manifest.units),
        )
        job = _new_job(caller, folder_id, dataset_id, title, options, len(manifest.units))
        with self._catalog.write(apart=True) as write:
            write.jobs.add(job)
        errors = self._stage(job, manifest.units, resolver, is_instant=is_instant)
        with self._catalog.write() as write:
            write.jobs.activate(job.id, _first_state(options, errors), total=len(manifest.units), errors=errors)
            write.log(Entity.JOB, Op.CREATE, [job.id])
            write.audit(caller.user_id, "job.create", Entity.JOB, [job.id], kind=KIND, units=len(manifest.units))
            write.after_commit(self._signals.has_work)
        return job.id

    def _resolver(self, caller: Caller, folder_id: FolderId, integration_id: IntegrationId | None) -> Resolver:
        with self._catalog.read() as read:
            require_folder(read, Action.WRITE, caller, folder_id)
            refuse_synced(read, caller, folder_id)
            integration = None if integration_id is None else require_registrar(read, caller, integration_id)
        return Resolver(
            integration=integration,
            external=None if integration is None else self._open_integration(integration.config),
            blobs=self._blobs,
            user_id=caller.user_id,
            folder_id=folder_id,
        )

    def _dataset(self, caller: Caller, folder_id: FolderId) -> DatasetId | None:
        """The dataset that a mirror folder belongs to, which links whatever comes into it."""
        with self._catalog.read() as read:
            return loaded(read, caller, folder_id).dataset_id

    def _stage(self, job: Job, units: Sequence[Unit], resolver: Resolver, *, is_instant: bool) -> int:
        """Writes the units in batches; units of instant jobs are checked here. Answers how many failed."""
        errors = 0
        batches = _staged(units, resolver, is_instant=is_instant)
        rows = next(batches, None)
        with ThreadPoolExecutor(1, thread_name_prefix="framedex-staging") as ahead:
            while rows:
                errors += sum(1 for row in rows if row[1] is UnitState.ERROR)
                following: list[Future[_Rows | None]] = []
                with self._catalog.write(apart=True) as write:
                    write.jobs.add_units(job.id, rows)
                    # The next batch is made while the commit of this one waits for the disk.
                    write.before_commit(partial(_begin, ahead, batches, following))
                rows = following.pop().result()
        return errors

    def progress(self, caller: Caller, job_id: JobId, *, folder_id: FolderId | None = None) -> Progress:
        """Where a job stands.

        Raises:
            NotPermitted: no such job of this folder that the caller may see.
        """
        with self._catalog.read() as read:
            job = self._visible(caller, read.jobs.get(job_id), folder_id)
            checked = read.jobs.count_open(job_id).get(UnitState.CHECKED, 0) if job.state is JobState.CHECKING else 0
        return Progress(job, checked, self._error_texts(job))

    def is_over(self, job_id: JobId) -> bool:
        """Whether a job is final or gone; one look-up by key, for those who wait."""
        with self._catalog.read() as read:
            state = read.jobs.states([job_id]).get(job_id)
        return state is None or state[0].is_final

    def iter_items(self, job_id: JobId) -> Iterator[tuple[str, str]]:
        """Ids and names of what a finished job registered or skipped, in order; none after an error. Streams.

        Pages are read on their own: a caller that takes its time holds no connection of the catalog.
        """
        with self._catalog.read() as read:
            job = read.jobs.get(job_id)
        if job is None or job.state is JobState.ERROR:
            return
        for _, receipt in self._iter_receipts(job_id, UnitState.DONE):
            yield from items_of_receipt(receipt)

    def iter_errors(self, job_id: JobId) -> Iterator[UnitError]:
        """The units of a finished job that failed, in order. Streams, as `iter_items`."""
        for position, receipt in self._iter_receipts(job_id, UnitState.ERROR):
            yield _unit_error(position, receipt)

    def _iter_receipts(self, job_id: JobId, state: UnitState) -> Iterator[tuple[int, str]]:
        after = -1
        while True:
            with self._catalog.read() as read:
                found = read.jobs.receipt_texts(job_id, state, after=after, limit=_STREAMED)
            yield from found
            if len(found) < _STREAMED:
                return
            after = found[-1][0]

    def _error_texts(self, job: Job) -> list[str]:
        """What is wrong with a finished job: as a whole, then what its units say, each thing once."""
        texts = dict.fromkeys(job.problems)
        if job.state.is_final and job.units_error:
            for error in self.iter_errors(job.id):
                texts.setdefault(error.error)
                if len(texts) >= MOST_TEXTS:
                    break
        return list(texts)

    def cancel(self, caller: Caller, job_id: JobId, *, folder_id: FolderId | None = None) -> int:
        """Cancels what is not done yet; answers how many units. A finished job has none.

        An all-or-nothing job that is being written already goes on: half of it must not stay.
        """
        with self._catalog.write(frees=True) as write:
            job = self._visible(caller, write.jobs.get(job_id), folder_id)
            is_whole = not RegistrationOptions.from_json(job.options).ignore_errors
            if job.state.is_final or (is_whole and job.state is JobState.APPLYING and job.units_done > 0):
                return 0
            count = write.jobs.cancel_open_units(job_id)
            write.jobs.set_state(job_id, JobState.CANCELLED, now_us=now_us(), reset_done=is_whole)
            write.audit(caller.user_id, "job.cancel", Entity.JOB, [job_id])
            write.after_commit(partial(self._signals.ended, job_id))
        return count

    def _visible(self, caller: Caller, job: Job | None, folder_id: FolderId | None) -> Job:
        is_shown = job is not None and (job.user_id == caller.user_id or caller.sees_workspace)
        is_other = job is not None and (job.kind != KIND or (folder_id is not None and job.folder_id != folder_id))
        if job is None or not is_shown or is_other:
            raise NotPermitted("There is no such upload job that you may see.")
        if job.state is JobState.STAGING:
            raise Conflict("This job is still being written.")
        return job


def _first_state(options: RegistrationOptions, errors: int) -> JobState:
    if options.ignore_errors:
        return JobState.APPLYING
    if options.is_instant and not errors:
        return JobState.APPLYING
    return JobState.CHECKING


def _begin(pool: ThreadPoolExecutor, batches: Iterator[_Rows], begun: list[Future[_Rows | None]]) -> None:
    begun.append(pool.submit(next, batches, None))


def _staged(units: Sequence[Unit], resolver: Resolver, *, is_instant: bool) -> Iterator[_Rows]:
    """Rows of units, in batches that one transaction writes."""
    size = 0
    rows: _Rows = []
    for position, unit in enumerate(units):
        receipt = _instant_problem(resolver, unit) if is_instant else None
        state = UnitState.WAITING if receipt is None else UnitState.ERROR
        rows.append((position, state, encode_unit(unit), receipt))
        size += len(rows[-1][2])
        if len(rows) >= _STAGE or size >= _STAGE_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _instant_problem(resolver: Resolver, unit: Unit) -> str | None:
    try:
        resolver.check_addresses([ref.url for ref in unit.objects])
        resolver.check_supplied(unit)
    except InvalidArguments as error:
        return failed_receipt(unit, error.message)
    return None


def _unit_error(position: int, receipt: str) -> UnitError:
    found = json.loads(receipt)
    return UnitError(found["urls"], found["error"], found["action"], position)


def _new_job(
    caller: Caller,
    folder_id: FolderId,
    dataset_id: DatasetId | None,
    title: str,
    options: RegistrationOptions,
    units: int,
) -> Job:
    return Job(
        id=JobId(new_id()),
        kind=KIND,
        state=JobState.STAGING,
        priority=10,
        user_id=caller.user_id,
        folder_id=folder_id,
        dataset_id=dataset_id,
        title=title,
        options=options.to_json(),
        problems=(),
        units_total=units,
        units_done=0,
        units_error=0,
        units_cancelled=0,
        created_at=now_us(),
        finished_at=None,
    )
