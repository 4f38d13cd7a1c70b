"""A copy of a PostgreSQL catalog as of one moment, in a SQLite file: what a backup of either database holds.

So one backup restores into either, and moving back from PostgreSQL is a backup and a restore.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from framedex.core.errors import Conflict, StorageFull
from framedex.core.ports.upkeep import CatalogCopy, Keys
from framedex.stores.catalog.backup import own_keys, read_copy, sync_file
from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.migrate import HEAD, current_revision
from framedex.stores.catalog.postgres import postgres_engine, reachable
from framedex.stores.catalog.transfer import copy_rows


def copy_postgres(url: str, target: Path, hold: Callable[[Keys], None]) -> CatalogCopy:
    """Copies a catalog from one snapshot of its database; `target` must not exist. Writers wait only while `hold` runs.

    Raises:
        Unavailable: the database does not answer. Conflict: its tables are not of this version of Framedex.
        StorageFull: no room for the copy.
    """
    writer, reader = postgres_engine(url, for_writing=True), postgres_engine(url, for_writing=False)
    copy = sqlite_engine(target, for_writing=True)
    try:
        with reachable():
            _require_current(reader)
            with reader.connect() as reading, reading.begin():
                with writer.connect() as line, line.begin():
                    # The first read fixes the moment that this transaction, and with it the copy, sees.
                    hold(own_keys(reading.exec_driver_sql))
                copy_rows(reading, copy)
    except sa.exc.OperationalError as error:  # of the copy: those of the other side are translated
        raise StorageFull(f"The copy of the catalog cannot be written: {error.orig}.") from error
    finally:
        for engine in (writer, reader, copy):
            engine.dispose()
    with closing(sqlite3.connect(target)) as connection:
        # One file, without a WAL beside it; a server sets WAL mode again when it opens the catalog.
        connection.execute("PRAGMA journal_mode=DELETE")
    sync_file(target)
    return read_copy(target)


def _require_current(engine: sa.Engine) -> None:
    revision = current_revision(engine)
    if revision is None:
        raise Conflict("There is no catalog in this database yet: `framedex serve` makes it.")
    if revision != HEAD:
        raise Conflict(
            f"The tables in this database have the revision {revision}, and this Framedex copies {HEAD}: use the "
            "version that serves it, or upgrade it first by `framedex serve`."
        )
