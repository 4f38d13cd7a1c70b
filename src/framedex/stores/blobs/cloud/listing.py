"""Listings in the order of the keys, whatever order a store has, with bounded memory."""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO

from framedex.core.errors import Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.client import Listed
from framedex.stores.blobs.containment import translated_errors

RUN_KEYS = 100_000
"""Keys sorted at a time, about 50 MB of them. More are kept in temporary files, one for each run, and merged."""

_FILE_BUFFER = 1 << 16


def without_markers(listed: Iterable[Listed], is_object: Callable[[str], bool]) -> Iterator[Listed]:
    """Leaves out the empty objects `folder/` with which consoles mark a folder: the client shows them as `folder`.

    An empty object that a key below it follows at once is one; for others the store is asked.
    """
    held: Listed | None = None
    for entry in listed:
        if held is not None and not entry.key.startswith(f"{held.key}/") and is_object(held.key):
            yield held
        held = entry if entry.info.size == 0 else None
        if held is None:
            yield entry
    if held is not None and is_object(held.key):
        yield held


def as_promised(listed: Iterable[Listed]) -> Iterator[Listed]:
    """Passes on a listing of a store that promises the order of the keys.

    Raises:
        Unavailable: it does not keep it; to go on would tell objects as gone that are there.
    """
    last = ""
    for entry in listed:
        if entry.key <= last:
            raise Unavailable(
                "the store listed its keys out of order; configure its endpoint, then they are sorted here"
            )
        last = entry.key
        yield entry


def in_order(listed: Iterable[Listed], *, run: int = RUN_KEYS) -> Iterator[Listed]:
    """Sorts a listing; a key that is listed twice (it changed meanwhile) comes once."""
    with ExitStack() as files:
        entries = iter(listed)
        runs: list[Iterator[Listed]] = []
        while batch := sorted(islice(entries, run), key=_by_key):
            if not runs and len(batch) < run:
                runs.append(iter(batch))
                break
            with translated_errors():
                file = files.enter_context(tempfile.TemporaryFile("w+", _FILE_BUFFER, encoding="utf-8"))
                _write(file, batch)
            runs.append(_read(file))
        last: str | None = None
        for entry in heapq.merge(*runs, key=_by_key):
            if entry.key != last:
                yield entry
            last = entry.key


def _by_key(entry: Listed) -> str:
    return entry.key


def _write(file: IO[str], batch: Iterable[Listed]) -> None:
    file.writelines(json.dumps((e.key, e.info.size, e.info.etag, e.modified_s)) + "\n" for e in batch)
    file.flush()
    file.seek(0)


def _read(file: IO[str]) -> Iterator[Listed]:
    for line in file:
        key, size, etag, modified_s = json.loads(line)
        yield Listed(key, ObjectInfo(size, etag), modified_s)
