"""A video encoded anew as H.264 MP4 at a constant rate, for players and tools that get along with nothing else.

`asked`: `{"is_forced": bool}`. Unless forced, a video that is such a file already is told so and nothing is written.

Facts: `frame_map` (base64 of `FrameMap.to_bytes`), `is_same`, `lost_frames` (old frames that cannot be decoded; the
picture before them stays), and `sound`: `copied`, `aac` or None.

What is written: yuv420p, no B-frames, so that frame n is shown at exactly n / rate from 0 on and decodes early; a key
frame every two seconds; the index before the data; the display rotation baked in; the shape of pixels and the colour
space kept as tags. Old frames are those of the frame table.
"""

from __future__ import annotations

import base64
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from framedex.core.errors import InvalidArguments
from framedex.core.frame_maps import FrameMap
from framedex.media.byte_file import ByteFile
from framedex.media.containers import opened
from framedex.media.iso_boxes import top_level_boxes
from framedex.media.kind import LongSink, Sink
from framedex.media.limits import Limits
from framedex.media.video.constant_rate import layout
from framedex.media.video.scan import Opening, Scan, open_video, scan_frames, video_stream
from framedex.media.video.sound_track import most_packets, sound_track
from framedex.media.video.upright import Upright

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# bytes that the index needs for a frame of video or sound (sizes, offsets, chunks, key frames), and around it
_INDEX_PER_PACKET, _INDEX_BASE = 40, 16_384
_REPORT_EVERY_S = 0.5
_SHARE_OF_SCAN = 0.05
_MOST_LOST = 0.5
_KEY_EVERY_S = 2
_MOST_BETWEEN_KEYS = 250
_MOST_THREADS = 8
# the matrix that colours are given as they leave RGB (ITU-T H.273: 6, SMPTE 170M)
_FROM_RGB = 6


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See the module.

    Raises:
        InvalidArguments: not a video that can be read, more frames than may be made, or most of them cannot be decoded.
    """
    (source,) = sources
    report = _scanning(sink)
    opening = open_video(source)
    scan = scan_frames(source, opening, report)
    table = scan.table
    frame_map = layout(table.pts, table.time_base, scan.last_duration, limits.made_frames)
    old = _Old(opening, scan, frame_map)
    if not asked.get("is_forced") and _is_same(source, old):
        return _facts(old.frame_map, is_same=True, lost=0, sound=None)
    encoding = _Encoding(source, sink, old)
    encoding.run()
    return _facts(old.frame_map, is_same=False, lost=encoding.lost, sound=encoding.sound)


@dataclass(frozen=True, slots=True)
class _Old:
    """The video that is encoded anew, as far as its packets tell."""

    opening: Opening
    scan: Scan
    frame_map: FrameMap

    @property
    def start_s(self) -> Fraction:
        return self.scan.table.start * self.scan.table.time_base if self.scan.has_times else Fraction(0)


def _scanning(sink: Sink) -> Callable[[float], None] | None:
    if not isinstance(sink, LongSink):
        return None
    return lambda share: sink.progress(share * _SHARE_OF_SCAN)


def _facts(frame_map: FrameMap, *, is_same: bool, lost: int, sound: str | None) -> dict[str, object]:
    packed = base64.b64encode(frame_map.to_bytes()).decode("ascii")
    return {"frame_map": packed, "is_same": is_same, "lost_frames": lost, "sound": sound}


def _is_same(source: ByteFile, old: _Old) -> bool:
    """Whether it would come out as it went in."""
    opening = old.opening
    first = opening.first
    if opening.container.video_mime != "video/mp4" or opening.codec != "h264" or opening.has_b_frames:
        return False
    if first.format.name != "yuv420p" or first.rotation or first.width % 2 or first.height % 2:
        return False
    boxes = [box.type for box in top_level_boxes(source)]
    is_index_first = b"mdat" not in boxes or boxes.index(b"moov") < boxes.index(b"mdat")
    return is_index_first and old.start_s == 0 and old.frame_map.is_one_to_one


class _Encoding:
    """One pass: packets are decoded, laid out, encoded and written as they come."""

    def __init__(self, source: ByteFile, sink: Sink, old: _Old) -> None:
        self._source = source
        self._sink = sink
        self._old = old
        self._map = old.frame_map
        self._upright = Upright(old.opening.first)
        self._picture: VideoFrame | None = None
        self._rank = -1  # of the old frame whose picture this is
        self._written = 0
        self._decoded = 0
        self._report_at = 0.0
        self.sound: str | None = None

    @property
    def lost(self) -> int:
        return len(self._map.starts) - self._decoded

    def run(self) -> None:
        """Encodes all of it.

        Raises:
            InvalidArguments: more than half of the frames cannot be decoded.
        """
        import av

        old = self._old
        self._source.seek(0)
        with opened(self._source, old.opening.container) as media:
            video = video_stream(media)
            video.thread_type, video.codec_context.thread_count = "AUTO", _threads()
            room = self._map.count + most_packets(
                media, old.opening.container.demuxer, self._map.count / self._map.rate
            )
            # the index is given its room in advance: writing it first otherwise means to read the output back
            options = {"moov_size": str(_INDEX_BASE + _INDEX_PER_PACKET * room)}
            with av.open(self._sink, "w", format="mp4", container_options=options) as out:
                stream = self._add_video(out, video)
                end_s = old.start_s + self._map.count / self._map.rate
                sound = sound_track(media, out, old.opening.container.demuxer, old.start_s, end_s)
                self.sound = None if sound is None else sound.form
                for packet in media.demux([video] if sound is None else [video, sound.stream]):
                    if sound is not None and packet.stream is sound.stream:
                        _mux(out, sound.packets(cast("Packet[AudioStream]", packet)))
                    else:
                        _mux(out, self._packets(cast("Packet[VideoStream]", packet), stream))
                self._check_decoded()
                _mux(out, self._packets_up_to(self._map.count, stream))
                _mux(out, stream.encode(None))

    def _add_video(self, out: OutputContainer, old: VideoStream) -> VideoStream:
        first, map_ = self._old.opening.first, self._map
        stream = out.add_stream("libx264", map_.rate)
        stream.width, stream.height, stream.pix_fmt = self._upright.width, self._upright.height, "yuv420p"
        between = max(1, min(_MOST_BETWEEN_KEYS, round(_KEY_EVERY_S * map_.rate)))
        stream.options = {"preset": "veryfast", "crf": "20", "bf": "0", "rc-lookahead": "10", "g": str(between)}
        context = stream.codec_context
        context.thread_count = _threads()
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        context.colorspace = _FROM_RGB if first.format.is_rgb else first.colorspace
        shape = old.sample_aspect_ratio
        if shape:
            context.sample_aspect_ratio = 1 / shape if self._upright.is_turned else shape
        return stream

    def _packets(self, packet: Packet[VideoStream], stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        """What the new video gets for a packet of the old one; an empty one brings out what the decoder holds."""
        import av

        with suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                rank = self._rank_of(frame)
                if rank is None:
                    continue
                self._decoded += 1
                if self._picture is None:  # those before it are lost: it stands for them
                    self._picture = frame
                yield from self._packets_up_to(self._map.starts[rank], stream)
                self._rank, self._picture = rank, frame
        self._report()

    def _rank_of(self, frame: VideoFrame) -> int | None:
        """Which old frame it is; None for one that the frame table does not have, and for one that comes too late."""
        table = self._old.scan.table
        if table.is_counted or frame.pts is None:
            rank = self._rank + 1
            return rank if rank < len(self._map.starts) else None
        rank = max(bisect_left(table.pts, frame.pts), self._rank + 1)
        return rank if rank < len(table) and table.pts[rank] == frame.pts else None

    def _packets_up_to(self, end: int, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        """Shows the present picture up to a new frame, without it."""
        if self._written >= end or self._picture is None:
            return
        picture = self._upright.of(self._picture)
        picture.pict_type = 0  # what it was in the old video is no wish for the new one
        picture.time_base = 1 / self._map.rate
        while self._written < end:
            picture.pts = self._written
            self._written += 1
            yield from stream.encode(picture)
            self._report()

    def _check_decoded(self) -> None:
        if self.lost > len(self._map.starts) * _MOST_LOST:
            raise InvalidArguments(f"{self.lost} of {len(self._map.starts)} frames cannot be decoded")

    def _report(self) -> None:
        if time.monotonic() >= self._report_at and isinstance(self._sink, LongSink):
            self._sink.progress(_SHARE_OF_SCAN + (1 - _SHARE_OF_SCAN) * self._written / self._map.count)
            self._report_at = time.monotonic() + _REPORT_EVERY_S


def _mux(out: OutputContainer, packets: Iterable[Packet[VideoStream] | Packet[AudioStream]]) -> None:
    """One by one: a frame that stays for an hour makes many."""
    for packet in packets:
        out.mux_one(packet)


def _threads() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)
