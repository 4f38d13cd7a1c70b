"""New files beside those of a `local` integration: whole or not there, never in place of another."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from framedex.core.errors import (
    AlreadyExists,
    DomainError,
    InvalidArguments,
    NotFound,
    NotPermitted,
    StorageFull,
    Unavailable,
)
from framedex.stores.blobs.containment import ContainedRoot
from framedex.stores.blobs.file_addresses import path_of
from framedex.stores.blobs.own_pieces import pieces

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LOCK_ATTEMPTS = 5
_BUSY = "this file is being written by another worker; try again"
# What kernels and file systems answer that know no files without a name.
_NEEDS_NAME = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})


class LocalWriter:
    """Implements `WritableObjects` of `framedex.core.ports.blobs`; safe for threads and for several processes.

    A file is written without a name and gets one when it is whole and on the disk, so that a writer that dies leaves
    nothing. Where the file system has no such files (NFS), it is written under a name of its own, which the next writer
    of the same file takes over.
    """

    def __init__(self, root: str, *, has_nameless: bool = True) -> None:
        self._root = ContainedRoot(root)
        self._has_nameless = has_nameless

    def write_new(self, url: str, data: bytes | BinaryIO) -> None:
        """Folders that are missing below the root are made."""
        path = path_of(url)
        self._root.check_name(path)
        parent, _, name = path.rpartition("/")
        if not name:
            raise InvalidArguments("the address of a new file must not end with a slash")
        with self._folder(parent) as folder, _translated(), self._draft(folder, name) as draft:
            for piece in pieces(data):
                _write(draft, piece)
            os.fsync(draft)
            _link(draft, folder, name)
            os.fsync(folder)

    def delete(self, url: str) -> None:
        path = path_of(url)
        self._root.check_name(path)
        parent, _, name = path.rpartition("/")
        try:
            folder = self._root.open_folder(parent or "/")
        except NotFound:
            return
        try:
            with _translated(), suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        folder = self._opened_folder(path)
        try:
            yield folder
        finally:
            os.close(folder)

    def _opened_folder(self, path: str) -> int:
        """A descriptor of the folder, which is made with those above it up to the first that is there."""
        missing: list[str] = []
        while (folder := self._find_folder(path)) is None:
            path, _, name = path.rpartition("/")
            missing.append(name)
            # Nothing is made above the root; when that is away, the next look says so.
            self._root.check_name(path or "/")
        while missing:
            above = folder
            try:
                with _translated():
                    folder = _made_folder(above, missing.pop())
            finally:
                os.close(above)
        return folder

    def _find_folder(self, path: str) -> int | None:
        try:
            return self._root.open_folder(path or "/")
        except NotFound:
            return None

    @contextmanager
    def _draft(self, folder: int, name: str) -> Iterator[int]:
        draft = self._nameless(folder) if self._has_nameless else None
        if draft is not None:
            try:
                yield draft
            finally:
                os.close(draft)
            return
        with _named(folder, f".{name}.framedex-part") as draft:
            yield draft

    def _nameless(self, folder: int) -> int | None:
        try:
            return os.open(f"/proc/self/fd/{folder}", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno in _NEEDS_NAME:
                return None
            raise


@contextmanager
def _named(folder: int, name: str) -> Iterator[int]:
    """A draft with a name, empty, for one writer at a time; the name is gone at the end."""
    draft = _locked(folder, name)
    try:
        os.ftruncate(draft, 0)
        try:
            yield draft
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    finally:
        os.close(draft)


def _locked(folder: int, name: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    for _ in range(_LOCK_ATTEMPTS):
        draft = os.open(name, flags, 0o666, dir_fd=folder)
        try:
            fcntl.flock(draft, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(draft)
            raise Unavailable(_BUSY) from None
        if _is_draft(draft, folder, name):
            return draft
        os.close(draft)
    raise Unavailable(_BUSY)


def _is_draft(draft: int, folder: int, name: str) -> bool:
    """Whether the file has this name and no other: one that got its final name meanwhile must not be written to."""
    own = os.fstat(draft)
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if there.st_ino == own.st_ino and own.st_nlink > 1:
            # whoever gave it its name was killed before the draft's was gone
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return there.st_ino == own.st_ino and own.st_nlink == 1


def _made_folder(folder: int, name: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
        os.fsync(folder)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def _write(draft: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(draft, left) :]


def _link(draft: int, folder: int, name: str) -> None:
    try:
        # A hard link, since a rename would silently replace what is there.
        os.link(f"/proc/self/fd/{draft}", name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        raise AlreadyExists("there is a file with this name already") from None


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what the operating system says about a write into domain errors without paths."""
    try:
        yield
    except OSError as error:
        raise _meaning(error) from error


def _meaning(error: OSError) -> DomainError:
    if error.errno in _FULL:
        return StorageFull("the disk of this integration is full; free space or enlarge it")
    if error.errno in _FORBIDDEN:
        return NotPermitted("the server may not write into this folder; grant its user the right to write there")
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return InvalidArguments("a file or a symlink is where a folder must be made; name another folder")
    if error.errno == errno.ENAMETOOLONG:
        return InvalidArguments("the name of the new file is too long for the file system")
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(f"the file cannot be written now ({reason})", errno=reason)
