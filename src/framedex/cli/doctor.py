"""`framedex doctor`: what is not as it should be, and how to mend it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from framedex.bootstrap import doctor as open_doctor
from framedex.cli.options import data_option, settings_of


@click.command("doctor")
@click.option("--mend", is_flag=True, help="Mends the folder tree and drops what is left of lost items, then checks.")
@data_option
def doctor(data: Path | None, *, mend: bool) -> None:
    """Checks a data directory, also while it is served. Exits with 1 when something is wrong.

    Without --mend it changes nothing.
    """
    settings = settings_of(data)
    service = open_doctor(settings)
    if mend:
        service.mend()
    count = 0
    for finding in service.findings():
        count += 1
        click.echo(f"{finding.check}: {finding.message}\n  to mend: {finding.mend}")
    if count:
        click.echo(f"{count} findings")
        sys.exit(1)
    for what in service.left_out:
        click.echo(f"not looked at: {what}")
    click.echo("all is well")
