"""`framedex sync`: a cloud-synced folder follows its bucket, once or again and again."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from framedex.bootstrap import Node
from framedex.cli.options import data_option, opened
from framedex.cli.working import watch_job, working
from framedex.core.access import Caller
from framedex.core.errors import DomainError, NotFound, NotPermitted
from framedex.core.ids import FolderId, JobId
from framedex.core.jobs import Job, JobState
from framedex.services.folder_sync import SyncSummary

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+)([smhd])", value.strip())
    if found is None or int(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is no interval; write a number and s, m, h or d, as 15m")
    return float(int(found[1]) * _UNITS[found[2]])


@click.command("sync")
@click.argument("folder")
@click.option("--user", required=True, help="The email of the user who syncs.")
@click.option(
    "--every",
    default=None,
    callback=_seconds,
    metavar="INTERVAL",
    help="Syncs again and again, so long after the last one began: 30s, 15m, 2h, 1d.",
)
@data_option
def sync(folder: str, user: str, every: float | None, data: Path | None) -> None:
    """Brings FOLDER, a cloud-synced folder by UUID or name, in step with its bucket.

    New objects become items, vanished ones tombstones, changed ones are read anew; sidecars become metadata where the
    folder is set up for them. Stopped, it goes on where it was. Beside a running server, the server does the work and
    this command watches.
    """
    while True:
        began = time.monotonic()
        is_good = _round(data, user, folder, is_last=every is None)
        if every is None:
            break
        time.sleep(max(0.0, began + every - time.monotonic()))
    if not is_good:
        sys.exit(1)


def _round(data: Path | None, user: str, folder: str, *, is_last: bool) -> bool:
    """One sync; whether all of it went well. What another try may mend ends nothing, unless this is the last."""
    try:
        with opened(data) as node:
            caller = node.services.imports.caller_by_email(user)
            target = node.services.imports.folder(caller, folder, is_made=False)
            if target is None:
                raise NotFound(f"There is no folder {folder!r} that {user} may use.")
            with working(node) as check:
                job = watch_job(node, _begin(node, caller, target.id, check), check)
            click.echo(_verdict(job, node.services.folder_sync.summary(job.id)))
    except (NotFound, NotPermitted):
        raise
    except DomainError as error:
        if is_last:
            raise
        click.echo(f"Error: {error.message}", err=True)
        return False
    return job.state is JobState.DONE and not job.units_error


def _begin(node: Node, caller: Caller, folder_id: FolderId, check: Callable[[], None]) -> JobId:
    """A sync that runs already comes to its end first: it may have listed before what is wanted now was there."""
    earlier = node.services.folder_sync.running(caller, folder_id)
    if earlier is not None:
        click.echo(f"going on with the sync {earlier}", err=True)
        watch_job(node, earlier, check)
    return node.services.folder_sync.start(caller, folder_id)


def _verdict(job: Job, found: SyncSummary) -> str:
    if job.state is JobState.ERROR:
        return f"the bucket could not be listed: {'; '.join(job.problems) or 'see framedex jobs show ' + job.id}"
    counts = (
        f"{found.new} new, {found.changed} changed, {found.vanished} vanished, {found.restored} restored, "
        f"{found.sidecars} sidecars new or changed, {found.lost_sidecars} gone; {found.unchanged} unchanged"
    )
    left_out = f"; left out, their endings tell no kind: {found.left_out}" if found.left_out else ""
    failed = f"; failed: {job.units_error}" if job.units_error else ""
    is_cancelled = job.state is JobState.CANCELLED
    return f"{'cancelled after' if is_cancelled else 'synced:'} {counts}{left_out}{failed}"
