"""A `ByteSource` as the file object that media libraries want, with a block cache and read-ahead."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Iterator

from framedex.core.errors import InvalidArguments
from framedex.core.ports.media import ByteSource

_BLOCK = 256 << 10
_CACHED_BLOCKS = 64  # 16 MiB: the index of a video at one end, its frames at the other
_MOST_AHEAD = 16  # 4 MiB in one request
_FEW_AHEAD = 4


class ByteFile(io.RawIOBase):
    """A seekable read-only file over ranges. One request fetches more blocks the longer the reading is sequential."""

    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self._source = source
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next_block = -1
        self._ahead = 1
        self._most_ahead = _MOST_AHEAD
        self.size = source.size()

    def expect_leaps(self) -> None:
        """For readers that take a little here and a little there: what is fetched ahead would be fetched in vain."""
        self._most_ahead = _FEW_AHEAD

    def forget(self) -> None:
        """Gives up what was kept; later reads fetch again."""
        self._blocks.clear()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError("seek before the start")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes (all that is left when negative), fewer only at the end."""
        left = max(0, self.size - self._position)
        data = self.read_at(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(data)
        return data

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not importable on 3.11
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, fewer than `length` only at the end; the position stays."""
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        first, last = offset // _BLOCK, (end - 1) // _BLOCK
        if first == last:
            return self._block(first)[offset - first * _BLOCK : end - first * _BLOCK]
        parts = [memoryview(self._block(number)) for number in range(first, last + 1)]
        parts[0], parts[-1] = parts[0][offset - first * _BLOCK :], parts[-1][: end - last * _BLOCK]
        return b"".join(parts)

    def exactly(self, offset: int, length: int, what: str) -> bytes:
        """All of the bytes asked for.

        Raises:
            InvalidArguments: the object ends before them; `what` names what was expected there.
        """
        data = self.read_at(offset, length)
        if len(data) < length:
            raise InvalidArguments(f"the file is cut off: {what} at byte {offset} passes its end ({self.size} bytes)")
        return data

    def chunks(self, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `offset` in pieces of 256 KiB."""
        end = self.size if end is None else min(end, self.size)
        while offset < end:
            data = self.read_at(offset, min(_BLOCK, end - offset))
            yield data
            offset += len(data)

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            return self._fetch(number)
        self._blocks.move_to_end(number)
        return block

    def _fetch(self, number: int) -> bytes:
        self._ahead = min(self._ahead * 2, self._most_ahead) if number == self._next_block else 1
        data = self._source.read_at(number * _BLOCK, min(self._ahead * _BLOCK, self.size - number * _BLOCK))
        for index, start in enumerate(range(0, len(data), _BLOCK)):
            self._blocks[number + index] = data[start : start + _BLOCK]
        self._next_block = number + -(-len(data) // _BLOCK)
        while len(self._blocks) > _CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        return data[:_BLOCK]
