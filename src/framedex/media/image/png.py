"""PNG, checked whole without decoding (W3C PNG, 5 and 10): every CRC, and as much pixel data as the header says."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Adam7: first column, first row, step across, step down of each pass
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20
_MOST_EXIF = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """IHDR."""

    width: int
    height: int
    bits_per_pixel: int
    is_interlaced: bool

    def data_bytes(self) -> int:
        """Bytes of all rows before compression, each with its filter byte."""
        passes = _PASSES if self.is_interlaced else ((0, 0, 1, 1),)
        return sum(self._pass_bytes(*one) for one in passes)

    def _pass_bytes(self, left: int, top: int, across: int, down: int) -> int:
        columns, rows = -(-(self.width - left) // across), -(-(self.height - top) // down)
        if columns <= 0 or rows <= 0:
            return 0
        return rows * (1 + -(-columns * self.bits_per_pixel // 8))


@dataclass(slots=True)
class PngFacts:
    """What the chunks tell: the header, EXIF bytes (empty when there are none), frames of an APNG."""

    header: PngHeader
    exif: bytes = b""
    frames: int = 1


class _PixelCount:
    """Inflates IDAT data only to count it."""

    def __init__(self, limit: int) -> None:
        self._inflater = zlib.decompressobj()
        self._limit = limit
        self.found = 0

    def add(self, data: bytes) -> None:
        is_full = False
        while (data or is_full) and self.found <= self._limit and not self._inflater.eof:
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise InvalidArguments(f"the pixel data of the PNG is damaged: {error}") from error
            self.found += len(piece)
            is_full = len(piece) == _PIECE
            data = self._inflater.unconsumed_tail

    def is_complete(self) -> bool:
        """Whether the data ends with a checksum that fits (zlib raises otherwise)."""
        return self._inflater.eof


def check_png(source: ByteFile, inflated_limit: int) -> PngFacts:
    """Walks all chunks; answers what they tell when the file is what it says.

    Pixel data past `inflated_limit` bytes is not counted. The library would decode all pixels to look for EXIF.

    Raises:
        InvalidArguments: cut off, damaged, or a header that lies about the size.
    """
    facts = PngFacts(_header(source))
    count = _PixelCount(min(facts.header.data_bytes(), inflated_limit))
    offset, name = 8, b""
    while name != b"IEND":
        head = source.exactly(offset, 8, "a chunk of the PNG")
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        _check_crc(source, offset, length, name, count if name == b"IDAT" else None)
        if name == b"eXIf" and length <= _MOST_EXIF:
            facts.exif = source.read_at(offset + 8, length)
        elif name == b"acTL" and length == 8:
            facts.frames = max(1, int.from_bytes(source.read_at(offset + 8, 4), "big"))
        offset += 12 + length
    _check_count(facts.header, count, inflated_limit)
    return facts


def _check_crc(source: ByteFile, offset: int, length: int, name: bytes, count: _PixelCount | None) -> None:
    if offset + 12 + length > source.size:
        chunk = name.decode("latin-1")
        raise InvalidArguments(f"the PNG is cut off: its chunk `{chunk}` at byte {offset} passes the end of the file")
    crc = zlib.crc32(name)
    for data in source.chunks(offset + 8, offset + 8 + length):
        crc = zlib.crc32(data, crc)
        if count is not None:
            count.add(data)
    if crc != int.from_bytes(source.read_at(offset + 8 + length, 4), "big"):
        raise InvalidArguments(f"the PNG is damaged: the checksum of its chunk at byte {offset} does not fit")


def _header(source: ByteFile) -> PngHeader:
    head = source.exactly(8, 25, "the header of the PNG")
    if head[:8] != b"\0\0\0\x0dIHDR":
        raise InvalidArguments("the PNG is damaged: its first chunk is no header")
    body = head[8:21]
    width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    depth, colour, is_interlaced = body[8], body[9], bool(body[12])
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31 or depth not in _DEPTHS.get(colour, ()):
        raise InvalidArguments("the PNG is damaged: its header has a size or depth that no PNG has")
    return PngHeader(width, height, depth * _SAMPLES[colour], is_interlaced)


def _check_count(header: PngHeader, count: _PixelCount, limit: int) -> None:
    needed = header.data_bytes()
    if count.found == needed and count.is_complete():
        return
    if needed > limit and count.found >= limit:
        return
    size = f"{header.width} x {header.height}"
    if count.found > needed:
        raise InvalidArguments(f"the header of the PNG lies: it says {size}, and there are more pixels than that")
    raise InvalidArguments(
        f"the header of the PNG lies, or pixels are missing: {size} need {needed} bytes, {count.found} are there"
    )
