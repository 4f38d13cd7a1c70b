"""A copy of the SQLite catalog as of one moment, made while others write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from framedex.core.errors import InvalidArguments, NotFound, Unavailable
from framedex.core.ports.upkeep import CatalogCopy, Keys

#: Seconds to wait for other writers.
_PATIENCE_S = 60.0


def copy_sqlite(source: Path, target: Path, hold: Callable[[Keys], None]) -> CatalogCopy:
    """Copies a catalog with SQLite's online backup; `target` must not exist.

    All pages are copied in one step: that is one read transaction, so the copy is of one moment, and in WAL mode it
    holds up no writer. (Copied in several steps, a backup begins anew at each write of another process, and under a
    steady load never ends.) Writers wait only while `hold` runs.

    Raises:
        NotFound: there is no catalog. Unavailable: it cannot be read or the copy is not whole.
    """
    if not source.is_file():
        raise NotFound(f"There is no catalog {source}; name a data directory with --data.")
    try:
        with closing(_read_only(source)) as reader, closing(sqlite3.connect(target)) as copy:
            reader.execute("BEGIN")
            with _writers_waiting(source):
                # The first read fixes the moment that this transaction, and with it the copy, sees.
                hold(own_keys(reader.execute))
            reader.backup(copy, pages=-1)
            # One file, without a WAL beside it; a server sets WAL mode again when it opens the catalog.
            copy.execute("PRAGMA journal_mode=DELETE")
            facts = _facts(copy)
    except sqlite3.Error as error:
        raise Unavailable(f"The catalog {source} cannot be copied: {error}. Run `framedex doctor`.") from error
    sync_file(target)
    return facts


@contextmanager
def _writers_waiting(source: Path) -> Iterator[None]:
    with closing(sqlite3.connect(source, isolation_level=None, timeout=_PATIENCE_S)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.execute("ROLLBACK")


def read_copy(path: Path) -> CatalogCopy:
    """What a copy says of itself.

    Raises:
        InvalidArguments: it is no whole catalog.
    """
    try:
        with closing(_read_only(path)) as copy:
            return _facts(copy)
    except (sqlite3.Error, Unavailable) as error:
        raise InvalidArguments(f"{path} is not a whole catalog: {error}") from None


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=_PATIENCE_S)


def _facts(copy: sqlite3.Connection) -> CatalogCopy:
    verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Unavailable(f"the database is damaged: {verdict}")
    seq = copy.execute("SELECT coalesce(max(seq), 0) FROM change_log").fetchone()[0]
    revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return CatalogCopy(seq=seq, revision=revision, object_keys=own_keys(copy.execute))


def own_keys(execute: Callable[[str], Iterable[Any]]) -> dict[str, bool]:
    """Our own objects that a catalog names, and whether each must be there."""
    keys = {row[0]: False for row in execute("SELECT object_key FROM uploads")}
    keys.update((row[0], True) for row in execute("SELECT object_key FROM items WHERE object_key IS NOT NULL"))
    return keys


def sync_file(path: Path) -> None:
    """Waits until the disk has a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
