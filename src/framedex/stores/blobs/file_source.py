"""One open regular file as a `ByteSource`."""

from __future__ import annotations

import os

from framedex.core.errors import Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.containment import translated_errors


def info_of(facts: os.stat_result) -> ObjectInfo:
    """Size, and an ETag that changes when the file is written or replaced: its time of writing in ns, and its size.

    Not the inode: a file that was put back from a backup, or moved to another disk with its time, is the same object.
    """
    return ObjectInfo(facts.st_size, f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"')


class FileSource:
    """Reads by `pread`; owns the descriptor. Size and ETag are those at opening."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._info = info_of(os.fstat(descriptor))
        self._size = self._info.size

    @property
    def info(self) -> ObjectInfo:
        return self._info

    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, fewer than `length` only at the end.

        Raises:
            Unavailable: the file shrank or cannot be read.
        """
        wanted = max(0, min(length, self._size - offset))
        parts: list[bytes] = []
        while wanted:
            with translated_errors():
                part = os.pread(self._descriptor, wanted, offset)
            if not part:
                raise Unavailable("the file became shorter while it was read; try again once it is complete")
            parts.append(part)
            offset, wanted = offset + len(part), wanted - len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
