"""`framedex move-to-postgresql`: from the SQLite file of a data directory to a database that processes share."""

from __future__ import annotations

from pathlib import Path

import click

from framedex.bootstrap import move_catalog
from framedex.cli.options import data_option, settings_of
from framedex.core.errors import InvalidArguments


@click.command("move-to-postgresql")
@data_option
def move_to_postgresql(data: Path | None) -> None:
    """Copies the catalog of DIR into an empty PostgreSQL database, and compares every row.

    The server of DIR must be stopped. The SQLite file stays as it is; objects and the secret key stay in DIR.
    """
    settings = settings_of(data)
    if settings.database_url is None:
        raise InvalidArguments("Name the empty database with --database-url or FRAMEDEX_DATABASE_URL.")
    counts = move_catalog(settings, settings.database_url)
    for table, count in counts.items():
        if count:
            click.echo(f"{table}: {count} rows, read back alike")
    click.echo("Serve it with: framedex serve, the same --data, and the --database-url of this command")
