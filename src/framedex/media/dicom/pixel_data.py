"""Whether the pixel data of a DICOM file is all there, from its lengths alone (PS3.5, annex A.4)."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xE000
_END = 0xE0DD


def check_pixel_data(source: ByteFile, start: int, *, is_explicit: bool, is_little: bool) -> int | None:
    """Walks the PixelData element at byte `start`; answers its length in bytes, or None when it is encapsulated.

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
        return length
    _walk_fragments(source, body)
    return None


def _walk_fragments(source: ByteFile, offset: int) -> None:
    while True:
        head = source.exactly(offset, 8, "a fragment of pixel data")
        group, element = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
        if (group, element) == (0xFFFE, _END):
            return
        if (group, element) != (0xFFFE, _ITEM):
            raise InvalidArguments("the file is damaged: its pixel data has no sound fragments")
        offset += 8 + int.from_bytes(head[4:], "little")
