"""Opens the catalog of a data directory."""

from __future__ import annotations

from pathlib import Path

from framedex.stores.catalog.disk import DiskReserve
from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.migrate import migrate
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
