"""The frames of a video by its packets: one pass, nothing decoded but the beginning.

| container | read of the file |
|---|---|
| MP4, QuickTime | the index (`moov`) and the first frame |
| fragmented MP4 | what lies around the fragments' indices; their media reads as zeros |
| MKV, WebM, MPEG-TS, AVI | all of it |

Codecs whose frames only the data tell apart (`_WHOLE_SAMPLES` has the others) cost the whole file in MP4, too.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from framedex.core.errors import InvalidArguments
from framedex.core.frames import MOST_FRAMES, FrameOrigin, FrameTable
from framedex.media.byte_file import ByteFile
from framedex.media.containers import Container, check_whole, opened, sniff
from framedex.media.video.h264_fields import FieldPairs
from framedex.media.video.movie import Atom, check_index, is_fragmented, movie_of_track, read_index
from framedex.media.video.sample_table import TableOnlyFile

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# MP4 stores one frame of these per sample: nothing of the data is needed to count them.
_WHOLE_SAMPLES = frozenset(
    {"h264", "hevc", "vvc", "av1", "vp9", "mjpeg", "prores", "mpeg4", "dnxhd", "png", "rawvideo", "qtrle"}
)
# Packets to try before the first frame: a dozen seconds of video.
_MOST_UNDECODED = 720
# AVI has one time a packet; these hand out frames in another order without having told the container.
_REORDERED = frozenset({"h264", "hevc"})
_WHERE_UNKNOWN = Fraction(25)
_REPORT_EVERY = 4096

#: Hears the share of the file that was read, 0 to 1.
OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the beginning of a video tells.

    Attributes:
        first: its first frame, decoded: the size, colours and rotation of all.
        rate: frames per second as the header says, which may lie.
        index: the boxes of `moov`; None in other containers.
        reads_all: whether its frames cannot be told without reading (nearly) all of the file.
    """

    container: Container
    codec: str
    has_b_frames: bool
    track_id: int
    time_base: Fraction
    rate: Fraction | None
    first: VideoFrame
    index: list[Atom] | None
    reads_all: bool


class Shown(NamedTuple):
    """A frame as a packet or a decoder tells it."""

    time: int | None
    is_key: bool
    duration: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """The frames of a video.

    Attributes:
        has_times: the file says when frames are shown; without, they are laid out at the rate of its header.
        last_duration: how long the last frame is shown, in ticks: as the file says, else a usual step.
    """

    table: FrameTable
    has_times: bool
    last_duration: int

    @property
    def duration(self) -> Fraction | None:
        """Seconds from the first frame to the end of the last; None where the file does not say."""
        if not self.has_times:
            return None
        return (self.table.pts[-1] + self.last_duration - self.table.start) * self.table.time_base


def video_stream(media: InputContainer) -> VideoStream:
    """The first stream that is a video."""
    for stream in media.streams.video:
        # a cover picture is an attached still, no video
        if not stream.disposition & type(stream.disposition).attached_pic:
            return stream
    raise InvalidArguments("the file has no video stream")


def open_video(source: ByteFile) -> Opening:
    """Looks at the beginning of a video.

    Raises:
        InvalidArguments: not a video that can be read.
    """
    container = sniff(source)
    if container is None or container.video_mime is None:
        raise InvalidArguments("not a video that can be read: its content is none of MP4, MOV, MKV, WebM, AVI, MPEG-TS")
    check_whole(source, container)
    index = list(read_index(source)) if container.demuxer == "mov" else None
    if index is not None:
        check_index(index, source.size)
    source.seek(0)
    with opened(source, container) as media:
        stream = video_stream(media)
        _check_samples(stream, source.size)
        first = _first_frame(media, stream)
        context = stream.codec_context
        codec = context.codec.canonical_name
        is_by_index = index is not None and codec in _WHOLE_SAMPLES and not is_fragmented(index)
        return Opening(
            container,
            codec,
            bool(context.has_b_frames),
            stream.id,
            stream.time_base or Fraction(1, 90_000),
            stream.average_rate,
            first,
            index,
            reads_all=not is_by_index,
        )


def _check_samples(stream: VideoStream, size: int) -> None:
    end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    if end > size:
        raise InvalidArguments(f"the file is cut off: its index names frames up to byte {end}, and it has {size}")


def _first_frame(media: InputContainer, stream: VideoStream) -> VideoFrame:
    import av

    for packet in islice(media.demux(stream), _MOST_UNDECODED):
        # a recording cut out of a broadcast begins with packets that nothing can decode
        with suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                return frame
    raise InvalidArguments("the first frame of the video cannot be decoded")


def scan_frames(source: ByteFile, opening: Opening, on_progress: OnProgress | None = None) -> Scan:
    """All frames of a video that was opened.

    Raises:
        InvalidArguments: it has none, or more than are read.
    """
    is_counted = opening.container.demuxer == "avi" and opening.has_b_frames and opening.codec in _REORDERED
    origin, shown = _shown(source, opening, on_progress)
    frames = list(islice(shown, MOST_FRAMES + 1))
    if len(frames) > MOST_FRAMES:
        raise InvalidArguments(f"the video has more than {MOST_FRAMES} frames, which are not read")
    # what comes before the first frame that a decoder hands out is never shown: it needs frames that are not there
    start = None if is_counted else opening.first.pts
    kept = [f for f in frames if not f.is_cut and (start is None or f.time is None or f.time >= start)]
    if not kept:
        raise InvalidArguments("the video has no frames")
    return _scan(opening, kept, origin, is_counted=is_counted, cut=len(frames) - len(kept))


def _scan(opening: Opening, shown: list[Shown], origin: FrameOrigin, *, is_counted: bool, cut: int) -> Scan:
    has_times = all(frame.time is not None for frame in shown)
    time_base = opening.time_base if has_times else 1 / (opening.rate or _WHERE_UNKNOWN)
    ordered = sorted(shown, key=lambda frame: frame.time or 0) if has_times else shown
    times = [frame.time or 0 for frame in ordered] if has_times else range(len(ordered))
    table = FrameTable(
        time_base=time_base,
        pts=array("q", times),
        keys=array("q", [index for index, frame in enumerate(ordered) if frame.is_key]),
        origin=origin,
        rotation=round(opening.first.rotation / 90) % 4 * 90,
        is_counted=is_counted or not has_times,
        cut=cut,
    )
    return Scan(table, has_times, (ordered[-1].duration if has_times else 1) or _usual_step(times))


def _usual_step(times: range | list[int]) -> int:
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    return steps[len(steps) // 2] if steps else 0


def _shown(source: ByteFile, opening: Opening, on_progress: OnProgress | None) -> tuple[FrameOrigin, Iterator[Shown]]:
    if not opening.reads_all:
        assert opening.index is not None, "only MP4 is read by its index"
        movie = movie_of_track(opening.index, opening.track_id)
        if movie is not None:
            return FrameOrigin.SAMPLES, _packets(io.BytesIO(movie), opening, None, source.size)
    if opening.index is not None and opening.codec in _WHOLE_SAMPLES:
        return FrameOrigin.SAMPLES, _packets(TableOnlyFile(source), opening, on_progress, source.size)
    return FrameOrigin.PACKETS, _packets(source, opening, on_progress, source.size)


def _packets(
    file: io.BytesIO | io.RawIOBase, opening: Opening, on_progress: OnProgress | None, size: int
) -> Iterator[Shown]:
    """Packets that are shown. Where there is no data to look at, nothing may look at it: it would unmake key flags."""
    file.seek(0)
    is_blank = isinstance(file, io.BytesIO | TableOnlyFile)
    with opened(file, opening.container, parses=not is_blank) as media:
        stream = video_stream(media)
        if isinstance(file, TableOnlyFile):
            file.skip_media()
        pairs = _field_pairs(stream, opening)
        for number, packet in enumerate(media.demux(stream)):
            if on_progress is not None and number % _REPORT_EVERY == 0:
                on_progress((packet.pos or 0) / size)
            if pairs is not None and packet.size and pairs.is_second(bytes(packet)):
                continue
            if packet.size and _is_shown(packet, opening.codec):
                time = packet.pts if packet.pts is not None else packet.dts
                yield Shown(time, packet.is_keyframe, packet.duration or 0, packet.is_discard)


def _field_pairs(stream: VideoStream, opening: Opening) -> FieldPairs | None:
    """H.264 outside MP4 may carry the two fields of a frame in two packets."""
    if opening.codec != "h264" or opening.container.demuxer == "mov":
        return None
    pairs = FieldPairs(stream.codec_context.extradata or b"")
    return None if pairs.are_frames else pairs


def _is_shown(packet: Packet[VideoStream], codec: str) -> bool:
    """VP8 has reference frames that are never shown, in packets of their own (RFC 6386, 9.1: the show_frame bit)."""
    return codec != "vp8" or bool(memoryview(packet)[0] & 0x10)
