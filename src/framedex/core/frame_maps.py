"""Which frame of a re-encoded video shows which frame of its original."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from framedex.core.errors import InvalidArguments

_FORM = 1
_MOST_FRAMES = 1 << 31


@dataclass(frozen=True, slots=True)
class FrameMap:
    """The old frames in the order in which they are shown, laid out on a constant rate.

    Old frame `i` is what the new frames from `starts[i]` up to (not with) `starts[i + 1]` show, the last one up to
    `count`. Where that is none, the old frame came too soon after another to be kept.

    Attributes:
        rate: new frames per second; new frame `n` is shown at `n / rate`, counted from the first old frame.
        count: new frames.
        starts: for each old frame, never falling, the first 0.
    """

    rate: Fraction
    count: int
    starts: Sequence[int]

    def new_frames(self, old: int) -> range:
        """The new frames that show an old one.

        Raises:
            InvalidArguments: there is no such old frame.
        """
        if not 0 <= old < len(self.starts):
            raise InvalidArguments(f"the original has frames 0 to {len(self.starts) - 1}; this is {old}")
        end = self.starts[old + 1] if old + 1 < len(self.starts) else self.count
        return range(self.starts[old], end)

    def old_frame(self, new: int) -> int:
        """The old frame that a new one shows.

        Raises:
            InvalidArguments: there is no such new frame.
        """
        if not 0 <= new < self.count:
            raise InvalidArguments(f"the video has frames 0 to {self.count - 1}; this is {new}")
        return bisect_right(self.starts, new) - 1

    @property
    def is_one_to_one(self) -> bool:
        """Whether each frame has its old number."""
        return self.count == len(self.starts) and all(start == old for old, start in enumerate(self.starts))

    def to_bytes(self) -> bytes:
        """A compact form: some hundred bytes for an hour at a constant rate."""
        head = (_FORM, self.rate.numerator, self.rate.denominator, self.count, len(self.starts))
        return zlib.compress(b"".join(_varint(number) for number in (*head, *_steps(self.starts))), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> FrameMap:
        """What `to_bytes` made."""
        numbers = _numbers(zlib.decompress(data))
        form, numerator, denominator, count, length = (next(numbers) for _ in range(5))
        if form != _FORM or length > _MOST_FRAMES:
            raise InvalidArguments("this map of frames was written by a newer version of Framedex")
        starts, start = [], 0
        for step in numbers:
            start += step
            starts.append(start)
        return cls(Fraction(numerator, denominator), count, tuple(starts))


def _steps(starts: Sequence[int]) -> Iterator[int]:
    before = 0
    for start in starts:
        yield start - before
        before = start


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
