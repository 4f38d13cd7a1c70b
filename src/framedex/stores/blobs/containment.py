"""One folder and nothing outside of it: the path rules of `local` integrations.

Names are checked first (cheap, and enough to register), but names can change under us. So every open takes a handle
without side effects (`O_PATH`: no FIFO blocks, no device is woken), asks the kernel where that handle really is, and
reads through the same handle. A symlink swapped at any moment either changes what the handle is, and then the kernel
says so, or comes too late. Linux only, as `O_PATH` and `/proc/self/fd` are.

Hard links and mounts inside of the root are inside: only an administrator of the host makes them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from framedex.core.errors import DomainError, InvalidArguments, NotFound, NotPermitted, Unavailable

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_MALFORMED = frozenset({errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL})
#: Characters of a path that a message shows.
_SHOWN = 300


class ContainedRoot:
    """A folder whose files may be read, and the proof that an opened file is one of them.

    The root is resolved again at each use: a disk that is mounted later is found, one that is away is `Unavailable`.
    """

    def __init__(self, root: str) -> None:
        """Takes the absolute path of a folder, which need not exist yet.

        Raises:
            InvalidArguments: not absolute.
        """
        if not root.startswith("/") or "\0" in root:
            raise InvalidArguments("the root of a local integration is an absolute directory, such as /data/images")
        self._root = os.path.normpath(root)

    @property
    def path(self) -> str:
        return self._root

    def check_name(self, path: str) -> None:
        """Whether the absolute `path` may lie inside, by its name; symlinks are followed only if the name lies outside.

        That second look lets `/data/a.png` pass when the root is `/mnt/disk/data` and `/data` leads there.

        Raises:
            InvalidArguments: outside the root.
        """
        if not _is_inside(path, self._root):
            _require_inside(path, os.path.realpath(path), os.path.realpath(self._root))

    def stat_file(self, path: str) -> os.stat_result:
        """Facts of the regular file at `path`, symlinks resolved.

        Raises:
            InvalidArguments: outside the root, or no regular file. NotFound, NotPermitted, Unavailable.
        """
        handle = self._handle(path)
        try:
            return _regular(handle)
        finally:
            os.close(handle)

    def open_file(self, path: str) -> int:
        """A descriptor of the regular file at `path`, for reading; the caller closes it.

        Raises:
            InvalidArguments: outside the root, or no regular file. NotFound, NotPermitted, Unavailable.
        """
        handle = self._handle(path)
        try:
            _regular(handle)
            with translated_errors():
                return os.open(_link_of(handle), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        finally:
            os.close(handle)

    def open_folder(self, path: str) -> int:
        """A descriptor of the folder at `path`, for `os.scandir`; the caller closes it.

        Raises:
            InvalidArguments: outside the root. NotFound (also for what is no folder), NotPermitted, Unavailable.
        """
        handle = self._handle(path)
        try:
            with translated_errors():
                return os.open(_link_of(handle), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        finally:
            os.close(handle)

    def _handle(self, path: str) -> int:
        real_root = self._real_root()
        with translated_errors():
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            _require_inside(path, _place_of(handle), real_root)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _real_root(self) -> str:
        try:
            handle = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            message = "the root of this integration cannot be reached; mount it or make it readable for the server"
            raise Unavailable(message) from error
        try:
            return _place_of(handle)
        finally:
            os.close(handle)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns what the operating system says about a file into domain errors without paths.

    Raises:
        NotFound, NotPermitted, InvalidArguments, Unavailable.
    """
    try:
        yield
    except OSError as error:
        raise _translated(error) from error


def _translated(error: OSError) -> DomainError:
    if error.errno in _ABSENT:
        return NotFound("there is no such file")
    if error.errno in _FORBIDDEN:
        return NotPermitted("the server may not read this file; grant its user the right to read it")
    if error.errno in _MALFORMED:
        return InvalidArguments("this path is too long, or its symlinks form a loop")
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(f"the file cannot be read now ({reason})", errno=reason)


def _regular(handle: int) -> os.stat_result:
    with translated_errors():
        facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        raise InvalidArguments("this names a directory or a special file; register regular files only")
    return facts


def _link_of(handle: int) -> str:
    return f"/proc/self/fd/{handle}"


def _place_of(handle: int) -> str:
    """Where the kernel says that an open handle is, symlinks resolved."""
    return str(Path(_link_of(handle)).readlink())


def _is_inside(path: str, root: str) -> bool:
    return root in ("/", path) or path.startswith(root + "/")


def _require_inside(asked: str, place: str, root: str) -> None:
    """Names what was asked for, and not where that leads."""
    if not _is_inside(place, root):
        raise InvalidArguments(
            f"{asked[:_SHOWN]} lies outside the integration's root (after symlinks); use files below the root"
        )
