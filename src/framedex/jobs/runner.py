"""Runs jobs: one coordinating thread claims and applies, a few threads prepare.

Units that do no I/O are claimed and applied by the thousand. All others are prepared one to a thread; whatever is ready
is applied together, so that a slow unit holds up nobody. A heartbeat keeps leases alive; when this process dies, they
end, and somebody else takes the units.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest

from framedex.core.clock import now_us
from framedex.core.errors import DomainError, StorageFull, Unavailable
from framedex.core.ids import JobId, new_id
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.ports.catalog import Catalog, WriteUnit
from framedex.core.ports.job_handlers import JobHandler, Prepared
from framedex.jobs.signals import Signals

_log = logging.getLogger("framedex.jobs")

LEASE_US = 30_000_000
_HEARTBEAT_S = 8.0
#: How long another process may take to write the units of a job. Nobody who is alone is writing one while it starts.
_STAGING_US = 3_600_000_000
_IDLE_S = 1.0
_MAX_ATTEMPTS = 5
#: Where a store says that it is out as a whole: a minute and a half, in which it may be started again.
_OUTAGE_ATTEMPTS = 10
#: Units a claim of an instant job takes, and units one transaction applies: bounds how long a PATCH waits in line.
_CLAIM = 4000
_APPLY = 600
#: Units of a slow job that are claimed ahead of the threads, and seconds in which ready ones gather for a transaction
#: while more wait: a commit costs as much as preparing a picture.
_CLAIM_SLOW = 64
_GATHER_S = 0.005

_OUR_FAULT = "Framedex failed on this unit; the server's log has the details."


#: What can be applied, and what failed already.
_Batch = tuple[list[Prepared], list[UnitOutcome]]


@dataclass(slots=True)
class _Running:
    job: Job
    unit: ClaimedUnit
    future: Future[Prepared]


class Runner:
    """One worker of the catalog's jobs."""

    def __init__(
        self,
        catalog: Catalog,
        handlers: Mapping[str, JobHandler],
        signals: Signals,
        *,
        threads: int = 4,
        is_alone: bool = True,
        most_at_once: Mapping[str, int] | None = None,
    ) -> None:
        """Makes a worker.

        Args:
            threads: units that are prepared at once.
            most_at_once: how many of them may be of one kind, for kinds whose units take hours.
        """
        self.worker = new_id()
        self._catalog = catalog
        self._handlers = handlers
        self._signals = signals
        self._slots = threads
        self._is_alone = is_alone
        self._most_at_once = most_at_once or {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="framedex-unit")
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="framedex-ahead")
        self._running: list[_Running] = []
        # Claimed and not begun, or not settled because a step failed (a full disk): first when the job's turn comes.
        self._owed: dict[JobId, list[ClaimedUnit]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="framedex-runner", daemon=True)
        self._heart = threading.Thread(target=self._beat, name="framedex-heartbeat", daemon=True)

    def start(self) -> None:
        try:
            with self._catalog.write(frees=True) as write:
                write.jobs.drop_staging(now_us() - (0 if self._is_alone else _STAGING_US))
        except DomainError as error:  # reads go on all the same
            _log.warning("unfinished jobs were not removed: %s", error.message)
        self._thread.start()
        self._heart.start()

    def stop(self) -> None:
        """Parks: finishes the step it is in and gives its units back."""
        self._stopping.set()
        self._signals.has_work()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._ahead.shutdown(wait=False, cancel_futures=True)
        # On a full disk, or without the database, the leases stay: they end by themselves.
        with suppress(StorageFull, Unavailable), self._catalog.write(frees=True) as write:
            write.jobs.release(self.worker)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            if self._running and self._owed:
                self._stopping.wait(_GATHER_S)
            try:
                is_busy = self.step()
            except DomainError as error:
                _log.warning("the runner waits: %s", error.message)
                is_busy = False
            except Exception:  # a fault of one step must not end all jobs; the units' leases bring them back
                _log.exception("a step of the runner failed")
                is_busy = False
            if not is_busy:
                self._signals.wait_for_work(_IDLE_S)

    def _beat(self) -> None:
        while not self._stopping.wait(_HEARTBEAT_S):
            if not (self._running or self._owed):
                continue
            try:
                with self._catalog.write(frees=True) as write:
                    write.jobs.renew(self.worker, now_us(), LEASE_US)
            except DomainError as error:
                _log.warning("leases were not renewed: %s", error.message)

    def step(self) -> bool:
        """One round: apply what is ready, advance jobs that are through, claim more. Whether anything moved."""
        moved = self._apply_ready()
        with self._catalog.read() as read:
            jobs = [job for job in read.jobs.runnable(now_us()) if job.kind in self._handlers]
        self._owed = {job.id: self._owed[job.id] for job in jobs if job.id in self._owed}
        for job in jobs:
            instant = self._handlers[job.kind].instant_units(job)
            if instant:
                moved = self._run_instant(job, min(instant, _CLAIM)) or moved
            else:
                moved = self._claim_slow(job, jobs) or moved
        return moved

    # Instant jobs

    def _run_instant(self, job: Job, most: int) -> bool:
        units = self._owed.pop(job.id, None) or self._hold(job, most)
        if not units:
            return self._advance(job)
        handler = self._handlers[job.kind]
        batches = [units[start : start + _APPLY] for start in range(0, len(units), _APPLY)]
        done = 0
        try:
            prepared = _prepare_all(handler, job, batches[0])
            for batch, following in zip_longest(batches, batches[1:]):
                prepared = self._settle_and_prepare(job, prepared, following or [])
                done += len(batch)
                if self._stopping.is_set():
                    break
        finally:
            if units[done:]:
                self._owed[job.id] = list(units[done:])
        return True

    def _settle_and_prepare(self, job: Job, batch: _Batch, following: Sequence[ClaimedUnit]) -> _Batch:
        """Prepares the following batch while the commit of this one waits for the disk.

        Not beside its statements: sqlite3 takes the interpreter's lock again after every row, and would wait for the
        other thread each time.
        """
        handler = self._handlers[job.kind]
        begun: list[Future[_Batch]] = []
        self._settle(
            job, *batch, meanwhile=lambda: begun.append(self._ahead.submit(_prepare_all, handler, job, following))
        )
        return begun.pop().result() if begun else _prepare_all(handler, job, following)

    def _hold(self, job: Job, most: int) -> Sequence[ClaimedUnit]:
        with self._catalog.write() as write:
            if not write.jobs.hold(job.id, self.worker, now_us=now_us(), lease_us=LEASE_US):
                return []
        with self._catalog.read() as read:
            return read.jobs.waiting_units(job, most)

    # Slow jobs

    def _claim_slow(self, job: Job, jobs: Sequence[Job]) -> bool:
        mine = sum(1 for running in self._running if running.job.id == job.id)
        # A quarter is kept for jobs that come later: units that wait for a slow store must not hold up theirs.
        share = max(1, self._slots * 3 // 4 // len(jobs))
        wanted = min(share - mine, self._slots - len(self._running))
        most = self._most_at_once.get(job.kind)
        if most is not None:
            wanted = min(wanted, most - sum(1 for running in self._running if running.job.kind == job.kind))
        if wanted <= 0:
            return False
        units = self._owed.pop(job.id, None) or self._claim(job, _CLAIM_SLOW if most is None else wanted)
        if not units and mine == 0:
            return self._advance(job)
        if units[wanted:]:
            self._owed[job.id] = list(units[wanted:])
        handler = self._handlers[job.kind]
        for unit in units[:wanted]:
            future = self._pool.submit(handler.prepare, job, unit)
            future.add_done_callback(lambda _: self._signals.has_work())
            self._running.append(_Running(job, unit, future))
        return bool(units)

    def _apply_ready(self) -> bool:
        done = [running for running in self._running if running.future.done()]
        if not done:
            return False
        self._running = [running for running in self._running if not running.future.done() or running not in done]
        ready: defaultdict[str, list[Prepared]] = defaultdict(list)
        failed: defaultdict[str, list[UnitOutcome]] = defaultdict(list)
        jobs = {running.job.id: running.job for running in done}
        try:
            for running in done:
                prepared = self._result(running)
                if isinstance(prepared, Prepared):
                    ready[running.job.id].append(prepared)
                elif prepared is not None:
                    failed[running.job.id].append(prepared)
            for job_id in list(jobs):
                self._settle(jobs[job_id], ready[job_id], failed[job_id])
                del jobs[job_id]
        finally:
            # What a failed step (a full disk) did not settle stays ready for the next.
            self._running += [running for running in done if running.job.id in jobs]
        return True

    def _result(self, running: _Running) -> Prepared | UnitOutcome | None:
        handler = self._handlers[running.job.kind]
        try:
            return running.future.result()
        except (Unavailable, StorageFull) as error:
            return self._try_later(running, handler, error)
        except DomainError as error:
            return _failure(handler, running.unit, error.message)
        # One unit's fault must not take the others with it; a panic in a Rust library is no `Exception`.
        except BaseException:
            _log.exception("a unit of job %s failed", running.job.id)
            return _failure(handler, running.unit, _OUR_FAULT)

    def _try_later(self, running: _Running, handler: JobHandler, error: DomainError) -> UnitOutcome | None:
        # A full disk is no fault of the unit: it waits for space, however long that takes.
        most = _OUTAGE_ATTEMPTS if error.facts.get("is_outage") else _MAX_ATTEMPTS
        if running.unit.attempts >= most and not isinstance(error, StorageFull):
            return _failure(handler, running.unit, error.message)
        pause_us = 500_000 * 2 ** min(running.unit.attempts, _MAX_ATTEMPTS)
        with self._catalog.write(frees=True) as write:
            write.jobs.postpone(running.unit, not_before_us=now_us() + pause_us)
        return None

    # Both

    def _claim(self, job: Job, limit: int) -> Sequence[ClaimedUnit]:
        with self._catalog.write() as write:
            return write.jobs.claim(job, worker=self.worker, limit=limit, now_us=now_us(), lease_us=LEASE_US)

    def _settle(
        self,
        job: Job,
        ready: Sequence[Prepared],
        failed: Sequence[UnitOutcome],
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        """Applies together; a unit that cannot be applied fails alone and takes no other with it."""
        try:
            self._settle_together(job, ready, failed, meanwhile)
        except (StorageFull, Unavailable):
            raise
        except Exception:  # whatever a handler stumbles over: each unit alone then says which it was
            _log.exception("units of job %s could not be applied together", job.id)
            self._settle_together(job, [], failed)
            for prepared in ready:
                self._settle_alone(job, prepared)

    def _settle_alone(self, job: Job, prepared: Prepared) -> None:
        try:
            self._settle_together(job, [prepared], [])
        except (StorageFull, Unavailable):
            raise
        except Exception as error:  # one unit's fault must not take the others with it
            _log.exception("unit %d of job %s could not be applied", prepared.unit.position, job.id)
            handler = self._handlers[job.kind]
            message = error.message if isinstance(error, DomainError) else _OUR_FAULT
            self._settle_together(job, [], [_failure(handler, prepared.unit, message)])
            handler.discard(prepared)

    def _settle_together(
        self,
        job: Job,
        ready: Sequence[Prepared],
        failed: Sequence[UnitOutcome],
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        positions = [p.unit.position for p in ready] + [o.position for o in failed]
        if not positions:  # all of them were put off
            return
        with self._catalog.write() as write:
            if meanwhile is not None:
                write.before_commit(meanwhile)
            held = write.jobs.held(job.id, self.worker, positions)
            mine = [p for p in ready if p.unit.position in held]
            outcomes = [o for o in failed if o.position in held]
            outcomes += self._outcomes(write, job, mine)
            write.jobs.settle(job.id, outcomes)
        handler = self._handlers[job.kind]
        for prepared in ready:
            if prepared.unit.position not in held:
                handler.discard(prepared)

    def _outcomes(self, write: WriteUnit, job: Job, ready: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        if not ready:
            return []
        if job.state is JobState.CHECKING:
            return [UnitOutcome(p.unit.position, UnitState.CHECKED, checked=p.checked) for p in ready]
        return self._handlers[job.kind].apply(write, job, ready)

    def _advance(self, job: Job) -> bool:
        """Moves a job on when none of its units is open. Whether it moved."""
        with self._catalog.write() as write:
            now = write.jobs.get(job.id)
            counts = write.jobs.count_open(job.id)
            open_units = counts.get(UnitState.WAITING, 0)
            if now is None or now.state is not job.state or open_units:
                return False
            errors = now.units_error
            handler = self._handlers[job.kind]
            if job.state is JobState.CHECKING:
                state = handler.after_checking(write, now, errors)
            elif counts.get(UnitState.CHECKED, 0):
                return False
            else:
                state = handler.after_applying(write, now, errors)
            write.jobs.set_state(job.id, state, now_us=now_us(), reset_done=state is JobState.ERROR)
        if state.is_final:
            self._signals.ended(job.id)
        return True


def _prepare_all(handler: JobHandler, job: Job, units: Sequence[ClaimedUnit]) -> _Batch:
    ready: list[Prepared] = []
    failed: list[UnitOutcome] = []
    for unit in units:
        try:
            ready.append(handler.prepare(job, unit))
        except DomainError as error:
            failed.append(_failure(handler, unit, error.message))
        except BaseException:  # as `_result` says
            _log.exception("unit %d of job %s failed", unit.position, job.id)
            failed.append(_failure(handler, unit, _OUR_FAULT))
    return ready, failed


def _failure(handler: JobHandler, unit: ClaimedUnit, message: str) -> UnitOutcome:
    return UnitOutcome(unit.position, UnitState.ERROR, receipt=handler.unit_failed(unit, message))
