"""Jobs as people see them: lists, receipts of units, cancel, retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, NotPermitted
from framedex.core.ids import FolderId, JobId, UserId
from framedex.core.jobs import Job, JobState, UnitReceipt, UnitState
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit
from framedex.core.ports.job_handlers import JobSignals
from framedex.services.administration import OPERATOR
from framedex.services.deidentification_handler import KIND as DEIDENTIFY
from framedex.services.folder_sync import refuse_second
from framedex.services.folder_sync_handler import KIND as SYNC_FOLDER
from framedex.services.folder_sync_units import OBJECTS
from framedex.services.frames_handler import KIND as FRAMES
from framedex.services.reencoding_handler import KIND as REENCODE
from framedex.services.registration import RegistrationService
from framedex.services.registration_handler import KIND as REGISTER
from framedex.services.registration_handler import RegistrationOptions

#: Who the command line speaks for: whoever can open the data directory may see and steer every job.
OPERATOR_CALLER = Caller(UserId(OPERATOR), OPERATOR, (), is_workspace_admin=True, sees_workspace=True)


@dataclass(frozen=True, slots=True)
class JobWithCounts:
    """A job, and how many of its units are checked and wait to be written."""

    job: Job
    checked: int


class JobService:
    """Use cases of jobs."""

    def __init__(self, catalog: Catalog, registration: RegistrationService, signals: JobSignals) -> None:
        self._catalog = catalog
        self._registration = registration
        self._signals = signals

    def list_jobs(self, caller: Caller, *, before: JobId | None, limit: int) -> Sequence[Job]:
        """The caller's jobs, newest first, beginning behind `before`; a workspace ADMIN who asked sees all."""
        with self._catalog.read() as unit:
            return unit.jobs.list_recent(caller, before, limit)

    def get_job(self, caller: Caller, job_id: JobId) -> JobWithCounts:
        """One job.

        Raises:
            NotPermitted: not the caller's, or not there.
        """
        with self._catalog.read() as unit:
            job = _visible(caller, unit.jobs.get(job_id), job_id)
            checked = 0 if job.state.is_final else unit.jobs.count_open(job_id).get(UnitState.CHECKED, 0)
        return JobWithCounts(job, checked)

    def list_units(
        self, caller: Caller, job_id: JobId, *, after: int, limit: int, states: Sequence[UnitState] = ()
    ) -> Sequence[UnitReceipt]:
        """Units of a job with their receipts, in the order of the manifest, behind the position `after`.

        Jobs whose units are steps of our own have none to show.
        """
        with self._catalog.read() as unit:
            job = _visible(caller, unit.jobs.get(job_id), job_id)
            if job.kind not in (REGISTER, REENCODE, DEIDENTIFY, SYNC_FOLDER, FRAMES):
                return []
            if job.kind == SYNC_FOLDER:  # stretches of the listing come first
                after = max(after, OBJECTS - 1)
            return unit.jobs.receipts(job_id, after=after, limit=limit, states=states)

    def cancel(self, caller: Caller, job_id: JobId) -> int:
        """Cancels what is not done yet; answers how many units. A job that has ended has none.

        Raises:
            Conflict: work of our own, which nobody asked for. NotPermitted: not the caller's, or not there.
        """
        with self._catalog.read() as unit:
            job = _visible(caller, unit.jobs.get(job_id), job_id)
            _require_own(caller, job)
        if job.kind in (REENCODE, DEIDENTIFY, SYNC_FOLDER, FRAMES):
            return self._cancel(caller, job)
        if job.kind != REGISTER:
            raise Conflict("This job keeps items in step with the metadata schema; only a newer schema ends it.")
        return self._registration.cancel(caller, job_id)

    def _cancel(self, caller: Caller, job: Job) -> int:
        """Ends a job whose units are each for themselves: what is done stays."""
        with self._catalog.write(frees=True) as unit:
            now = unit.jobs.get(job.id)
            if now is None or now.state.is_final:
                return 0
            count = unit.jobs.cancel_open_units(job.id)
            unit.jobs.set_state(job.id, JobState.CANCELLED, now_us=now_us())
            unit.log(Entity.JOB, Op.UPDATE, [job.id])
            unit.audit(caller.user_id, "job.cancel", Entity.JOB, [job.id])
        self._signals.ended(job.id)
        return count

    def retry(self, caller: Caller, job_id: JobId) -> int:
        """Puts the failed and cancelled units of a job that has ended back to work; answers how many units wait.

        A job that is all-or-nothing left nothing behind, so all of it is done again.

        Raises:
            Conflict: the job has not ended, or another sync of its folder is running.
            NotPermitted: not the caller's, or not there.
        """
        with self._catalog.write() as unit:
            job = _visible(caller, unit.jobs.get(job_id), job_id)
            _require_own(caller, job)
            if not job.state.is_final:
                raise Conflict("This job is still running; wait for its end, or cancel it.")
            if job.kind == SYNC_FOLDER and job.folder_id is not None:
                refuse_second(unit, job.folder_id)
            count = _reopen(unit, job)
            if count:
                unit.log(Entity.JOB, Op.UPDATE, [job_id])
                unit.audit(caller.user_id, "job.retry", Entity.JOB, [job_id], units=count)
        if count:
            self._signals.has_work()
        return count

    def find_running(self, caller: Caller, folder_id: FolderId, title: str) -> Job | None:
        """The caller's newest job with this title into this folder that has not ended."""
        with self._catalog.read() as unit:
            running = unit.jobs.runnable(now_us())
        mine = [j for j in running if (j.user_id, j.folder_id, j.title) == (caller.user_id, folder_id, title)]
        return max(mine, key=lambda job: job.created_at, default=None)

    def abandon_leases(self) -> int:
        """Frees units that dead processes hold, for the one process that holds the data directory; answers how many.

        Raises:
            StorageFull: they then wait for the ends of their leases.
        """
        with self._catalog.write(frees=True) as unit:
            return unit.jobs.abandon_leases()


def _reopen(unit: WriteUnit, job: Job) -> int:
    if job.kind != REGISTER:
        return unit.jobs.reopen(job.id, JobState.APPLYING, options=job.options, with_done=False)
    options = RegistrationOptions.from_json(job.options)
    is_whole = not options.ignore_errors
    return unit.jobs.reopen(
        job.id,
        JobState.CHECKING if is_whole else JobState.APPLYING,
        # Instant units are checked while they are staged, which a retry does not go through again.
        options=replace(options, is_instant=False).to_json(),
        with_done=is_whole and job.state is not JobState.DONE,
    )


def _visible(caller: Caller, job: Job | None, job_id: JobId) -> Job:
    is_shown = job is not None and (job.user_id == caller.user_id or caller.sees_workspace)
    if job is None or not is_shown or job.state is JobState.STAGING:
        raise NotPermitted(f"There is no job {job_id} that you may see.")
    return job


def _require_own(caller: Caller, job: Job) -> None:
    """To see a job as an admin of the workspace is no right to change it."""
    if caller.user_id not in (job.user_id, OPERATOR_CALLER.user_id):
        raise NotPermitted(f"You can see the job {job.id}, but only who started it may cancel or retry it.")
