"""The sound of a video that is encoded anew: copied where players take it in an MP4, else encoded as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

_COPIED = frozenset({"aac", "mp3", "opus"})
# Raw AAC in MPEG-TS has no header of its own that an MP4 needs.
_COPIED_FROM = frozenset({"mov", "matroska"})
_BITS_PER_S = 160_000
_AAC_SAMPLES = 1024
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_USUAL_RATE = 48_000
_MOST_CHANNELS = 8
# The fewest samples of a packet, for the room that the index needs.
_FEWEST_SAMPLES = {"aac": 1024, "mp3": 576, "opus": 120}


class SoundTrack(Protocol):
    """One track of sound on its way from a video to the new one; `form` is `copied` or `aac`."""

    form: str
    stream: AudioStream

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """What the new video gets for a packet of the old one; an empty one ends the track."""
        ...


def most_packets(media: InputContainer, demuxer: str, seconds: Fraction) -> int:
    """How many packets of sound the new video may get at most."""
    if not media.streams.audio:
        return 0
    stream = media.streams.audio[0]
    samples = (
        _FEWEST_SAMPLES[stream.codec_context.codec.canonical_name] if _is_copied(stream, demuxer) else _AAC_SAMPLES
    )
    return int((seconds + 1) * max(stream.codec_context.sample_rate, _USUAL_RATE) / samples) + 1


def sound_track(
    media: InputContainer, out: OutputContainer, demuxer: str, start_s: Fraction, end_s: Fraction
) -> SoundTrack | None:
    """The first track of sound, if there is one, and how it is handed on.

    Args:
        start_s: time in `media` that is 0 in `out`. end_s: where it ends; sound outside is left out.
    """
    if not media.streams.audio:
        return None
    stream = media.streams.audio[0]
    make = _Copied if _is_copied(stream, demuxer) else _Encoded
    return make(out, stream, start_s, end_s)


def _is_copied(stream: AudioStream, demuxer: str) -> bool:
    return demuxer in _COPIED_FROM and stream.codec_context.codec.canonical_name in _COPIED


class _Copied:
    form = "copied"

    def __init__(self, out: OutputContainer, stream: AudioStream, start_s: Fraction, end_s: Fraction) -> None:
        self._out: AudioStream = out.add_stream_from_template(stream)
        self.stream = stream
        base = stream.time_base or Fraction(1, _USUAL_RATE)
        self._start, self._end = round(start_s / base), round(end_s / base)
        self._last: int | None = None

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        time, duration = packet.pts, packet.duration or 0
        # a decoder needs the packet before the first that is heard; players skip what is before 0
        if time is None or not packet.size or not self._start - duration <= time < self._end:
            return
        if self._last is not None and time <= self._last:  # the muxer takes rising times only
            return
        self._last = time
        packet.pts = packet.dts = time - self._start
        packet.stream = self._out
        yield packet


class _Encoded:
    form = "aac"

    def __init__(self, out: OutputContainer, stream: AudioStream, start_s: Fraction, end_s: Fraction) -> None:
        context = stream.codec_context
        self.stream = stream
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else _USUAL_RATE
        self._out = out.add_stream("aac", rate=rate)
        self._out.bit_rate = _BITS_PER_S
        self._out.layout = context.layout.name if _is_usual(context.layout.name, context.channels) else "stereo"
        self._start_s, self._end_s = start_s, end_s

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        import av

        with suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                if self._is_heard(frame):
                    yield from self._out.encode(frame)
        if not packet.size:
            yield from self._out.encode(None)

    def _is_heard(self, frame: AudioFrame) -> bool:
        """Moves a frame to the new video's time; whether it falls into it."""
        if frame.pts is None or not frame.time_base:
            return False
        begin_s = frame.pts * frame.time_base
        if not self._start_s <= begin_s < self._end_s:
            return False
        frame.pts = round((begin_s - self._start_s) / frame.time_base)
        return True


def _is_usual(layout: str, channels: int) -> bool:
    return 1 <= channels <= _MOST_CHANNELS and layout in ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
