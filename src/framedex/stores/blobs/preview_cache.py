"""Previews on the disk, in two generations: cheap to keep bounded, however many there are, and safe over restarts.

What is put or looked at goes to the young generation. When that holds half of the bytes allowed, it becomes the old
one, and what is left in the old one (nobody looked at it for a whole generation) is deleted. Nothing has to be sorted
or written down to find what was used least: a generation is a folder.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import struct
import threading
import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path

from framedex.core.ports.media import Made

_log = logging.getLogger(__name__)

# Length of the facts, length of the data, CRC of both: nothing is synced, so a power cut may leave a torn file.
_HEAD = struct.Struct("!III")
_YOUNG, _OLD = "young", "old"
# A file takes whole blocks of the disk, and a name in a folder.
_BLOCK = 4096


class DiskPreviewCache:
    """Implements `PreviewCache` below one folder that nobody else writes to."""

    def __init__(self, root: Path, *, max_bytes: int, reserve_bytes: int = 0) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._reserve_bytes = reserve_bytes
        self._lock = threading.Lock()
        self._young_bytes: int | None = None

    def get(self, key: str) -> Made | None:
        for generation in (_YOUNG, _OLD):
            try:
                content = self._path(generation, key).read_bytes()
            except OSError:
                continue
            made = _parsed(content)
            if made is not None and generation == _OLD:
                self._rejuvenate(key, len(content))
            return made
        return None

    def put(self, key: str, facts: Mapping[str, object], data: bytes) -> None:
        head = json.dumps(facts).encode()
        content = _HEAD.pack(len(head), len(data), zlib.crc32(data, zlib.crc32(head))) + head + data
        if _on_disk(len(content)) > self._max_bytes // 2:
            return
        try:
            self._write(key, content)
        except OSError as error:
            _log.warning("a preview was not kept: %s", error.strerror)

    def _write(self, key: str, content: bytes) -> None:
        self._make_room(_on_disk(len(content)))
        path = self._path(_YOUNG, key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free - len(content) < self._reserve_bytes:
            return
        draft = path.with_name(uuid.uuid4().hex)
        try:
            draft.write_bytes(content)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _rejuvenate(self, key: str, size: int) -> None:
        """Moves what was looked at into the young generation; whoever reads it meanwhile goes on."""
        try:
            self._make_room(_on_disk(size))
            target = self._path(_YOUNG, key)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path(_OLD, key).rename(target)
        except OSError:
            return  # Another thread did it, or the old generation went away: both are no harm.

    def _make_room(self, size: int) -> None:
        """Counts `size` bytes more in the young generation, and makes it the old one when it is full."""
        with self._lock:
            if self._young_bytes is None:
                self._young_bytes = _bytes_below(self._root / _YOUNG)
            self._young_bytes += size
            if self._young_bytes <= self._max_bytes // 2:
                return
            self._young_bytes = size
            doomed = self._root / f"doomed-{uuid.uuid4().hex}"
            if (self._root / _OLD).exists():
                (self._root / _OLD).rename(doomed)
            if (self._root / _YOUNG).exists():
                (self._root / _YOUNG).rename(self._root / _OLD)
        for left in self._root.glob("doomed-*"):  # Those of a server that was killed meanwhile, too.
            shutil.rmtree(left, ignore_errors=True)

    def _path(self, generation: str, key: str) -> Path:
        return self._root / generation / key[:2] / key


def _parsed(content: bytes) -> Made | None:
    if len(content) < _HEAD.size:
        return None
    facts_length, data_length, crc = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    if len(body) != facts_length + data_length or zlib.crc32(body) != crc:
        return None
    return Made(json.loads(body[:facts_length]), body[facts_length:])


def _on_disk(size: int) -> int:
    return -(-(size + 1) // _BLOCK) * _BLOCK


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += _on_disk((Path(parent) / name).stat().st_size)
            except FileNotFoundError:
                continue
    return total
