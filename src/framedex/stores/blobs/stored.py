"""Our own objects as `framedex doctor` looks at them: what is there, since when, and how to mend it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from framedex.core.errors import NotFound
from framedex.stores.blobs.cloud.own import BucketBlobs


class DiskStored:
    """The `StoredObjects` of a folder, which need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        return "the disk"

    def iter_dated(self) -> Iterator[tuple[str, float]]:
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder) / name
                try:
                    yield path.relative_to(self._folder).as_posix(), path.stat().st_mtime
                except FileNotFoundError:
                    continue

    def holds(self, key: str) -> bool:
        return (self._folder / key).is_file()

    def address(self, key: str) -> str:
        return str(self._folder / key)

    def removal(self, key: str) -> str:
        return f"rm {shlex.quote(self.address(key))}"


class BucketStored:
    """The `StoredObjects` of a bucket."""

    def __init__(self, blobs: BucketBlobs, url: str) -> None:
        self._blobs = blobs
        self._url = url.rstrip("/")

    @property
    def place(self) -> str:
        return f"the bucket {self._url}"

    def iter_dated(self) -> Iterator[tuple[str, float]]:
        return self._blobs.iter_dated()

    def holds(self, key: str) -> bool:
        try:
            self._blobs.stat(key)
        except NotFound:
            return False
        return True

    def address(self, key: str) -> str:
        return f"{self._url}/objects/{key}"

    def removal(self, key: str) -> str:
        return f"remove {self.address(key)}, and if it is a pointer, what it names in {self._url}/large"
