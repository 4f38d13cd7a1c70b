"""Which packets of H.264 are the second field of a frame (ITU-T H.264 sections 7.3.2.1, 7.3.3 and 3.30).

MPEG-TS hands out the two fields of a frame as two packets. The first bits of a slice tell: nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_START = b"\0\0\1"
_SLICE, _IDR_SLICE, _SEQUENCE, _PICTURE = 1, 5, 7, 8
_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
# What is needed of a parameter set or a slice is at its beginning.
_SEQUENCE_BYTES, _HEAD_BYTES = 1024, 64


class _Sequence(NamedTuple):
    frame_number_bits: int
    has_planes: bool
    is_frames_only: bool


class _Picture(NamedTuple):
    frame_number: int
    is_field: bool
    is_bottom: bool
    is_idr: bool


class FieldPairs:
    """Goes through the packets of a stream in their order."""

    def __init__(self, settings: bytes) -> None:
        """Args: settings: the stream's extradata, in either of its two forms."""
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}
        # `avcC` says how long the lengths are that stand before each unit
        self._length_bytes = (settings[4] & 3) + 1 if settings[:1] == b"\1" and len(settings) > 6 else 0
        self._open: _Picture | None = None
        for unit in _configured(settings) if self._length_bytes else self._units(settings):
            self._learn(unit)

    @property
    def are_frames(self) -> bool:
        """Whether the stream says that none of its pictures is a field."""
        return bool(self._sequences) and all(sequence.is_frames_only for sequence in self._sequences.values())

    def is_second(self, packet: bytes) -> bool:
        """Whether the packet completes the frame that the one before it began."""
        picture = self._picture(packet)
        before, self._open = self._open, None
        if picture is None or not picture.is_field:
            return False
        is_pair = (
            before is not None
            and not picture.is_idr
            and before.frame_number == picture.frame_number
            and before.is_bottom is not picture.is_bottom
        )
        if not is_pair and not self._is_whole(packet, picture):
            self._open = picture
        return is_pair

    def _is_whole(self, packet: bytes, first: _Picture) -> bool:
        """Whether both fields are in this packet."""
        pictures = (self._slice(unit) for unit in self._units(packet) if unit and unit[0] & 31 in (_SLICE, _IDR_SLICE))
        return any(p is not None and p.is_field and p.is_bottom is not first.is_bottom for p in pictures)

    def _picture(self, packet: bytes) -> _Picture | None:
        for unit in self._units(packet):
            if unit and unit[0] & 31 in (_SLICE, _IDR_SLICE):
                return self._slice(unit)
            self._learn(unit)
        return None

    def _units(self, data: bytes) -> Iterator[bytes]:
        if self._length_bytes:
            yield from _by_length(data, self._length_bytes)
            return
        start = data.find(_START)
        while start >= 0:
            end = data.find(_START, start + 3)
            yield data[start + 3 : end if end >= 0 else len(data)]
            start = end

    def _learn(self, unit: bytes) -> None:
        kind = unit[0] & 31 if unit else 0
        try:
            if kind == _SEQUENCE:
                number, sequence = _read_sequence(_Bits(unit[1:_SEQUENCE_BYTES]))
                self._sequences[number] = sequence
            elif kind == _PICTURE:
                bits = _Bits(unit[1:_HEAD_BYTES])
                self._sequence_of[bits.ue()] = bits.ue()
        except ValueError:
            return  # a damaged one is as good as none

    def _slice(self, unit: bytes) -> _Picture | None:
        bits = _Bits(unit[1:_HEAD_BYTES])
        try:
            bits.ue()
            bits.ue()
            sequence = self._sequences.get(self._sequence_of.get(bits.ue(), -1))
            if sequence is None:
                return None
            if sequence.has_planes:
                bits.u(2)
            number = bits.u(sequence.frame_number_bits)
            is_field = not sequence.is_frames_only and bits.u(1) == 1
            return _Picture(number, is_field, is_field and bits.u(1) == 1, unit[0] & 31 == _IDR_SLICE)
        except ValueError:
            return None


def _configured(settings: bytes) -> Iterator[bytes]:
    """Parameter sets of an `avcC` box."""
    place, counts = 5, (31, 255)
    for mask in counts:
        count = settings[place] & mask if place < len(settings) else 0
        place += 1
        for _ in range(count):
            length = int.from_bytes(settings[place : place + 2], "big")
            yield settings[place + 2 : place + 2 + length]
            place += 2 + length


def _by_length(data: bytes, length_bytes: int) -> Iterator[bytes]:
    place = 0
    while place + length_bytes < len(data):
        length = int.from_bytes(data[place : place + length_bytes], "big")
        place += length_bytes
        yield data[place : place + length]
        place += length


class _Bits:
    """Reads numbers as section 9.1 writes them. Past the end: ValueError."""

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def u(self, length: int) -> int:
        self._left -= length
        if self._left < 0:
            raise ValueError
        return self._value >> self._left & ((1 << length) - 1)

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _read_sequence(bits: _Bits) -> tuple[int, _Sequence]:
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    has_planes = _read_chroma(bits) if profile in _WITH_CHROMA else False
    frame_number_bits = bits.ue() + 4
    _read_order(bits)
    bits.ue()
    bits.u(1)
    bits.ue()
    bits.ue()
    return number, _Sequence(frame_number_bits, has_planes, bits.u(1) == 1)


def _read_chroma(bits: _Bits) -> bool:
    chroma = bits.ue()
    has_planes = chroma == 3 and bits.u(1) == 1
    bits.ue()
    bits.ue()
    bits.u(1)
    if bits.u(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling(bits, 16 if index < 6 else 64)
    return has_planes


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _read_order(bits: _Bits) -> None:
    """How the order of pictures is told."""
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
