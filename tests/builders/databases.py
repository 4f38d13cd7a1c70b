"""The catalog that a test runs on: SQLite, or with FRAMEDEX_TEST_DATABASE=postgresql a PostgreSQL of the tests' own.

Each data directory has its own database. The PostgreSQL server is started once for each process of the test run.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from framedex.settings import Settings, load_settings
from framedex.stores.catalog.catalog import open_postgres, open_sqlite
from framedex.stores.catalog.tables import metadata
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.postgres import Cluster, running_postgres

ON_POSTGRES = os.environ.get("FRAMEDEX_TEST_DATABASE", "sqlite") == "postgresql"

#: Rows of a catalog by table.
Rows = dict[str, set[tuple[object, ...]]]

_urls: dict[Path, str] = {}


@cache
def cluster() -> Cluster:
    """The PostgreSQL server of this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgres())


@cache
def _made() -> str:
    """A database whose tables are there: copying it takes a tenth of making them."""
    url = cluster().new_database()
    open_postgres(url).close()
    return url


def database_url(data: Path) -> str | None:
    """The database of a data directory; None where it is the directory's own SQLite file."""
    if ON_POSTGRES and data not in _urls:
        _urls[data] = cluster().new_database(like=_made())
    return _urls.get(data)


def assign(data: Path, url: str) -> None:
    """Gives a data directory this database, whatever the other tests run on."""
    _urls[data] = url


def environment(data: Path) -> dict[str, str]:
    """What tells a command of Framedex which database `data` has."""
    url = database_url(data)
    return {} if url is None else {"FRAMEDEX_DATABASE_URL": url}


def settings_of(data: Path, **others: str) -> Settings:
    """The settings of a process on a data directory and its database."""
    return load_settings(data=data, environment={**environment(data), **others})


def open_catalog(data: Path) -> SqlCatalog:
    """The catalog of a data directory."""
    url = database_url(data)
    return open_sqlite(data / "catalog.db") if url is None else open_postgres(url)


@contextmanager
def connected(data: Path) -> Iterator[sa.Connection]:
    """A transaction on the database of a data directory, behind the catalog's back; no foreign key is checked."""
    url = database_url(data)
    address = f"sqlite:///{data / 'catalog.db'}" if url is None else url.replace("postgresql:", "postgresql+psycopg:")
    engine = sa.create_engine(address)
    try:
        with engine.begin() as connection:
            if url is not None:
                connection.exec_driver_sql("SET session_replication_role = replica")
            yield connection
    finally:
        engine.dispose()


def change(data: Path, statement: str, **values: object) -> int:
    """Runs one statement in `connected`; answers how many rows it changed."""
    with connected(data) as connection:
        return connection.execute(sa.text(statement), values).rowcount


def rows_of(data: Path) -> Rows:
    """All rows of all tables."""
    with connected(data) as connection:
        return {t.name: {tuple(row) for row in connection.execute(sa.select(t))} for t in metadata.sorted_tables}


#: For tests that look into the SQLite file itself.
only_on_sqlite = pytest.mark.skipif(ON_POSTGRES, reason="looks into the SQLite file")

#: For tests of the lock by which one server has a directory alone; a database in PostgreSQL is one that servers share.
holds_the_directory = pytest.mark.skipif(ON_POSTGRES, reason="servers share a PostgreSQL, so none holds the directory")

#: For tests that fill the disk of the data directory.
disk_has_the_catalog = pytest.mark.skipif(ON_POSTGRES, reason="a PostgreSQL has a disk of its own")
