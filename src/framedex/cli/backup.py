"""`framedex backup` and `framedex restore`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from framedex.bootstrap import backups, require_sqlite
from framedex.cli.options import data_option, settings_of


@click.command("backup")
@click.argument("out", type=click.Path(path_type=Path))
@data_option
def backup(out: Path, data: Path | None) -> None:
    """Writes a backup to the new directory OUT, also while the data directory is served.

    On the same file system objects are hard links, which take no space and do not survive the disk: copy OUT away.
    """
    settings = settings_of(data)
    require_sqlite(settings, "backup")
    report = backups().backup(settings.data, out)
    click.echo(f"{out}: change {report.seq}, {report.objects} objects, {report.size_bytes} bytes")
    for key in report.missing:
        click.echo(f"an item names the object {key}, which is not on the disk", err=True)
    click.echo(
        f"The secret key is left out: keep a copy of {shlex.quote(str(settings.secret_path))} apart from the backup. "
        "Without it a restored server makes a new one, and signed addresses and stored credentials end."
    )


@click.command("restore")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path, exists=True, file_okay=False))
@data_option
def restore(source: Path, data: Path | None) -> None:
    """Makes the new data directory DIR of the backup FROM; every checksum is verified first."""
    settings = settings_of(data)
    require_sqlite(settings, "restore")
    report = backups().restore(source, settings.data)
    click.echo(f"{settings.data}: change {report.seq}, {report.objects} objects, {report.size_bytes} bytes")
    for key in report.missing:
        click.echo(f"the object {key} was missing when the backup was made", err=True)
    click.echo(f"Put the secret key back before serving: {shlex.quote(str(settings.secret_path))} (mode 0600).")
