"""The catalog that a test runs on: SQLite, or with FRAMEDEX_TEST_DATABASE=postgresql a PostgreSQL of the tests' own.

Each data directory has its own database. The PostgreSQL server is started once for each process of the test run.
"""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from framedex.stores.catalog.catalog import open_postgres, open_sqlite
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.postgres import Cluster, running_postgres

ON_POSTGRES = os.environ.get("FRAMEDEX_TEST_DATABASE", "sqlite") == "postgresql"

_urls: dict[Path, str] = {}


@cache
def cluster() -> Cluster:
    """The PostgreSQL server of this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgres())


def database_url(data: Path) -> str | None:
    """The database of a data directory; None where it is the directory's own SQLite file."""
    if not ON_POSTGRES:
        return None
    if data not in _urls:
        _urls[data] = cluster().new_database()
    return _urls[data]


def environment(data: Path) -> dict[str, str]:
    """What tells a command of Framedex which database `data` has."""
    url = database_url(data)
    return {} if url is None else {"FRAMEDEX_DATABASE_URL": url}


def open_catalog(data: Path) -> SqlCatalog:
    """The catalog of a data directory."""
    url = database_url(data)
    return open_sqlite(data / "catalog.db") if url is None else open_postgres(url)


#: For tests that look into the SQLite file itself.
only_on_sqlite = pytest.mark.skipif(ON_POSTGRES, reason="looks into the SQLite file")
