"""Generations of the index: each build is a file of its own, and a small file names the current one.

The engine takes a third of a second to load, so commands that ask it nothing do without.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from framedex.core.ports.index import Index
from framedex.stores.index.resources import Resources, Unusable

__all__ = ["DuckFiles", "Resources"]

_log = logging.getLogger("framedex.index")

_POINTER = "current"
_ENDING = ".duckdb"


class DuckFiles:
    """Implements `framedex.core.ports.index.IndexFiles` in a directory that its process has for itself."""

    def __init__(self, directory: Path, resources: Resources | None = None) -> None:
        self._directory = directory
        self._resources = resources or Resources()

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

        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
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
