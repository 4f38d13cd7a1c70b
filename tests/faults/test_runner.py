"""The runner with a handler that fails in ways that no real one should: a bug in one unit, a disk that fills."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments, StorageFull, Unavailable
from framedex.core.ids import JobId, new_id
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.ports.catalog import WriteUnit
from framedex.core.ports.job_handlers import Prepared
from framedex.jobs.runner import Runner
from framedex.jobs.signals import Signals
from tests.faults.conftest import World

pytestmark = pytest.mark.faults

_UNITS = 40


class Panic(BaseException):
    """What a library in Rust raises when it panics: no `Exception`."""


class Failing:
    """Does nothing with its units, but fails where a test says."""

    def __init__(self, *, is_instant: bool) -> None:
        self._is_instant = is_instant
        self.in_prepare: dict[int, BaseException] = {}
        self.in_apply: dict[int, Exception] = {}
        self.full_times = 0
        self.discarded: list[int] = []

    def instant_units(self, job: Job) -> int:
        return 30 if self._is_instant else 0

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        if unit.position in self.in_prepare:
            raise self.in_prepare[unit.position]
        return Prepared(unit, None)

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        if self.full_times > 0:
            self.full_times -= 1
            raise StorageFull("full")
        for p in prepared:
            if p.unit.position in self.in_apply:
                raise self.in_apply[p.unit.position]
        return [UnitOutcome(p.unit.position, UnitState.DONE, "{}") for p in prepared]

    def discard(self, prepared: Prepared) -> None:
        self.discarded.append(prepared.unit.position)

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        return json.dumps({"error": message})

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:
        return JobState.APPLYING

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:
        return JobState.DONE


def _job(world: World, kind: str) -> JobId:
    job = Job(
        JobId(new_id()), kind, JobState.STAGING, 10, world.admin.id, world.folder, None, "", "{}", (), 0, 0, 0, 0,
        now_us(), None,
    )  # fmt: skip
    with world.workspace.catalog.write() as write:
        write.jobs.add(job)
        write.jobs.add_units(job.id, [(n, UnitState.WAITING, "{}", None) for n in range(_UNITS)])
        write.jobs.activate(job.id, JobState.APPLYING, total=_UNITS, errors=0)
    return job.id


def _run(world: World, handler: Failing, *, steps: int = 400) -> tuple[Job, dict[int, str]]:
    """Steps until the job ends; answers it, and the errors by position."""
    job_id = _job(world, "failing")
    runner = Runner(world.workspace.catalog, {"failing": handler}, Signals(), threads=4)
    for _ in range(steps):
        try:
            is_busy = runner.step()
        except StorageFull:
            continue
        if not is_busy:
            runner._signals.wait_for_work(0.05)
        with world.workspace.catalog.read() as read:
            if read.jobs.states([job_id])[job_id][0].is_final:
                break
    runner.stop()
    with world.workspace.catalog.read() as read:
        job = read.jobs.get(job_id)
        assert job is not None
        assert job.state is JobState.DONE, job
        receipts = read.jobs.receipts(job_id, after=-1, limit=1000)
    assert Counter(r.state for r in receipts) == Counter(
        {UnitState.DONE: job.units_done, UnitState.ERROR: job.units_error}
    )
    errors = {r.position: json.loads(r.receipt or "")["error"] for r in receipts if r.state is UnitState.ERROR}
    return job, errors


@pytest.mark.parametrize("is_instant", [True, False])
def test_step__a_bug_in_one_unit_takes_no_other_with_it(world: World, is_instant: bool) -> None:
    handler = Failing(is_instant=is_instant)
    handler.in_prepare = {3: RuntimeError("bug"), 4: InvalidArguments("wrong"), 5: Panic("bug")}
    handler.in_apply = {7: RuntimeError("bug"), 8: KeyError("bug"), 9: InvalidArguments("stale")}
    job, errors = _run(world, handler)
    assert (job.units_done, job.units_error) == (_UNITS - 6, 6)
    ours = "Framedex failed on this unit; the server's log has the details."
    assert errors == {3: ours, 4: "wrong", 5: ours, 7: ours, 8: ours, 9: "stale"}
    assert sorted(handler.discarded) == [7, 8, 9]


@pytest.mark.parametrize("is_instant", [True, False])
def test_step__a_full_disk_is_waited_out(world: World, is_instant: bool) -> None:
    handler = Failing(is_instant=is_instant)
    handler.full_times = 6
    job, errors = _run(world, handler)
    assert (job.units_done, errors) == (_UNITS, {})
    assert handler.full_times == 0
    assert handler.discarded == []


def test_step__a_full_disk_in_preparing_is_tried_again_and_again(world: World) -> None:
    handler = Failing(is_instant=False)
    handler.in_prepare = {5: StorageFull("full")}
    runner = Runner(world.workspace.catalog, {"failing": handler}, Signals(), threads=4)
    job_id = _job(world, "failing")
    unit = ClaimedUnit(job_id, 5, "{}", None, attempts=50)
    with world.workspace.catalog.read() as read:
        job = read.jobs.get(job_id)
    assert job is not None
    from framedex.jobs.runner import _Running

    future = runner._pool.submit(handler.prepare, job, unit)
    assert runner._result(_Running(job, unit, future)) is None, "it waits, although it was tried fifty times"
    handler.in_prepare = {5: Unavailable("away")}
    future = runner._pool.submit(handler.prepare, job, unit)
    failed = runner._result(_Running(job, unit, future))
    assert isinstance(failed, UnitOutcome)
    assert json.loads(failed.receipt or "")["error"] == "away"
    runner.stop()
