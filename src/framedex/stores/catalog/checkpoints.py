"""Moves what was committed from the WAL into the database file, beside the writers."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from framedex.stores.catalog.engine import WriterLine

_log = logging.getLogger(__name__)

#: Half a second of an import is about 30 MB of WAL; of single writes it is nothing.
_EVERY_S = 0.5
#: Pages (16 MiB) above which writers are held for a moment, so that the rest is moved and the WAL begins anew.
_LONG = 4000


class Checkpoints:
    """A thread that checkpoints while there are commits.

    SQLite does it in the commit that finds the WAL long: one writer, and everybody in line behind it, then waits for
    tens of megabytes. Here nobody waits but for what was written in the last moment. The thread starts with the first
    commit; SQLite's own threshold stays behind it (`engine`).
    """

    def __init__(self, path: Path, line: WriterLine) -> None:
        self._path = path
        self._line = line
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def committed(self) -> None:
        """Tells that there is something to move."""
        if self._thread is None:
            self._start()
        self._wanted.set()

    def _start(self) -> None:
        with self._guard:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="framedex-checkpoints", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ends the thread. What it has not moved, SQLite moves when the last connection closes."""
        with self._guard:
            self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        try:
            while not self._ended.wait(_EVERY_S):
                self._wanted.wait()
                self._wanted.clear()
                if not self._ended.is_set():
                    self._move(connection)
        finally:
            connection.close()

    def _move(self, connection: sqlite3.Connection) -> None:
        try:
            if _checkpoint(connection) > _LONG:
                with self._line.turn():
                    _checkpoint(connection)
        except sqlite3.Error as error:  # a full disk, say: the WAL keeps everything, and it is tried again
            _log.warning("the WAL was not moved into the database: %s", error)


def _checkpoint(connection: sqlite3.Connection) -> int:
    """Moves what no reader still needs from the WAL; answers how many pages the WAL has."""
    _busy, pages, _moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
