"""The frame table of a video: which frames a decoder outputs, and when each is shown."""

from __future__ import annotations

import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise

import msgspec

from framedex.core.errors import InvalidArguments

#: 46 hours at 60 frames a second.
MOST_FRAMES = 10_000_000

_FORM = 1
# What a person or a program typed as seconds is off by less; frames never come that fast.
_TOLERANCE_S = 1e-6
# Unsigned numbers of 1, 2, 4 and 8 bytes.
_CODES = "BHIQ"


class FrameOrigin(StrEnum):
    """Where a frame table comes from."""

    PACKETS = "packets"  # all packets of the file
    SAMPLES = "samples"  # the sample table of an MP4 or QuickTime file
    SUPPLIED = "supplied"  # the rate and duration that were given at registration; no byte was read


@dataclass(frozen=True)
class FrameTable:
    """Frames in the order in which they are shown: frame `n` is the one with the `n`-th smallest time.

    Those that a decoder outputs, and no others: what an edit list cuts or a decoder discards is not in it, and the two
    fields of a frame are one.

    Attributes:
        time_base: seconds of one tick.
        pts: for each frame when it is shown, in ticks, never falling, as FFmpeg reports it for this file.
        keys: indices of the frames at which a decoder can begin, rising. Empty where that is not known.
        rotation: degrees against the clock that the picture is turned by for display: 0, 90, 180 or 270.
        is_counted: the file names no presentation times (AVI with B-frames): `pts` are the places of its packets in
            order, and a decoder finds a frame by counting only.
        cut: frames of the file that are never shown.
    """

    time_base: Fraction
    pts: Sequence[int]
    keys: Sequence[int]
    origin: FrameOrigin
    rotation: int = 0
    is_counted: bool = False
    cut: int = 0

    @classmethod
    def supplied(cls, fps: float, count: int) -> FrameTable:
        """The table of a video of which only rate and length were told: frame `n` at `n / fps`."""
        if not 0 <= count <= MOST_FRAMES:
            raise InvalidArguments(f"a video may have up to {MOST_FRAMES} frames; this has {count}")
        tick = 1 / Fraction(repr(fps)).limit_denominator(1_000_000)
        return cls(tick, range(count), (), FrameOrigin.SUPPLIED)

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def start(self) -> int:
        """The time of the first frame, in ticks."""
        return self.pts[0] if self.pts else 0

    def time(self, index: int) -> float:
        """When a frame is shown, in seconds after the first frame."""
        return self._seconds(self.pts[index])

    def at(self, seconds: float) -> int:
        """The frame on screen `seconds` after the first frame; the first before it, the last for ever.

        Of frames with the same time it is the last.

        Raises:
            InvalidArguments: the video has no frames.
        """
        if not self.pts:
            raise InvalidArguments("the video has no frames")
        return max(0, bisect_right(self.pts, seconds + _TOLERANCE_S, key=self._seconds) - 1)

    def is_key(self, index: int) -> bool:
        return self.key_at_or_before(index) == index

    def key_at_or_before(self, index: int) -> int | None:
        """The last key frame up to a frame; None where the table has none there."""
        place = bisect_right(self.keys, index)
        return self.keys[place - 1] if place else None

    def keys_between(self, start: int, end: int) -> Sequence[int]:
        """Key frames from `start` up to (not with) `end`."""
        return self.keys[bisect_left(self.keys, start) : bisect_left(self.keys, end)]

    def nth(self, index: int) -> int:
        """Which of the frames with the same time it is, counted from 0."""
        before = index
        while before and self.pts[before - 1] == self.pts[index]:
            before -= 1
        return index - before

    @cached_property
    def duplicate_pts(self) -> Sequence[int]:
        """Frames that have the time of the frame before them."""
        return [index for index, (earlier, later) in enumerate(pairwise(self.pts), 1) if earlier == later]

    @cached_property
    def gaps(self) -> Sequence[int]:
        """Frames that come later than one and a half usual steps: one is missing there, or the rate changes."""
        steps = [later - earlier for earlier, later in pairwise(self.pts)]
        if not steps:
            return []
        usual = sorted(steps)[len(steps) // 2]
        return [index for index, step in enumerate(steps, 1) if 2 * step > 3 * usual]

    def pack(self) -> bytes:
        """A compact form: some hundred bytes for an hour at a constant rate, 2 bytes a frame where the rate jitters."""
        form = _Packed(
            form=_FORM,
            time_base=(self.time_base.numerator, self.time_base.denominator),
            start=self.start,
            pts=_packed_steps(self.pts, self.start),
            keys=_packed_steps(self.keys, 0),
            origin=self.origin,
            rotation=self.rotation,
            is_counted=self.is_counted,
            cut=self.cut,
        )
        return zlib.compress(msgspec.msgpack.encode(form), 6)

    @classmethod
    def unpack(cls, data: bytes) -> FrameTable:
        """What `pack` made.

        Raises:
            InvalidArguments: the data are of no table, or of a table of a newer version.
        """
        try:
            form = msgspec.msgpack.decode(_inflated(data), type=_Packed)
            if form.form != _FORM:
                raise ValueError("another form")
            pts, keys = _unpacked_steps(form.pts, form.start), _unpacked_steps(form.keys, 0)
            time_base = Fraction(*form.time_base)
        except (zlib.error, msgspec.MsgspecError, ValueError, OverflowError, ZeroDivisionError) as error:
            raise InvalidArguments("this frame table is damaged, or of a newer version of Framedex") from error
        return cls(time_base, pts, keys, form.origin, form.rotation, form.is_counted, form.cut)

    def _seconds(self, pts: int) -> float:
        return (pts - self.start) * self.time_base.numerator / self.time_base.denominator


class _Steps(msgspec.Struct, array_like=True):
    """Steps of a rising sequence, in the fewest bytes that hold the longest; the first counts from its start."""

    code: str
    data: bytes


class _Packed(msgspec.Struct, array_like=True):
    form: int
    time_base: tuple[int, int]
    start: int
    pts: _Steps
    keys: _Steps
    origin: FrameOrigin
    rotation: int
    is_counted: bool
    cut: int


def _packed_steps(numbers: Sequence[int], start: int) -> _Steps:
    steps = array("Q", _steps(numbers, start))
    longest = max(steps, default=0)
    code = next(code for code in _CODES if longest < 1 << 8 * array(code).itemsize)
    return _Steps(code, _swapped(array(code, steps)).tobytes())


def _steps(numbers: Sequence[int], start: int) -> Iterable[int]:
    before = start
    for number in numbers:
        yield number - before
        before = number


def _unpacked_steps(form: _Steps, start: int) -> Sequence[int]:
    if form.code not in tuple(_CODES):
        raise ValueError("no such numbers")
    steps = array(form.code)
    steps.frombytes(form.data)
    if len(steps) > MOST_FRAMES:
        raise ValueError("too many numbers")
    numbers = accumulate(_swapped(steps), initial=start)
    next(numbers)
    return array("q", numbers)


def _swapped(numbers: array[int]) -> array[int]:
    """Little-endian, whatever this machine is."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _inflated(data: bytes) -> bytes:
    # a reader of hostile bytes may have made it: it may not inflate without end
    stream = zlib.decompressobj()
    inflated = stream.decompress(data, MOST_FRAMES * 16)
    if not stream.eof:
        raise ValueError("cut off, or too long")
    return inflated
