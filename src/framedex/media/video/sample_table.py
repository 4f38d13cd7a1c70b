"""An MP4 file without its media data: enough to list its packets."""

from __future__ import annotations

import io
from bisect import bisect_right

from framedex.media.byte_file import ByteFile
from framedex.media.iso_boxes import top_level_boxes


class TableOnlyFile(io.RawIOBase):
    """Reads as the file itself until `skip_media`; from then on all bytes inside `mdat` boxes read as zeros, unfetched.

    The demuxer must open with the real bytes: only then does it look into the data to learn the codec's settings.
    """

    def __init__(self, source: ByteFile) -> None:
        super().__init__()
        self._source = source
        self._spans = [(box.body, box.end) for box in top_level_boxes(source) if box.type == b"mdat"]
        self._starts = [start for start, _ in self._spans]
        self._is_skipping = False

    def skip_media(self) -> None:
        self._is_skipping = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._source.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._source.seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        if not self._is_skipping or size is None or size < 0:
            return self._source.read(size)
        position = self._source.tell()
        end = min(position + size, self._source.size)
        index = bisect_right(self._starts, position) - 1
        if index >= 0 and position < self._spans[index][1]:
            length = min(end, self._spans[index][1]) - position
            self._source.seek(position + length)
            return bytes(length)
        # up to the next span; a short read is not the end, for the demuxer reads on
        if index + 1 < len(self._starts):
            end = min(end, self._starts[index + 1])
        return self._source.read(max(0, end - position))
