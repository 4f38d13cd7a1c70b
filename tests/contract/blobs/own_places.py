"""Where our own objects are kept in the tests: a disk, and a folder of a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import obstore

from framedex.core.ports.blobs import OwnBlobs
from framedex.stores.blobs.cloud.opening import open_cloud
from framedex.stores.blobs.cloud.own import BucketBlobs
from framedex.stores.blobs.own import DiskBlobs
from tests.contract.blobs.conftest import BucketPlace, credentials_of

KEY = "uploads/0190f3b2-aaaa-7bbb-8ccc-0123456789ab/a.png"
MIB = 1024 * 1024


class OwnPlace(Protocol):
    """`rounds`: how often a test of chance tries."""

    rounds: int

    @property
    def blobs(self) -> OwnBlobs: ...

    def left(self) -> list[str]:
        """Everything that is kept: the keys of objects, and what is there beside them under a name of its own."""
        ...


class DiskPlace:
    rounds = 20

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.blobs = DiskBlobs(folder, 0)

    def left(self) -> list[str]:
        found = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if not path.is_dir())
        return sorted(name.removeprefix("objects/") for name in found)


class BucketOfTests:
    """A small threshold: what has more than 1 MiB is sent in parts."""

    rounds = 5

    def __init__(self, place: BucketPlace) -> None:
        self.place = place
        self.blobs = self.another()

    def another(self) -> BucketBlobs:
        """The same objects as another process has them."""
        config = self.place.config
        return BucketBlobs(open_cloud(config, lambda: credentials_of(config, self.place.credentials)), large_bytes=MIB)

    def left(self) -> list[str]:
        store, folder = self.place.store, self.place.folder
        names = [str(meta["path"]).removeprefix(f"{folder}/") for meta in obstore.list(store, folder).collect()]
        large = {name for name in names if name.startswith("large/")}
        for name in [n for n in names if n.startswith("objects/")]:
            answer = obstore.get(store, f"{folder}/{name}")
            if "pointer" in answer.attributes.get("Content-Type", ""):
                text = bytes(answer.bytes()).decode()
                large = {n for n in large if n.removeprefix("large/") not in text}
        others = [n for n in names if not n.startswith(("objects/", "large/"))]
        return sorted([*(n.removeprefix("objects/") for n in names if n.startswith("objects/")), *large, *others])


def content(blobs: OwnBlobs, key: str = KEY) -> bytes:
    source = blobs.open(key)
    try:
        return source.read_at(0, source.size())
    finally:
        source.close()
