"""Connections: pragmas, transactions, and the line in which writers wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

READER_POOL = 16

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL syncs the WAL at each commit: an acknowledged write survives power loss.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    # LIKE as PostgreSQL has it; substring search lowers both sides itself.
    "PRAGMA case_sensitive_like=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
    # Each connection maps the file anew, and each mapping counts as memory of the process.
    "PRAGMA mmap_size=67108864",
    # Far behind the thread that moves the WAL meanwhile (`checkpoints`): 64 MiB.
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA journal_size_limit=134217728",
)


def sqlite_engine(path: Path, *, for_writing: bool) -> Engine:
    """An engine on one database file; the writing one has a single connection and begins IMMEDIATE."""
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        pool_size=1 if for_writing else READER_POOL,
        max_overflow=0,
        pool_timeout=60,
        # Each connection has a cache and a mapping of its own: those used last are used again, and no more than needed.
        pool_use_lifo=True,
        connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 512},
    )

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    begin = "BEGIN IMMEDIATE" if for_writing else "BEGIN"

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class WriterLine:
    """A lock that serves waiters in the order of arrival, so that a stream of batches never starves a PATCH."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for the turn; passes it on at the end."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    def _acquire(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        ticket.acquire()

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
