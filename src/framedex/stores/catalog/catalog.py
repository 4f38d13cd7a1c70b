"""Opens the catalog of a data directory."""

from __future__ import annotations

from pathlib import Path

from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.migrate import migrate
from framedex.stores.catalog.unit_of_work import SqlCatalog


def open_sqlite(path: Path) -> SqlCatalog:
    """The catalog in one SQLite file, created and upgraded as needed.

    Raises:
        Conflict: the file was written by a newer Framedex.
    """
    writer = sqlite_engine(path, for_writing=True)
    migrate(writer)
    return SqlCatalog(sqlite_engine(path, for_writing=False), writer)
