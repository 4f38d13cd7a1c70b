"""Whether the pixel data of a DICOM file is all there, from its lengths alone (PS3.5, annex A.4)."""

from __future__ import annotations

from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xE000
_END = 0xE0DD


@dataclass(frozen=True, slots=True)
class PixelData:
    """A pixel data element that is all there.

    Attributes:
        start: byte of its tag. end: the byte behind it.
        length: bytes of native pixels; None when they are encapsulated.
        fragments: of encapsulated pixels, without the offset table.
    """

    start: int
    end: int
    length: int | None
    fragments: int = 0


def check_pixel_data(source: ByteFile, start: int, *, is_explicit: bool, is_little: bool) -> PixelData:
    """Walks the PixelData element at byte `start`.

    Raises:
        InvalidArguments: the file ends within it.
    """
    head = source.exactly(start, 12 if is_explicit else 8, "pixel data")
    length = int.from_bytes(head[-4:], "little" if is_little else "big")
    body = start + len(head)
    if length != _UNDEFINED:
        if body + length > source.size:
            missing = body + length - source.size
            raise InvalidArguments(f"the file is cut off: {missing} of {length} bytes of pixel data are missing")
        return PixelData(start, body + length, length)
    return _walk_fragments(source, start, body)


def _walk_fragments(source: ByteFile, start: int, offset: int) -> PixelData:
    items = 0
    while True:
        head = source.exactly(offset, 8, "a fragment of pixel data")
        group, element = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
        if (group, element) == (0xFFFE, _END):
            # some files lack the offset table
            return PixelData(start, offset + 8, None, max(items - 1, min(items, 1)))
        if (group, element) != (0xFFFE, _ITEM):
            raise InvalidArguments("the file is damaged: its pixel data has no sound fragments")
        items += 1
        offset += 8 + int.from_bytes(head[4:], "little")
