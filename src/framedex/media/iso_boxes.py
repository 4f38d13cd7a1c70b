"""Top-level boxes of ISO base media files (ISO/IEC 14496-12): MP4, QuickTime, HEIC, AVIF, JPEG 2000, JPEG XL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_MOST_BOXES = 1_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box: bytes `start` to `end` of the object; its content begins at `body`."""

    type: bytes
    start: int
    body: int
    end: int


def top_level_boxes(source: ByteFile) -> Iterator[Box]:
    """The boxes of the file in order.

    Raises:
        InvalidArguments: a box passes the end of the file, or the bytes are no boxes.
    """
    start = 0
    for _ in range(_MOST_BOXES):
        if start + 8 > source.size:
            return
        box = _box_at(source, start)
        if box.end > source.size:
            name = box.type.decode("latin-1")
            raise InvalidArguments(
                f"the file is cut off: its `{name}` box ends at byte {box.end}, and the file at {source.size}"
            )
        yield box
        start = box.end
    raise InvalidArguments(f"the file has more than {_MOST_BOXES} boxes")


def _box_at(source: ByteFile, start: int) -> Box:
    head = source.read_at(start, 16)
    length, body = int.from_bytes(head[:4], "big"), start + 8
    if length == 0:  # up to the end of the file
        length = source.size - start
    elif length == 1:
        length, body = int.from_bytes(head[8:16], "big"), start + 16
    if length < body - start or not all(0x20 <= letter < 0x7F for letter in head[4:8]):
        if start == 0:
            raise InvalidArguments("the file is no sound ISO media file")
        # players ignore what follows the last box
        return Box(b"", start, body, source.size)
    return Box(head[4:8], start, body, start + length)
