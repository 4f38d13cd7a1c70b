"""`framedex jobs`: what is being done, what became of each unit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from framedex.bootstrap import Node
from framedex.cli.options import data_option, opened
from framedex.core.clock import to_iso
from framedex.core.ids import JobId, parse_id
from framedex.core.jobs import Job, UnitReceipt, UnitState
from framedex.core.registration import decode_unit
from framedex.services.jobs import OPERATOR_CALLER

_PAGE = 1000


@click.group()
def jobs() -> None:
    """Work in progress, and what became of it."""


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Jobs shown, newest first.")
@data_option
def list_jobs(limit: int, data: Path | None) -> None:
    """Lists jobs of all users, newest first."""
    with opened(data) as node:
        found = node.services.jobs.list_jobs(OPERATOR_CALLER, before=None, limit=limit)
    for job in found:
        click.echo(summary(job))


def summary(job: Job) -> str:
    """One line about a job."""
    counts = f"{job.units_done} done, {job.units_error} failed, {job.units_cancelled} cancelled of {job.units_total}"
    return f"{job.id}  {job.state.value:<9}  {to_iso(job.created_at)[:19]}Z  {counts}  {job.title}".rstrip()


@jobs.command("show")
@click.argument("job")
@data_option
def show(job: str, data: Path | None) -> None:
    """Shows JOB with its first failed units."""
    job_id = JobId(parse_id(job))
    with opened(data) as node:
        found = node.services.jobs.get_job(OPERATOR_CALLER, job_id)
        failed = node.services.jobs.list_units(OPERATOR_CALLER, job_id, after=-1, limit=20, states=[UnitState.ERROR])
    click.echo(summary(found.job))
    if not found.job.state.is_final:
        click.echo(f"  {found.job.units_pending} to do, of which {found.checked} are checked")
    for problem in found.job.problems:
        click.echo(f"  {problem}")
    for unit in failed:
        click.echo(f"  {failure(unit)}")


def failure(unit: UnitReceipt) -> str:
    """One line about a unit that failed."""
    receipt = json.loads(unit.receipt or "{}")
    return f"{decode_unit(unit.payload).path}: {receipt.get('error', 'failed')}"


@jobs.command("units")
@click.argument("job")
@click.option("--state", type=click.Choice([s.name.lower() for s in UnitState]), help="Only units in this state.")
@data_option
def units(job: str, state: str | None, data: Path | None) -> None:
    """Prints the units of JOB with their receipts, one JSON object a line, in the order of the manifest."""
    states = [] if state is None else [UnitState[state.upper()]]
    with opened(data) as node:
        for unit in iter_units(node, JobId(parse_id(job)), states):
            click.echo(json.dumps(_shown(unit), ensure_ascii=False))


def iter_units(node: Node, job_id: JobId, states: list[UnitState]) -> Iterator[UnitReceipt]:
    """All units of a job in these states (all states when empty)."""
    after = -1
    while True:
        page = node.services.jobs.list_units(OPERATOR_CALLER, job_id, after=after, limit=_PAGE, states=states)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].position


def _shown(unit: UnitReceipt) -> dict[str, object]:
    wanted = decode_unit(unit.payload)
    return {
        "position": unit.position,
        "state": unit.state.name.lower(),
        "attempts": unit.attempts,
        "type": wanted.item_type.value,
        "path": wanted.path,
        "urls": [ref.url for ref in wanted.objects],
        "receipt": None if unit.receipt is None else json.loads(unit.receipt),
    }


@jobs.command("cancel")
@click.argument("job")
@data_option
def cancel(job: str, data: Path | None) -> None:
    """Cancels what is not done yet of JOB."""
    with opened(data) as node:
        count = node.services.jobs.cancel(OPERATOR_CALLER, JobId(parse_id(job)))
    click.echo(f"{count} units cancelled")


@jobs.command("retry")
@click.argument("job")
@data_option
def retry(job: str, data: Path | None) -> None:
    """Puts the failed and cancelled units of JOB back to work; a server does it."""
    with opened(data) as node:
        count = node.services.jobs.retry(OPERATOR_CALLER, JobId(parse_id(job)))
    click.echo(f"{count} units wait to be done")
