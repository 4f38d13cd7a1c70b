"""Jobs that a worker holds as a whole, beside those whose units are leased one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from framedex.core.clock import now_us
from framedex.core.ids import JobId, UserId, new_id
from framedex.core.jobs import Job, JobState, UnitOutcome, UnitState
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import open_catalog

_LEASE_US = 1_000_000


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    made = open_catalog(tmp_path)
    yield made
    made.close()


def _job(catalog: SqlCatalog, units: int) -> Job:
    job = Job(
        JobId(new_id()), "register", JobState.APPLYING, 10, UserId(new_id()), None, None, "", "{}", (), units, 0, 0, 0,
        now_us(), None,
    )  # fmt: skip
    with catalog.write() as write:
        write.jobs.add(job)
        write.jobs.add_units(job.id, [(i, UnitState.WAITING, f'{{"unit":{i}}}', None) for i in range(units)])
    return job


def _hold(catalog: SqlCatalog, job: Job, worker: str, at_us: int) -> bool:
    with catalog.write() as write:
        return write.jobs.hold(job.id, worker, now_us=at_us, lease_us=_LEASE_US)


def test_hold__is_of_one_worker_until_its_lease_ends(catalog: SqlCatalog) -> None:
    job, now = _job(catalog, 3), now_us()
    assert _hold(catalog, job, "a", now)
    assert _hold(catalog, job, "a", now + 1)
    assert not _hold(catalog, job, "b", now + 2)
    assert _hold(catalog, job, "b", now + 2 + _LEASE_US)
    with catalog.read() as read:
        assert read.jobs.held(job.id, "a", [0, 1, 2]) == set()
        assert read.jobs.held(job.id, "b", [0, 1, 2]) == {0, 1, 2}


def test_hold__ends_with_release_and_with_the_job(catalog: SqlCatalog) -> None:
    job, now = _job(catalog, 1), now_us()
    assert _hold(catalog, job, "a", now)
    with catalog.write() as write:
        write.jobs.release("a")
    assert _hold(catalog, job, "b", now)
    with catalog.write() as write:
        write.jobs.set_state(job.id, JobState.DONE, now_us=now)
    assert not _hold(catalog, job, "b", now)


def test_waiting_units__are_in_order_and_leave_out_what_is_settled_or_leased(catalog: SqlCatalog) -> None:
    job, now = _job(catalog, 5), now_us()
    with catalog.write() as write:
        write.jobs.settle(job.id, [UnitOutcome(0, UnitState.DONE, "{}")])
        leased = write.jobs.claim(job, worker="other", limit=1, now_us=now, lease_us=_LEASE_US)
    assert [unit.position for unit in leased] == [1]
    with catalog.read() as read:
        units = read.jobs.waiting_units(job, 2)
    assert [(unit.position, unit.payload) for unit in units] == [(2, '{"unit":2}'), (3, '{"unit":3}')]


def test_held__is_nothing_after_a_cancel(catalog: SqlCatalog) -> None:
    job = _job(catalog, 3)
    assert _hold(catalog, job, "a", now_us())
    with catalog.write() as write:
        assert write.jobs.cancel_open_units(job.id) == 3
        assert write.jobs.held(job.id, "a", [0, 1, 2]) == set()


def test_held__finds_the_open_units_among_settled_ones(catalog: SqlCatalog) -> None:
    job = _job(catalog, 6)
    assert _hold(catalog, job, "a", now_us())
    with catalog.write() as write:
        write.jobs.settle(job.id, [UnitOutcome(2, UnitState.DONE, "{}"), UnitOutcome(3, UnitState.ERROR, "{}")])
        assert write.jobs.held(job.id, "a", [1, 2, 3, 4]) == {1, 4}
        assert write.jobs.held(job.id, "a", [0, 5]) == {0, 5}
        assert write.jobs.held(job.id, "a", []) == set()
        assert write.jobs.count_open(job.id) == {UnitState.WAITING: 4}


def test_settle__counts_the_attempt_of_a_unit_that_was_held_with_its_job(catalog: SqlCatalog) -> None:
    job = _job(catalog, 1)
    assert _hold(catalog, job, "a", now_us())
    with catalog.write() as write:
        write.jobs.settle(job.id, [UnitOutcome(0, UnitState.DONE, "{}")])
        [receipt] = write.jobs.receipts(job.id, after=-1, limit=10)
    assert receipt.attempts == 1


def test_before_commit__is_called_inside_and_not_after_a_failure(catalog: SqlCatalog) -> None:
    calls: list[str] = []
    with catalog.write() as write:
        write.before_commit(lambda: calls.append("called"))
        assert calls == []
    assert calls == ["called"]
    with suppress(ZeroDivisionError), catalog.write() as write:
        write.before_commit(lambda: calls.append("not this"))
        raise ZeroDivisionError
    assert calls == ["called"]
