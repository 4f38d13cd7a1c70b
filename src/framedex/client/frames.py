"""Exact frames of a local video, by rank of presentation time, and the SHA-256 that certifies each.

```
with FrameReader("drive.mp4") as video:
    pixels = video.frame(150).to_ndarray(format="rgb24")
    print(video.certificate(150).sha256)     # the same as the server's for frame 150
```

The hash is over the decoder's planes in their native pixel format: rows without padding, before rotation and scaling,
as `ffmpeg -flags bitexact -i FILE -f framehash -hash sha256 -` prints it.
"""

from __future__ import annotations

import hashlib
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO, Self

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

File = str | PathLike[str] | bytes | BinaryIO

# Nothing is guessed and nothing else is opened: a playlist in disguise would make FFmpeg fetch what it names.
_DEMUXERS = "mov,mp4,matroska,webm,avi,mpegts"
_LOOK_BEYOND = 16


class NoSuchFrame(LookupError):
    """The file has no frame of this index or time, or it cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the frame table: `pts` in units of the stream's time base, `time` in seconds of it."""

    index: int
    pts: int
    time: float
    is_key: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a picture is, without its pixels: two decoders that answer the same showed the same."""

    frame: int
    pts: int | None
    pixel_format: str
    width: int
    height: int
    sha256: str


class FrameReader:
    """Frames of one video by index. The index is the rank by presentation time, never derived from a rate."""

    def __init__(self, file: File, *, table: Sequence[Entry] | None = None) -> None:
        """Opens the file; reads its packets for the frame table when none is given (a server's is taken as it is)."""
        self._is_own = isinstance(file, bytes | str | PathLike)
        self._file = _opened(file)
        try:
            # Two readers of one file would take each other's place: first the table, then the decoder.
            self.table: Sequence[Entry] = table if table is not None else self._read_table()
            self._media = self._open()
        except BaseException:
            self._close_file()
            raise
        self._stream = _video_stream(self._media)
        self._is_counted = _is_counted(self._media, self._stream)
        self._keys = [] if self._is_counted else [entry for entry in self.table if entry.is_key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.table)

    def close(self) -> None:
        self._media.close()
        self._close_file()

    def frame(self, index: int) -> VideoFrame:
        """The frame of this index, decoded.

        Raises:
            NoSuchFrame: there is none, or it cannot be decoded.
        """
        return next(iter(self.frames([index])))

    def at(self, time: float) -> VideoFrame:
        """The frame on screen `time` seconds after the first."""
        start = self.table[0].time if self.table else 0.0
        place = bisect_right([entry.time - start for entry in self.table], time) - 1
        return self.frame(max(0, place))

    def frames(self, indices: Iterable[int]) -> Iterator[VideoFrame]:
        """Frames in the order asked for; a run of neighbours is decoded once."""
        wanted = list(indices)
        for index in wanted:
            if not 0 <= index < len(self.table):
                raise NoSuchFrame(f"the video has {len(self.table)} frames, counted from 0; there is no frame {index}")
        start = 0
        while start < len(wanted):
            end = start + 1
            while end < len(wanted) and 0 <= wanted[end] - wanted[end - 1] <= _LOOK_BEYOND:
                end += 1
            yield from self._run(wanted[start:end])
            start = end

    def certificate(self, index: int) -> Certificate:
        """Decodes the frame and hashes its planes."""
        return self._certified(index, self.frame(index))

    def certificates(self, indices: Iterable[int]) -> Iterator[Certificate]:
        """As `certificate`, for many."""
        wanted = list(indices)
        for index, frame in zip(wanted, self.frames(wanted), strict=True):
            yield self._certified(index, frame)

    def _certified(self, index: int, frame: VideoFrame) -> Certificate:
        pts = self.table[index].pts
        return Certificate(index, pts, frame.format.name, frame.width, frame.height, sha256_of_frame(frame))

    def _run(self, indices: Sequence[int]) -> Iterator[VideoFrame]:
        """Ascending neighbours, from the key frame before the first; then from earlier ones, at last from the start."""
        first = bisect_right([key.index for key in self._keys], indices[0]) - 1
        needed = self._keys[first].pts if first >= 0 else None
        for step in (0, 1, 3):
            if needed is None or first < step or not self._seek(self._keys[first - step].pts, needed):
                continue
            found = self._decode(indices)
            if len(found) == len(set(indices)):
                return iter([found[index] for index in indices])
        self._media.close()
        self._media = self._open()
        self._stream = _video_stream(self._media)
        self._packets = self._media.demux(self._stream)
        found = self._decode(indices, takes_damaged=True)
        for index in indices:
            if index not in found:
                raise NoSuchFrame(f"frame {index} (presentation time {self.table[index].pts}) cannot be decoded")
        return iter([found[index] for index in indices])

    def _seek(self, pts: int, needed: int) -> bool:
        """Whether the first key packet after the seek is not behind the key frame that is needed."""
        with suppress(av.error.FFmpegError):
            self._media.seek(pts, stream=self._stream, backward=True, any_frame=False)
            packets = self._media.demux(self._stream)
            for packet in packets:
                if packet.size and packet.is_keyframe:
                    self._packets = _chained(packet, packets)
                    time = packet.pts if packet.pts is not None else packet.dts
                    return time is not None and time <= needed
        return False

    def _decode(self, indices: Sequence[int], *, takes_damaged: bool = False) -> Mapping[int, VideoFrame]:
        wanted = {(self.table[i].pts, self._rank_among_equals(i)): i for i in indices}
        last = max(pts for pts, _ in wanted)
        found: dict[int, VideoFrame] = {}
        seen: Counter[int] = Counter()
        beyond = 0
        for place, frame in enumerate(_decodable(self._packets)):
            time = self._time_of(place, frame)
            if time is None:
                continue
            index = wanted.get((time, seen[time]))
            if index is not None and (takes_damaged or not frame.is_corrupt):
                found[index] = frame
            seen[time] += 1
            beyond += time > last
            if len(found) == len(wanted) or beyond > _LOOK_BEYOND:
                break
        return found

    def _time_of(self, place: int, frame: VideoFrame) -> int | None:
        if self._is_counted:
            return self.table[place].pts if place < len(self.table) else None
        return frame.pts if frame.pts is not None else frame.dts

    def _rank_among_equals(self, index: int) -> int:
        """0, but for a frame with the presentation time of the one before it."""
        rank = 0
        while index - rank > 0 and self.table[index - rank - 1].pts == self.table[index].pts:
            rank += 1
        return rank

    def _open(self) -> InputContainer:
        self._file.seek(0)
        options = {"protocol_whitelist": "none", "format_whitelist": _DEMUXERS}
        return av.open(self._file, "r", container_options=options, io_open=_refuse_open)

    def _close_file(self) -> None:
        if self._is_own:
            self._file.close()

    def _read_table(self) -> Sequence[Entry]:
        """One pass over the packets; decoded is the first frame, and H.264 whose fields may lie in two packets."""
        with self._open() as media:
            first = next(_decodable(media.demux(_video_stream(media))), None)
        if first is None:
            raise NoSuchFrame("the first frame of the video cannot be decoded")
        with self._open() as media:
            stream = _video_stream(media)
            base = float(stream.time_base or 1)
            shown = sorted(_shown(media, stream, first), key=lambda row: row[0])
        return [Entry(i, pts, pts * base, is_key) for i, (pts, is_key) in enumerate(shown)]


def _opened(file: File) -> BinaryIO:
    """FFmpeg gets no path: what it cannot open by name no playlist can make it open."""
    if isinstance(file, bytes):
        return io.BytesIO(file)
    return open(file, "rb") if isinstance(file, str | PathLike) else file  # noqa: PTH123  # closed by `close`


def sha256_of_frame(frame: VideoFrame) -> str:
    """The hash of a frame as it came from the decoder."""
    digest = hashlib.sha256()
    for plane, row_bytes in zip(frame.planes, _row_bytes(frame), strict=False):
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * plane.line_size].reshape(
            plane.height, plane.line_size
        )
        digest.update(np.ascontiguousarray(rows[:, :row_bytes]).data)
    if frame.format.has_palette:
        _, palette = frame.to_ndarray(format="pal8")
        digest.update(palette[:, ::-1].tobytes())
    return digest.hexdigest()


def _row_bytes(frame: VideoFrame) -> Sequence[int]:
    form = frame.format
    if form.has_palette:
        return [frame.width]
    if len(frame.planes) == 1:
        # two pixels of packed 4:2:2 share their colour
        shares = any(component.width < frame.width for component in form.components)
        width = frame.width + (frame.width & 1 if shares else 0)
        return [(width * form.padded_bits_per_pixel + 7) // 8]
    found = [0] * len(frame.planes)
    for component in form.components:
        found[component.plane] += component.width * ((component.bits + 7) // 8)
    return found


def _video_stream(media: InputContainer) -> VideoStream:
    for stream in media.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            context = stream.codec_context
            # MPEG-4 Part 2, MPEG-2 and JPEG leave rounding to the decoder: so it is the same everywhere
            context.thread_type, context.options = "AUTO", {"flags": "bitexact"}
            return stream
    raise NoSuchFrame("the file has no video")


def _shown(media: InputContainer, stream: VideoStream, first: VideoFrame) -> Iterator[tuple[int, bool]]:
    """Presentation time and key flag of what a decoder outputs, in the order of the file."""
    codec, container = stream.codec_context.codec.canonical_name, media.format.name
    if codec == "h264" and "mov" not in container and first.interlaced_frame:
        yield from ((f.pts, bool(f.key_frame)) for f in _decodable(media.demux(stream)) if f.pts is not None)
        return
    # what comes before the first frame that a decoder hands out needs frames that are not there
    start = None if _is_counted(media, stream) else first.pts
    for packet in media.demux(stream):
        is_hidden = packet.is_discard or (codec == "vp8" and packet.size and not bytes(packet)[0] & 0x10)
        time = packet.pts if packet.pts is not None else packet.dts
        if packet.size and not is_hidden and time is not None and (start is None or time >= start):
            yield time, packet.is_keyframe


def _is_counted(media: InputContainer, stream: VideoStream) -> bool:
    """AVI has one time a packet, and these codecs another order: their frames can be counted only."""
    context = stream.codec_context
    return (
        media.format.name == "avi" and bool(context.has_b_frames) and context.codec.canonical_name in ("h264", "hevc")
    )


def _decodable(packets: Iterable[Packet[VideoStream]]) -> Iterator[VideoFrame]:
    for packet in packets:
        with suppress(av.error.InvalidDataError):
            yield from packet.decode()


def _chained(first: Packet[VideoStream], others: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from others


def _refuse_open(_url: str, _flags: int, _options: Mapping[str, str]) -> object:
    raise PermissionError("a video may not name other files")
