"""Generations of the index: each build is a file of its own, and a small file names the current one.

The engine takes a third of a second to load, so commands that ask it nothing do without.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import IO

from framedex.core.errors import Unavailable
from framedex.core.ports.index import Index
from framedex.stores.index.resources import Resources, Unusable

__all__ = ["DuckFiles", "Resources"]

_log = logging.getLogger("framedex.index")

_POINTER = "current"
_LOCK = "lock"
_MOST_PROCESSES = 64
_ENDING = ".duckdb"


class DuckFiles:
    """Implements `framedex.core.ports.index.IndexFiles` in a directory that it has for itself.

    Processes that share a data directory each keep an index of their own: the second takes the name with `-2` behind
    it, and so on. A lock says which are taken; it ends with the process.
    """

    def __init__(self, directory: Path, resources: Resources | None = None) -> None:
        self._wanted = directory
        self._resources = resources or Resources()
        self._lock: IO[str] | None = None

    @cached_property
    def _directory(self) -> Path:
        for number in range(1, _MOST_PROCESSES + 1):
            name = self._wanted.name if number == 1 else f"{self._wanted.name}-{number}"
            directory = self._wanted.with_name(name)
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(directory / _LOCK)
            if self._lock is not None:
                return directory
        raise Unavailable(f"{_MOST_PROCESSES} processes have an index beside {self._wanted} already")

    @property
    def is_first(self) -> bool:
        """Whether no other process has the index that this data directory begins with."""
        return self._directory == self._wanted

    def current(self) -> Index | None:
        name = self._name()
        if name is None or not (self._directory / name).is_file():
            return None
        from framedex.stores.index.index import DuckIndex

        try:
            return DuckIndex(self._directory / name, self._resources)
        except Unusable as error:
            _log.warning("the index is built anew: its file cannot be used (%s)", str(error).splitlines()[0])
            return None

    def create(self) -> Index:
        from framedex.stores.index.index import DuckIndex

        self._remove_all_but(self._name())
        numbers = [int(path.stem) for path in self._directory.glob(f"*{_ENDING}") if path.stem.isdecimal()]
        return DuckIndex(self._directory / f"{max(numbers, default=0) + 1:06d}{_ENDING}", self._resources)

    def adopt(self, index: Index) -> None:
        from framedex.stores.index.index import DuckIndex

        assert isinstance(index, DuckIndex), "made by `create`"
        draft = self._directory / f"{_POINTER}.new"
        with draft.open("w") as file:
            file.write(index.path.name)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._directory / _POINTER)
        # Readers of the one before go on: its file is there for them until they close it.
        self._remove_all_but(index.path.name)

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _name(self) -> str | None:
        try:
            return (self._directory / _POINTER).read_text().strip() or None
        except FileNotFoundError:
            return None

    def _remove_all_but(self, name: str | None) -> None:
        for path in self._directory.glob(f"*{_ENDING}*"):
            if name is not None and path.name.startswith(name):
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _locked(path: Path) -> IO[str] | None:
    """The file with the lock on it, or None where another process has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
