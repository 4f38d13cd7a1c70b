"""GIF: a walk over its blocks to the end mark (GIF89a, sections 17 to 27)."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B


def check_gif(source: ByteFile) -> None:
    """Walks all blocks.

    Raises:
        InvalidArguments: cut off or damaged.
    """
    offset = 13 + _table_bytes(source.exactly(10, 1, "the header of the GIF")[0])
    while True:
        mark = source.exactly(offset, 1, "a block of the GIF")[0]
        if mark == _TRAILER:
            return
        if mark == _IMAGE:
            flags = source.exactly(offset + 9, 1, "an image of the GIF")[0]
            offset = _skip(source, offset + 11 + _table_bytes(flags))
        elif mark == _EXTENSION:
            offset = _skip(source, offset + 2)
        else:
            raise InvalidArguments(f"the GIF is damaged: no block begins at byte {offset}")


def _table_bytes(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(source: ByteFile, offset: int) -> int:
    """The byte after a chain of sub-blocks."""
    while length := source.exactly(offset, 1, "a block of the GIF")[0]:
        offset += 1 + length
    return offset + 1
