"""`framedex backup` and `framedex restore`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from framedex.bootstrap import backups
from framedex.cli.options import data_option, settings_of


@click.command("backup")
@click.argument("out", type=click.Path(path_type=Path))
@data_option
def backup(out: Path, data: Path | None) -> None:
    """Writes a backup to the new directory OUT, also while the data directory is served.

    A catalog in PostgreSQL is copied from one snapshot of it, as a file that restores into either database.
    On the same file system objects are hard links, which take no space and do not survive the disk: copy OUT away.
    """
    settings = settings_of(data)
    report = backups(settings).backup(settings.data, out)
    click.echo(f"{out}: change {report.seq}, {report.objects} objects, {report.size_bytes} bytes")
    for key in report.missing:
        click.echo(f"an item names the object {key}, which is not on the disk", err=True)
    if settings.blobs is not None:
        click.echo(
            f"Objects of our own (uploads, encoded videos) lie in {settings.blobs.url} and are not in this copy: let "
            "the bucket keep versions, or copy it after this backup."
        )
    click.echo(
        f"The secret key is left out: keep a copy of {shlex.quote(str(settings.secret_path))} apart from the backup. "
        "Without it a restored server makes a new one, and signed addresses and stored credentials end."
    )


@click.command("restore")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path, exists=True, file_okay=False))
@data_option
def restore(source: Path, data: Path | None) -> None:
    """Makes the new data directory DIR of the backup FROM; every checksum is verified first.

    With a database address the catalog goes into that database, which must be empty; else into a file of DIR. It does
    not matter which of the two the backup was made of.
    """
    settings = settings_of(data)
    report = backups(settings).restore(source, settings.data)
    click.echo(f"{settings.data}: change {report.seq}, {report.objects} objects, {report.size_bytes} bytes")
    for key in report.missing:
        click.echo(f"the object {key} was missing when the backup was made", err=True)
    if settings.blobs is not None:
        click.echo(f"Objects of our own were not in the backup; they are read from {settings.blobs.url}.")
    click.echo(f"Put the secret key back before serving: {shlex.quote(str(settings.secret_path))} (mode 0600).")
