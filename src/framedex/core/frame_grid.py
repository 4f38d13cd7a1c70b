"""Which frames of an item are indexed (design decision 6), and what is known of each.

Frame 0, one frame for each 1/sampling_rate seconds, and every frame that metadata names; with a rate of 0 the first and
the named ones alone. Of groups, sequences, slices and pages each frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from framedex.core.metadata.encord_block import DEFAULT_SAMPLING_RATE, FrameBlock, KeyframeMode

#: Frames of one item that are indexed; of longer ones the first, and all that are named.
MAX_INDEXED_FRAMES = 1_000_000


class Timeline(Protocol):
    """The frames of a video by time."""

    def __len__(self) -> int: ...

    def time(self, index: int) -> float:
        """Seconds after the first frame."""
        ...

    def at(self, seconds: float) -> int:
        """The frame on screen at that time."""
        ...


@dataclass(frozen=True, slots=True)
class GridFrame:
    """A frame that is indexed; `keys` are the spellings under which metadata names it."""

    number: int
    time: float | None
    keys: list[str] = field(default_factory=list)

    @property
    def is_named(self) -> bool:
        return bool(self.keys)


def sampled(timeline: Timeline, block: FrameBlock | None) -> list[GridFrame]:
    """The indexed frames of a video, in order."""
    if not len(timeline):
        return []
    rate = DEFAULT_SAMPLING_RATE if block is None else block.sampling_rate
    frames = {number: GridFrame(number, timeline.time(number)) for number in _samples(timeline, rate)}
    for key, position in _positions(block).items():
        seconds = block is not None and block.keyframe_mode is KeyframeMode.SECONDS
        number = timeline.at(position) if seconds else int(position)
        if number < len(timeline):
            frames.setdefault(number, GridFrame(number, timeline.time(number))).keys.append(key)
    return [frames[number] for number in sorted(frames)]


def every_frame(count: int, block: FrameBlock | None, *, fps: float | None = None) -> list[GridFrame]:
    """Each of `count` frames; with a rate they have times."""
    frames = [GridFrame(n, n / fps if fps else None) for n in range(min(count, MAX_INDEXED_FRAMES))]
    for key, position in _positions(block).items():
        if position < len(frames):
            frames[int(position)].keys.append(key)
    return frames


def _samples(timeline: Timeline, rate: float) -> Iterator[int]:
    yield 0
    if not rate:
        return
    end = timeline.time(len(timeline) - 1)
    for step in range(1, min(int(end * rate) + 1, MAX_INDEXED_FRAMES)):
        yield timeline.at(step / rate)


def _positions(block: FrameBlock | None) -> Mapping[str, float]:
    return {} if block is None else block.positions()
