"""Jobs and units in SQL. Claims are leases: an UPDATE that takes free units, skipping locked rows on PostgreSQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.ids import FolderId, JobId
from framedex.core.jobs import (
    RUNNING_STATES,
    ClaimedUnit,
    Job,
    JobState,
    UnitOutcome,
    UnitReceipt,
    UnitState,
)
from framedex.stores.catalog.driver_sql import insert_many, run_many, run_together
from framedex.stores.catalog.tables import job_units, jobs
from framedex.stores.catalog.tables.work import OPEN

_JOB_COLUMNS = (
    jobs.c.id,
    jobs.c.kind,
    jobs.c.state,
    jobs.c.priority,
    jobs.c.user_id,
    jobs.c.folder_id,
    jobs.c.dataset_id,
    jobs.c.title,
    jobs.c.options,
    jobs.c.problems,
    jobs.c.units_total,
    jobs.c.units_done,
    jobs.c.units_error,
    jobs.c.units_cancelled,
    jobs.c.created_at,
    jobs.c.finished_at,
)
_NEW_UNIT_COLUMNS = ("job_id", "position", "state", "payload", "receipt", "attempts", "not_before")
_SETTLE = """
UPDATE job_units SET state = ?, receipt = ?, checked = ?, lease_owner = NULL, lease_until = NULL,
    attempts = CASE attempts WHEN 0 THEN 1 ELSE attempts END
WHERE job_id = ? AND position = ?
"""
_SETTLE_TOGETHER = """
UPDATE job_units SET state = new.state, receipt = new.receipt, checked = new.checked, lease_owner = NULL,
    lease_until = NULL, attempts = CASE attempts WHEN 0 THEN 1 ELSE attempts END
FROM unnest(CAST(? AS integer[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS integer[]))
    AS new(state, receipt, checked, job_id, position)
WHERE job_units.job_id = new.job_id AND job_units.position = new.position
"""
_RUNNING = [state.value for state in RUNNING_STATES]
_COUNTERS = {
    UnitState.DONE: jobs.c.units_done,
    UnitState.ERROR: jobs.c.units_error,
    UnitState.CANCELLED: jobs.c.units_cancelled,
}


class SqlJobReads:
    """The `JobReads` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, job_id: JobId) -> Job | None:
        row = self._connection.execute(sa.select(*_JOB_COLUMNS).where(jobs.c.id == job_id)).one_or_none()
        return None if row is None else _job(row)

    def find_numbered(self, number: int, kind: str) -> Job | None:
        digits = f"{number:016x}"
        prefix = f"{digits[:8]}-{digits[8:12]}-{digits[12:]}-"
        # a range of the key: `.` is the character behind `-`
        found = sa.and_(jobs.c.id > prefix, jobs.c.id < f"{prefix[:-1]}.", jobs.c.kind == kind)
        row = self._connection.execute(sa.select(*_JOB_COLUMNS).where(found).limit(1)).one_or_none()
        return None if row is None else _job(row)

    def states(self, job_ids: Sequence[JobId]) -> Mapping[JobId, tuple[JobState, int]]:
        settled = jobs.c.units_done + jobs.c.units_error + jobs.c.units_cancelled
        query = sa.select(jobs.c.id, jobs.c.state, settled).where(jobs.c.id.in_(job_ids))
        return {JobId(row[0]): (JobState(row[1]), row[2]) for row in self._connection.execute(query)}

    def list_recent(self, caller: Caller, before_id: JobId | None, limit: int) -> Sequence[Job]:
        query = sa.select(*_JOB_COLUMNS).where(jobs.c.state != JobState.STAGING.value)
        if not caller.sees_workspace:
            query = query.where(jobs.c.user_id == caller.user_id)
        if before_id is not None:
            query = query.where(jobs.c.id < before_id)
        return [_job(row) for row in self._connection.execute(query.order_by(jobs.c.id.desc()).limit(limit))]

    def receipts(
        self, job_id: JobId, *, after: int, limit: int, states: Sequence[UnitState] = ()
    ) -> Sequence[UnitReceipt]:
        unit = job_units.c
        query = sa.select(unit.position, unit.state, unit.payload, unit.receipt, unit.attempts).where(
            unit.job_id == job_id, unit.position > after
        )
        if states:
            query = query.where(unit.state.in_([int(s) for s in states]))
        rows = self._connection.execute(query.order_by(unit.position).limit(limit)).all()
        return [UnitReceipt(row[0], UnitState(row[1]), row[2], row[3], row[4]) for row in rows]

    def receipt_texts(self, job_id: JobId, state: UnitState, *, after: int, limit: int) -> Sequence[tuple[int, str]]:
        query = _receipts_of(job_id, state).where(job_units.c.position > after).limit(limit)
        return [(row[0], row[1]) for row in self._connection.execute(query).all()]

    def runnable(self, now_us: int) -> Sequence[Job]:
        query = sa.select(*_JOB_COLUMNS).where(jobs.c.state.in_(_RUNNING)).order_by(jobs.c.priority, jobs.c.created_at)
        return [_job(row) for row in self._connection.execute(query)]

    def waiting_units(self, job: Job, limit: int) -> Sequence[ClaimedUnit]:
        unit = job_units.c
        query = (
            sa.select(unit.position, unit.payload, unit.checked, unit.attempts)
            .where(unit.job_id == job.id, OPEN, unit.state.in_(_states_to_do(job)), unit.lease_owner.is_(None))
            .order_by(unit.state, unit.position)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        return [ClaimedUnit(job.id, position, payload, known, tries) for position, payload, known, tries in rows]

    def count_open(self, job_id: JobId) -> Mapping[UnitState, int]:
        query = (
            sa.select(job_units.c.state, sa.func.count())
            .where(job_units.c.job_id == job_id, OPEN)
            .group_by(job_units.c.state)
        )
        return {UnitState(row[0]): row[1] for row in self._connection.execute(query)}

    def count_between(self, job_id: JobId, first: int, end: int) -> Mapping[UnitState, int]:
        unit = job_units.c
        query = sa.select(unit.state, sa.func.count()).where(
            unit.job_id == job_id, unit.position >= first, unit.position < end
        )
        return {UnitState(row[0]): row[1] for row in self._connection.execute(query.group_by(unit.state))}

    def count_running(self, folder_id: FolderId) -> int:
        query = sa.select(sa.func.count()).where(jobs.c.folder_id == folder_id, jobs.c.state.in_(_RUNNING))
        return self._connection.execute(query).scalar_one()


class SqlJobs(SqlJobReads):
    """The `JobWrites` port."""

    def add(self, job: Job) -> None:
        values = {
            "id": job.id,
            "kind": job.kind,
            "state": job.state.value,
            "priority": job.priority,
            "user_id": job.user_id,
            "folder_id": job.folder_id,
            "dataset_id": job.dataset_id,
            "title": job.title,
            "options": job.options,
            "problems": json.dumps(list(job.problems)),
            "units_total": job.units_total,
            "units_done": job.units_done,
            "units_error": job.units_error,
            "units_cancelled": job.units_cancelled,
            "created_at": job.created_at,
            "finished_at": job.finished_at,
        }
        self._connection.execute(sa.insert(jobs).values(values))

    def add_units(self, job_id: JobId, units: Sequence[tuple[int, UnitState, str, str | None]]) -> None:
        rows = [(job_id, position, int(state), payload, receipt, 0, 0) for position, state, payload, receipt in units]
        insert_many(self._connection, "job_units", _NEW_UNIT_COLUMNS, rows)

    def extend(self, job_id: JobId, units: Sequence[tuple[int, UnitState, str, str | None]]) -> None:
        self.add_units(job_id, units)
        grown = {"units_total": jobs.c.units_total + len(units)}
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(grown))

    def activate(self, job_id: JobId, state: JobState, *, total: int, errors: int) -> None:
        change = {"state": state.value, "units_total": total, "units_error": errors}
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(change))

    def drop_staging(self, older_than_us: int) -> int:
        stale = sa.and_(jobs.c.state == JobState.STAGING.value, jobs.c.created_at < older_than_us)
        ids = [row[0] for row in self._connection.execute(sa.select(jobs.c.id).where(stale))]
        self._connection.execute(sa.delete(job_units).where(job_units.c.job_id.in_(ids)))
        self._connection.execute(sa.delete(jobs).where(jobs.c.id.in_(ids)))
        return len(ids)

    def claim(self, job: Job, *, worker: str, limit: int, now_us: int, lease_us: int) -> Sequence[ClaimedUnit]:
        unit = job_units.c
        free = sa.or_(unit.lease_until.is_(None), unit.lease_until < now_us)
        positions = (
            sa.select(unit.position)
            .where(unit.job_id == job.id, OPEN, unit.state.in_(_states_to_do(job)), free, unit.not_before <= now_us)
            .order_by(unit.state, unit.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        change = {"lease_owner": worker, "lease_until": now_us + lease_us, "attempts": unit.attempts + 1}
        statement = (
            sa.update(job_units)
            .where(unit.job_id == job.id, unit.position.in_(positions))
            .values(change)
            .returning(unit.position, unit.payload, unit.checked, unit.attempts)
        )
        rows = sorted(self._connection.execute(statement).all(), key=lambda row: row[0])
        return [ClaimedUnit(job.id, *row) for row in rows]

    def hold(self, job_id: JobId, worker: str, *, now_us: int, lease_us: int) -> bool:
        free = sa.or_(jobs.c.lease_owner.is_(None), jobs.c.lease_owner == worker, jobs.c.lease_until < now_us)
        statement = (
            sa.update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(_RUNNING), free)
            .values(lease_owner=worker, lease_until=now_us + lease_us)
        )
        return self._connection.execute(statement).rowcount == 1

    def renew(self, worker: str, now_us: int, lease_us: int) -> None:
        mine = sa.and_(_is_in_running_job(), job_units.c.lease_owner == worker)
        self._connection.execute(sa.update(job_units).where(mine).values(lease_until=now_us + lease_us))
        held = sa.and_(jobs.c.state.in_(_RUNNING), jobs.c.lease_owner == worker)
        self._connection.execute(sa.update(jobs).where(held).values(lease_until=now_us + lease_us))

    def release(self, worker: str) -> None:
        free = {"lease_owner": None, "lease_until": None}
        mine = sa.and_(_is_in_running_job(), job_units.c.lease_owner == worker)
        self._connection.execute(sa.update(job_units).where(mine).values(free))
        held = sa.and_(jobs.c.state.in_(_RUNNING), jobs.c.lease_owner == worker)
        self._connection.execute(sa.update(jobs).where(held).values(free))

    def postpone(self, unit: ClaimedUnit, *, not_before_us: int) -> None:
        change = {"lease_owner": None, "lease_until": None, "not_before": not_before_us}
        self._connection.execute(sa.update(job_units).where(_is_unit(unit.job_id, unit.position)).values(change))

    def note(self, unit: ClaimedUnit, receipt: str) -> None:
        is_open = sa.and_(_is_unit(unit.job_id, unit.position), OPEN)
        self._connection.execute(sa.update(job_units).where(is_open).values(receipt=receipt))

    def held(self, job_id: JobId, worker: str, positions: Sequence[int]) -> set[int]:
        if not positions:
            return set()
        unit = job_units.c
        has_job = sa.exists().where(jobs.c.id == job_id, jobs.c.lease_owner == worker)
        is_held = sa.and_(
            unit.job_id == job_id,
            # A range: a thousand bound positions cost more than looking over what lies between.
            unit.position.between(min(positions), max(positions)),
            sa.or_(unit.lease_owner == worker, sa.and_(unit.lease_owner.is_(None), has_job)),
            OPEN,
        )
        count = self._connection.execute(sa.select(sa.func.count()).where(is_held)).scalar_one()
        if count == len(positions) == max(positions) - min(positions) + 1:  # nearly always, without a gap
            return set(positions)
        found = self._connection.execute(sa.select(unit.position).where(is_held))
        return {row[0] for row in found}.intersection(positions)

    def settle(self, job_id: JobId, outcomes: Sequence[UnitOutcome]) -> None:
        rows = [(int(o.state), o.receipt, o.checked, job_id, o.position) for o in outcomes]
        if not rows:
            return
        if not run_together(self._connection, _SETTLE_TOGETHER, rows):
            run_many(self._connection, _SETTLE, rows)
        moved = Counter(o.state for o in outcomes)
        changes = {column: column + moved[state] for state, column in _COUNTERS.items() if moved[state]}
        if changes:
            self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(changes))

    def set_state(
        self, job_id: JobId, state: JobState, *, now_us: int, problems: Sequence[str] = (), reset_done: bool = False
    ) -> None:
        changes: dict[str, object] = {"state": state.value}
        if state.is_final:
            changes |= {"finished_at": now_us, "lease_owner": None, "lease_until": None}
        if problems:
            changes["problems"] = json.dumps(list(problems))
        if reset_done:
            changes["units_done"] = 0
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(changes))

    def cancel_open_units(self, job_id: JobId) -> int:
        is_open = sa.and_(job_units.c.job_id == job_id, OPEN)
        change = {"state": int(UnitState.CANCELLED), "lease_owner": None, "lease_until": None}
        count = self._connection.execute(sa.update(job_units).where(is_open).values(change)).rowcount
        added = {"units_cancelled": jobs.c.units_cancelled + count}
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(added))
        return count

    def cancel_done_units(self, job_id: JobId, positions: Sequence[int]) -> None:
        unit = job_units.c
        is_done = sa.and_(unit.job_id == job_id, unit.position.in_(positions), unit.state == int(UnitState.DONE))
        change = {"state": int(UnitState.CANCELLED), "receipt": None}
        count = self._connection.execute(sa.update(job_units).where(is_done).values(change)).rowcount
        moved = {"units_done": jobs.c.units_done - count, "units_cancelled": jobs.c.units_cancelled + count}
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(moved))

    def abandon_leases(self) -> int:
        held = sa.and_(_is_in_running_job(), job_units.c.lease_owner.is_not(None))
        change = {"lease_owner": None, "lease_until": None}
        self._connection.execute(sa.update(jobs).where(jobs.c.state.in_(_RUNNING)).values(change))
        return self._connection.execute(sa.update(job_units).where(held).values(change)).rowcount

    def reopen(self, job_id: JobId, state: JobState, *, options: str, with_done: bool) -> int:
        settled = [UnitState.ERROR, UnitState.CANCELLED, *([UnitState.DONE] if with_done else [])]
        is_settled = sa.and_(job_units.c.job_id == job_id, job_units.c.state.in_([int(s) for s in settled]))
        change = {"state": int(UnitState.WAITING), "receipt": None, "checked": None, "attempts": 0, "not_before": 0}
        count = self._connection.execute(sa.update(job_units).where(is_settled).values(change)).rowcount
        if not count:
            return 0
        reset: dict[str, object] = {"units_error": 0, "units_cancelled": 0, "finished_at": None, "problems": "[]"}
        reset |= {"state": state.value, "options": options} | ({"units_done": 0} if with_done else {})
        self._connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(reset))
        return count


def _states_to_do(job: Job) -> list[int]:
    states = [UnitState.WAITING] if job.state is JobState.CHECKING else [UnitState.WAITING, UnitState.CHECKED]
    return [int(state) for state in states]


def _is_in_running_job() -> sa.ColumnElement[bool]:
    """Open units of jobs that run: the only ones with leases, and few beside all that were ever registered."""
    running = sa.select(jobs.c.id).where(jobs.c.state.in_(_RUNNING))
    return sa.and_(OPEN, job_units.c.job_id.in_(running))


def _receipts_of(job_id: JobId, state: UnitState) -> sa.Select[Any]:
    unit = job_units.c
    has_receipt = sa.and_(unit.job_id == job_id, unit.state == int(state), unit.receipt.is_not(None))
    return sa.select(unit.position, unit.receipt).where(has_receipt).order_by(unit.position)


def _is_unit(job_id: JobId, position: int) -> sa.ColumnElement[bool]:
    return sa.and_(job_units.c.job_id == job_id, job_units.c.position == position)


def _job(row: Sequence[Any]) -> Job:
    return Job(
        id=JobId(row[0]),
        kind=row[1],
        state=JobState(row[2]),
        priority=row[3],
        user_id=row[4],
        folder_id=row[5],
        dataset_id=row[6],
        title=row[7],
        options=row[8],
        problems=json.loads(row[9]),
        units_total=row[10],
        units_done=row[11],
        units_error=row[12],
        units_cancelled=row[13],
        created_at=row[14],
        finished_at=row[15],
    )
