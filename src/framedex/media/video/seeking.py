"""Frames of a video by their presentation time, decoded from a key frame that is proved to lie before them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.containers import Container, opened
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels
from framedex.media.video.scan import video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Decoding on is cheaper than a seek while so few frames are passed over.
_WORTH_PASSING = 24
# Frames come in the order of their times, except where times are broken: looked at beyond the last one wanted.
_LOOK_BEYOND = 16
# How many key frames earlier each further attempt begins; the last begins with the file.
_STEPS_BACK = (0, 1, 3)
# The same in seconds, where key frames are not known.
_SECONDS_BACK = (0.0, 5.0, 30.0)
# As in `FrameTable`: what was typed as seconds is off by less.
_TOLERANCE_S = 1e-6
# Two threads: a third would cost the memory of further frames, and there are as many workers as processors.
_THREADS = 2
# Threads that each decode a frame of their own hold more frames; of 8K, with 10 bits, one has 100 MB.
_LARGE = 16_000_000
# So that codecs which leave rounding to the decoder (MPEG-4 Part 2, MPEG-2, JPEG) answer the same everywhere.
_EXACT = {"flags": "bitexact"}
# Containers that keep whole frames in a packet: of them, frames that nobody wants or refers to need no decoding.
_WHOLE_FRAMES = frozenset({"mov"})
_SKIPPABLE = frozenset({"h264", "hevc"})


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """A frame: its rank by time, its time in units of the stream's time base, and which of those with the same time."""

    index: int
    pts: int
    nth: int


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """Where decoding may begin."""

    index: int
    pts: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame without its index: `time` is in seconds after the first."""

    frame: VideoFrame
    pts: int
    time_base: Fraction
    time: float


OnFrame = Callable[[Wanted, "VideoFrame"], None]


class FrameSeeker:
    """Decodes wanted frames of one file. A frame is the one whose time is the table's; no other is ever answered."""

    def __init__(self, source: ByteFile, container: Container, keys: Sequence[KeyFrame], limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._container = container
        self._keys = keys
        self._key_indices = [key.index for key in keys]

    def each(self, wanted: Sequence[Wanted], on_frame: OnFrame) -> None:
        """Calls `on_frame` once for each wanted frame, in the order of their times.

        Raises:
            InvalidArguments: the file has no such frame, or it cannot be decoded.
        """
        groups = list(self._groups(sorted(set(wanted))))
        with self._opened() as session:
            missing = [w for group in groups for w in self._collect(session, group, on_frame)]
        if not missing:
            return
        # The whole way from the start, which is what a decoder that never seeks does.
        with self._opened() as session:
            missing = session.run(missing, on_frame, takes_damaged=True)
        for target in missing:
            raise InvalidArguments(
                f"frame {target.index} (presentation time {target.pts}) cannot be decoded: the video is damaged there, "
                "or it is not the one that was registered"
            )

    def each_counted(self, wanted: Sequence[Wanted], on_frame: OnFrame) -> None:
        """As `each`, for files that name no presentation times: frames are counted from the first.

        Raises:
            InvalidArguments: the file has fewer frames.
        """
        left = {target.index: target for target in wanted}
        with self._opened() as session:
            for index, frame in enumerate(session.frames()):
                if index in left:
                    on_frame(left.pop(index), frame)
                if not left:
                    return
        raise InvalidArguments(f"frame {min(left)} cannot be decoded: the video ends before it")

    def shown_at(self, seconds: float) -> Moment:
        """The frame on screen `seconds` after the first; no table is needed.

        It is found by the container's own index and proved by the times of two frames: none that is later than the
        moment comes before the one answered, and the next is later.

        Raises:
            InvalidArguments: nothing can be decoded there, or the file names no times.
        """
        with self._opened() as session:
            target = session.ticks_at(seconds)
            for back_s in _SECONDS_BACK if seconds > 0 else ():
                before = session.ticks_at(max(0.0, seconds - back_s))
                if session.seek(before, target) and (found := session.last_before(target)) is not None:
                    return found
        with self._opened() as session:
            found = session.last_before(session.ticks_at(seconds))
        if found is None:
            raise InvalidArguments(f"no frame can be decoded {seconds} s after the first")
        return found

    def _groups(self, wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
        """Runs that one decoding from one key frame covers."""
        group: list[Wanted] = []
        for target in wanted:
            key = self._key_before(target, 0)
            if group and key is not None and key.index - group[-1].index > _WORTH_PASSING:
                yield group
                group = []
            group.append(target)
        if group:
            yield group

    def _collect(self, session: Session, group: list[Wanted], on_frame: OnFrame) -> list[Wanted]:
        """Answers those that were not found from any of the key frames before them."""
        missing = group
        for step in _STEPS_BACK:
            needed, key = self._key_before(missing[0], 0), self._key_before(missing[0], step)
            if needed is None or key is None or not session.seek(key.pts, needed.pts):
                continue
            missing = session.run(missing, on_frame)
            if not missing:
                break
        return missing

    def _key_before(self, target: Wanted, step: int) -> KeyFrame | None:
        place = bisect_right(self._key_indices, target.index) - 1 - step
        return self._keys[place] if place >= 0 else None

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        self._source.seek(0)
        with opened(self._source, self._container) as media:
            context = video_stream(media).codec_context
            check_pixels(context.width, context.height, self._limits)
            yield Session(media, self._container)


class Session:
    """An open file and its decoder."""

    def __init__(self, media: InputContainer, container: Container) -> None:
        self._media = media
        self._stream: VideoStream = video_stream(media)
        context = self._stream.codec_context
        is_large = context.width * context.height > _LARGE
        context.thread_type, context.thread_count = "SLICE" if is_large else "AUTO", _THREADS
        context.options = _EXACT
        name = context.codec.canonical_name
        self._may_skip = container.demuxer in _WHOLE_FRAMES and name in _SKIPPABLE
        self._packets = self._media.demux(self._stream)

    def seek(self, pts: int, needed_pts: int) -> bool:
        """Goes to the key frame at `pts`, or one before it; False when that ends up after the key frame `needed_pts`.

        Some containers land behind where they were asked to go (MPEG-TS has no index): the first key packet tells.
        """
        import av

        with suppress(av.error.FFmpegError):
            self._media.seek(pts, stream=self._stream, backward=True, any_frame=False)
            packets = self._media.demux(self._stream)
            for packet in packets:
                if packet.size and packet.is_keyframe:
                    time = _time_of(packet)
                    self._packets = _chained(packet, packets)
                    return time is not None and time <= needed_pts
        return False

    def ticks_at(self, seconds: float) -> int:
        """The moment in the time base of the stream."""
        base = self._stream.time_base or Fraction(1, 1000)
        return (self._stream.start_time or 0) + int((seconds + _TOLERANCE_S) / base)

    def last_before(self, target: int) -> Moment | None:
        """The last frame at or before a moment (the first, when none is), from where the file stands on."""
        last: Moment | None = None
        base, start = self._stream.time_base or Fraction(1, 1000), self._stream.start_time or 0
        for frame in self.frames():
            if frame.pts is None or frame.is_corrupt:
                continue
            if frame.pts > target and last is not None:
                break
            last = Moment(frame, frame.pts, base, float((frame.pts - start) * base))
            if frame.pts > target:
                break
        return last

    def run(self, wanted: list[Wanted], on_frame: OnFrame, *, takes_damaged: bool = False) -> list[Wanted]:
        """Decodes from where the file stands; answers what was not found."""
        left = dict.fromkeys(wanted)
        times = {target.pts for target in wanted}
        last, seen, beyond = max(times), dict.fromkeys(times, 0), 0
        for frame in self.frames(times):
            time = frame.pts if frame.pts is not None else frame.dts
            if time is None:
                continue
            for target in [t for t in left if t.pts == time and t.nth == seen[time]]:
                if takes_damaged or not frame.is_corrupt:
                    on_frame(target, frame)
                    del left[target]
            if time in seen:
                seen[time] += 1
            beyond += time > last
            if not left or beyond > _LOOK_BEYOND:
                break
        return list(left)

    def frames(self, times: set[int] | None = None) -> Iterator[VideoFrame]:
        """Decoded frames from where the file stands; with `times` others than those may be left out."""
        import av

        context = self._stream.codec_context
        for packet in self._packets:
            if self._may_skip and times is not None:
                is_wanted = packet.pts is None or packet.pts in times
                context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
            with suppress(av.error.InvalidDataError):
                yield from packet.decode()


def _chained(first: Packet[VideoStream], others: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from others


def _time_of(packet: Packet[VideoStream]) -> int | None:
    return packet.pts if packet.pts is not None else packet.dts
