"""Where the bytes go that workers make: in memory while they are few, else in a file that nobody else sees."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from framedex.core.errors import InvalidArguments, StorageFull

_IN_MEMORY = 8 << 20
# Bytes between two looks at the space that is left.
_LOOK_EVERY = 64 << 20


@dataclass(frozen=True, slots=True)
class Spool:
    """Makes outputs. The files lie in `directory` (None: where the system has its temporary files), without a name.

    `reserve_bytes` of the disk stay free.
    """

    directory: Path | None = None
    reserve_bytes: int = 0

    @contextmanager
    def output(self, max_bytes: int, what: str, mend: str) -> Iterator[Output]:
        """An output for bytes up to a limit; it ends with the block unless it is kept."""
        made = Output(self, max_bytes, what, mend)
        try:
            yield made
        finally:
            made.end()

    def check(self) -> None:
        """Whether a little more may be written.

        Raises:
            StorageFull: the reserve is reached.
        """
        free = shutil.disk_usage(self.directory or tempfile.gettempdir()).free
        if free - _LOOK_EVERY < self.reserve_bytes:
            raise StorageFull("the disk reserve of the server is reached; free space, or lower the reserve")


class Output:
    """Bytes that a worker writes at any position, up to a limit."""

    def __init__(self, spool: Spool, max_bytes: int, what: str, mend: str) -> None:
        self._spool = spool
        directory = None if spool.directory is None else str(spool.directory)
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=directory)  # noqa: SIM115  # `end` and its keeper close it
        self._max_bytes = max_bytes
        self._what = what
        self._mend = mend
        self._checked = _IN_MEMORY
        self._is_kept = False

    def write(self, offset: int, data: bytes) -> None:
        """Writes over what is there, or behind it; a gap reads as zeros.

        Raises:
            InvalidArguments: past the limit. StorageFull: no room.
        """
        end = offset + len(data)
        if end > self._max_bytes:
            raise InvalidArguments(f"{self._what} passes the limit of {self._max_bytes} bytes; {self._mend}")
        if end > self._checked:
            self._spool.check()
            self._checked = end + _LOOK_EVERY
        with _disk_errors():
            self._file.seek(offset)
            self._file.write(data)

    def data(self) -> bytes:
        with _disk_errors():
            self._file.seek(0)
            return self._file.read()

    def keep(self) -> BinaryIO:
        """The file, at its start, for whoever closes it.

        Raises:
            StorageFull: the last bytes have no room.
        """
        with _disk_errors():
            self._file.seek(0)
        self._is_kept = True
        return cast("BinaryIO", cast("IO[bytes]", self._file))

    def end(self) -> None:
        if not self._is_kept:
            with suppress(OSError):  # what was not written yet has no room, and is not wanted any more
                self._file.close()


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageFull("the disk of the server is full; free space or enlarge it") from error
