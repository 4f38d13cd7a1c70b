"""JPEG: a walk over its markers to the end mark, then a strict decode (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
# In the coded data a marker is FF and then neither 00 (a stuffed byte), nor a restart mark, nor FF (fill).
_MARKER = re.compile(rb"\xff(?![\x00\xff\xd0-\xd7])", re.DOTALL)
_PIECE = 1 << 20


def find_jpeg_end(source: ByteFile) -> int:
    """The byte after the end mark of the first image. Cameras append previews and more images; that is no damage.

    Raises:
        InvalidArguments: cut off, or no sound chain of markers.
    """
    offset = 2
    while True:
        head = source.exactly(offset, 2, "a marker of the JPEG")
        if head[0] != 0xFF:
            raise InvalidArguments(f"the JPEG is damaged: no marker at byte {offset}")
        marker = head[1]
        if marker == _EOI:
            return offset + 2
        if marker == 0xFF:
            offset += 1
        elif marker in _NO_LENGTH:
            offset += 2
        else:
            length = int.from_bytes(source.exactly(offset + 2, 2, "a segment of the JPEG"), "big")
            offset += 2 + max(2, length)
            if marker == _SOS:
                offset = _coded_end(source, offset)


def _coded_end(source: ByteFile, offset: int) -> int:
    while offset < source.size:
        data = source.read_at(offset, _PIECE)
        if found := _MARKER.search(data, 0, len(data) - 1):
            return offset + found.start()
        offset += max(1, len(data) - 1)
    raise InvalidArguments("the JPEG is cut off: its pixel data has no end mark")


def check_jpeg_pixels(data: bytes) -> bool:
    """Decodes strictly; answers False when FFmpeg knows no way to decode this form of JPEG.

    Pillow fills what is missing with grey and says nothing (a header with a larger height passed), FFmpeg tells.

    Raises:
        InvalidArguments: the pixel data is damaged, or less than the header says.
    """
    import av

    codec = av.CodecContext.create("mjpeg", "r")
    codec.options = {"err_detect": "explode"}
    codec.thread_count = 1
    packet = av.Packet(data)
    try:
        frames = [*codec.decode(packet), *codec.decode(None)]
    except av.error.PatchWelcomeError:
        return False
    except av.error.InvalidDataError as error:
        raise InvalidArguments(
            "the JPEG is damaged: its pixel data is broken, or less than the size in its header needs"
        ) from error
    return bool(frames)
