"""Opens the catalog: a SQLite file of the data directory, or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from framedex.stores.catalog.disk import DiskReserve
from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.migrate import migrate
from framedex.stores.catalog.postgres import postgres_engine, reachable
from framedex.stores.catalog.transfer import copy_catalog
from framedex.stores.catalog.unit_of_work import SqlCatalog


def open_sqlite(path: Path, *, reserve_bytes: int = 0) -> SqlCatalog:
    """The catalog in one SQLite file, created and upgraded as needed.

    Writes are refused while less than `reserve_bytes` of the disk are free; see `Catalog.write`.

    Raises:
        Conflict: the file was written by a newer Framedex.
    """
    writer = sqlite_engine(path, for_writing=True)
    migrate(writer)
    reader = sqlite_engine(path, for_writing=False)
    return SqlCatalog(reader, writer, DiskReserve(path.parent, reserve_bytes), sqlite_file=path)


def open_postgres(url: str) -> SqlCatalog:
    """The catalog in a PostgreSQL database, created and upgraded as needed; any number of processes may have it open.

    Raises:
        InvalidArguments: `url` is no address of a database. Unavailable: it does not answer.
        Conflict: the database was written by a newer Framedex.
    """
    writer = postgres_engine(url, for_writing=True)
    with reachable():
        migrate(writer)
    return SqlCatalog(postgres_engine(url, for_writing=False), writer, None)


def move_to_postgres(path: Path, url: str) -> Mapping[str, int]:
    """Copies a SQLite catalog into an empty PostgreSQL database, and compares every row; answers rows by table.

    Raises:
        Conflict: the database has rows, or does not read back as it was written; then nothing is kept.
    """
    source, target = sqlite_engine(path, for_writing=True), postgres_engine(url, for_writing=True)
    try:
        migrate(source)
        with reachable():
            return copy_catalog(source, target)
    finally:
        source.dispose()
        target.dispose()
