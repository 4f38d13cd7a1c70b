"""A data directory belongs to one server at a time, or to several whose catalog is a database that they share."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from framedex.core.errors import Conflict

_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_S = 0.05


@contextmanager
def exclusive(data: Path) -> Iterator[None]:
    """Holds a data directory for one server.

    Raises:
        Conflict: another server holds it; the message says which process.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "serve.lock").open("a+") as file:
        _lock(file, data)
        yield


@contextmanager
def numbered(data: Path) -> Iterator[int]:
    """Takes a number among the servers that share a data directory: from 1, the lowest that no other holds."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in count(1):
        with (data / f"serve-{number}.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return


def is_served(data: Path) -> bool:
    """Whether a process holds a data directory. Looking takes the lock for a moment, which `exclusive` waits out."""
    try:
        with (data / "serve.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock(file: IO[str], data: Path) -> None:
    if not _is_taken(file):
        file.seek(0)
        owner = file.read().strip() or "another process"
        raise Conflict(
            f"The data directory {data} is being served already (process {owner}). "
            "Stop that server, or name another directory with --data."
        )
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()


def _is_taken(file: IO[str]) -> bool:
    """Whether the lock was got."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)  # perhaps somebody only looks
        else:
            return True
    return False
