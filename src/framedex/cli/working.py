"""Work that a command asks for: done in its own process, or watched where a server does it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from framedex.bootstrap import Node, held
from framedex.cli.jobs import failure, iter_units
from framedex.core.errors import Conflict, Unavailable
from framedex.core.ids import JobId
from framedex.core.jobs import Job, JobState, UnitState
from framedex.directory_lock import is_served
from framedex.services.jobs import OPERATOR_CALLER

_POLL_S = 0.25
_SHOWN = 20


@contextmanager
def working(node: Node) -> Iterator[Callable[[], None]]:
    """While it is entered, somebody does the work: this process, or the server that holds the directory.

    Answers a check that refuses once nobody does any more.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(node.settings))
        except Conflict:
            click.echo("a server holds the data directory and does the work", err=True)
            yield lambda: _require_server(node)
            return
        if node.settings.database_url is None:
            node.services.jobs.abandon_leases()
        node.runner.start()
        stack.callback(node.runner.stop)
        yield lambda: None


def _require_server(node: Node) -> None:
    if not is_served(node.settings.data):
        raise Unavailable("The server that did the work has stopped; run the same command again to go on.")


def watch_job(node: Node, job_id: JobId, check: Callable[[], None]) -> Job:
    """Shows progress until the job ends."""
    click.echo(f"job {job_id}")
    is_terminal = sys.stderr.isatty()
    while True:
        found = node.services.jobs.get_job(OPERATOR_CALLER, job_id)
        job = found.job
        if is_terminal:
            done = found.checked if job.state is JobState.CHECKING else job.units_done
            click.echo(
                f"\r{job.state.value}: {done} of {job.units_total}, {job.units_error} failed ", nl=False, err=True
            )
        if job.state.is_final:
            break
        check()
        time.sleep(_POLL_S)
    if is_terminal:
        click.echo(err=True)
    for number, unit in enumerate(iter_units(node, job_id, [UnitState.ERROR])):
        if number == _SHOWN:
            click.echo(f"and more: framedex jobs units {job_id} --state error", err=True)
            break
        click.echo(failure(unit), err=True)
    return job
