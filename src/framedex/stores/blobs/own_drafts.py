"""One object of our own while it is being written: hidden until it is whole and on disk."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from framedex.core.errors import AlreadyExists, InvalidArguments, StorageFull, TooLarge, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LINK_ATTEMPTS = 100


class Draft:
    """A temporary file that becomes an object or nothing.

    Write, then `publish`; or `abort` at any time, from any thread, also after a `publish` of which nobody learned: a
    lock keeps them apart, so that no descriptor is closed under a write.
    """

    def __init__(self, path: Path, *, max_bytes: int | None, check_space: Callable[[int], None]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._check_space = check_space
        self._lock = threading.Lock()
        self._size = 0
        self._published: Path | None = None
        check_space(0)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise write_failure(error) from error

    def write(self, data: bytes) -> None:
        """Appends.

        Raises:
            TooLarge, StorageFull, Unavailable; the draft must then be aborted.
        """
        with self._lock:
            if self._descriptor < 0:
                return  # Aborted while this call waited for its thread.
            if self._max_bytes is not None and self._size + len(data) > self._max_bytes:
                raise TooLarge(f"the object has more than the {self._max_bytes} bytes allowed", limit=self._max_bytes)
            self._check_space(len(data))
            self._append(memoryview(data))

    def publish(self, target: Path, *, below: Path) -> int:
        """Makes the object visible at `target`, durably and only if nothing is there; answers its size in bytes.

        `below` is the folder that is durable already; every folder from it down to `target` is synced.

        Raises:
            AlreadyExists, InvalidArguments, StorageFull, Unavailable; the draft must then be aborted.
        """
        with self._lock:
            if self._descriptor < 0:
                raise Unavailable("the upload was aborted")
            try:
                os.fsync(self._descriptor)
                self._link(target)
                self._published = target
                sync_folders(target.parent, below)
                self._discard()
            except FileExistsError:
                raise AlreadyExists("there is an object with this key already") from None
            except OSError as error:
                raise write_failure(error) from error
            return self._size

    def abort(self) -> None:
        """Leaves nothing behind, not even an object that was just published."""
        with self._lock:
            self._discard()
            if self._published is not None:
                with suppress(FileNotFoundError):
                    self._published.unlink()
                self._published = None

    def _append(self, data: memoryview) -> None:
        try:
            while data:
                written = os.write(self._descriptor, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            raise write_failure(error) from error

    def _link(self, target: Path) -> None:
        for _ in range(_LINK_ATTEMPTS):
            try:
                _make_folders(target.parent)
                # A hard link, since `rename` would silently replace the object of another writer.
                os.link(self._path, target, follow_symlinks=False)
            except FileNotFoundError:
                continue  # A delete removed the empty folder in between.
            return
        raise Unavailable("the folder of this object is removed again and again; try again")

    def _discard(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
            with suppress(FileNotFoundError):
                self._path.unlink()


def write_failure(error: OSError) -> StorageFull | InvalidArguments | Unavailable:
    """What a failed write means to the caller; says nothing of paths."""
    if error.errno in _FULL:
        return StorageFull("the disk of the server is full; free space or enlarge it")
    if error.errno == errno.ENOTDIR:
        return InvalidArguments("an object key must not continue the key of another object")
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(f"the object store cannot write now ({reason})", errno=reason)


def sync_folders(folder: Path, top: Path) -> None:
    """Makes the names in `folder` and in those above it, up to `top`, survive a power cut.

    All of them each time: a folder that another writer has just made is there, but perhaps not yet on disk.
    """
    sync_folder(folder)
    while folder != top:
        folder = folder.parent
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        # Either an object is in the way, which must not be taken for one with the same key; or the folder was there and
        # a delete removed it before `mkdir` looked again. One look decides, as two could be of different moments.
        if not stat.S_ISDIR(os.lstat(error.filename).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "an object is in the way") from error
        raise FileNotFoundError(errno.ENOENT, "the folder went and came back") from error
