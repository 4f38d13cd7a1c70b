"""Jobs: progress, a receipt for each unit, cancel, retry."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from framedex.core.ids import JobId, parse_id
from framedex.core.jobs import UnitState
from framedex.webapi.answers import job_out, unit_out
from framedex.webapi.context import Context, CurrentCaller, Cursor, Limit
from framedex.webapi.cursors import ListCursor
from framedex.webapi.schemas import CountOut, JobOut, JobsOut, UnitsOut

router = APIRouter(prefix="/jobs", tags=["jobs"])

UnitStateName = Literal["waiting", "checked", "done", "error", "cancelled"]


@router.get("")
def list_jobs(context: Context, caller: CurrentCaller, limit: Limit = 100, cursor: Cursor = None) -> JobsOut:
    """The caller's jobs, newest first; with `include_org_access` an admin of the workspace sees all."""
    position = ListCursor(context.cursors, "jobs", caller.user_id, int(caller.sees_workspace))
    texts = position.texts(cursor, 1)
    before = None if texts is None else JobId(texts[0])
    found = context.services.jobs.list_jobs(caller, before=before, limit=limit + 1)
    following = position.after(found[limit - 1].id) if len(found) > limit else None
    return JobsOut(jobs=[job_out(job) for job in found[:limit]], next_cursor=following)


@router.get("/{job}")
def get_job(context: Context, caller: CurrentCaller, job: str) -> JobOut:
    """One job."""
    found = context.services.jobs.get_job(caller, _id(job))
    return job_out(found.job, found.checked)


@router.get("/{job}/units")
def list_units(
    context: Context,
    caller: CurrentCaller,
    job: str,
    state: Annotated[list[UnitStateName] | None, Query(description="Only units in these states.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> UnitsOut:
    """Units in the order of the manifest, each with its receipt."""
    names = sorted(set(state or ()))
    position = ListCursor(context.cursors, "units", _id(job), *names)
    last = position.number(cursor)
    found = context.services.jobs.list_units(
        caller,
        _id(job),
        after=-1 if last is None else last,
        limit=limit + 1,
        states=[UnitState[name.upper()] for name in names],
    )
    following = position.after(found[limit - 1].position) if len(found) > limit else None
    return UnitsOut(units=[unit_out(unit) for unit in found[:limit]], next_cursor=following)


@router.post("/{job}/cancel")
def cancel(context: Context, caller: CurrentCaller, job: str, response: Response) -> CountOut:
    """Cancels what is not done yet; answers how many units."""
    count, seq = context.written(lambda: context.services.jobs.cancel(caller, _id(job)))
    return _counted(response, count, seq)


@router.post("/{job}/retry")
def retry(context: Context, caller: CurrentCaller, job: str, response: Response) -> CountOut:
    """Puts failed and cancelled units back to work; answers how many. 409 while the job still runs."""
    count, seq = context.written(lambda: context.services.jobs.retry(caller, _id(job)))
    return _counted(response, count, seq)


def _counted(response: Response, count: int, seq: int | None) -> CountOut:
    if seq is not None:
        response.headers["X-Framedex-Seq"] = str(seq)
    return CountOut(units=count)


def _id(text: str) -> JobId:
    return JobId(parse_id(text, path="path.job"))
