"""Facts of sound, by decoding all of it: headers were off by up to 11 s in 16 (VBR MP3 without an index)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.containers import check_whole, opened, sniff
from framedex.media.limits import Limits

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Packets that do not decode: tags and padding between frames of MP3 are normal, a file of nothing else is not sound.
_MOST_BAD = 0.1


@dataclass(slots=True)
class _Decoded:
    """What came out of the decoder; `seconds` is exact, also where the sample rate changes."""

    seconds: Fraction = Fraction(0)
    samples: int = 0
    sample_rate: int = 0
    channels: int = 0
    sample_bits: int = 0
    packets: int = 0
    bad_packets: int = 0

    def add(self, frame: AudioFrame) -> None:
        if not self.sample_rate:
            self.sample_rate, self.channels = frame.sample_rate, frame.layout.nb_channels
            self.sample_bits = frame.format.bits
        self.samples += frame.samples
        self.seconds += Fraction(frame.samples, frame.sample_rate)


class AudioKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        container = sniff(source)
        if container is None or container.audio_mime is None:
            raise InvalidArguments(
                "not sound that can be read: its content is none of WAV, MP3, FLAC, Ogg, M4A, AAC, AIFF, MKV, WebM"
            )
        check_whole(source, container)
        with opened(source, container) as media:
            if not media.streams.audio:
                raise InvalidArguments("the file has no sound")
            stream = media.streams.audio[0]
            end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
            if container.demuxer == "mov" and end > source.size:
                raise InvalidArguments(f"the file is cut off: its index names sound up to byte {end} of {source.size}")
            decoded = _decode(media, stream)
            codec, bits = stream.codec_context.codec.canonical_name, _stored_bits(stream, decoded.sample_bits)
        return MediaFacts(
            file_size=source.size,
            mime_type=container.audio_mime,
            duration=float(decoded.seconds),
            audio_sample_rate=decoded.sample_rate,
            audio_bit_depth=bits,
            audio_codec=codec,
            audio_num_channels=decoded.channels,
            extra={"samples": decoded.samples},
        )


def _decode(media: InputContainer, stream: AudioStream) -> _Decoded:
    decoded = _Decoded()
    for frame in _frames(media, stream, decoded):
        decoded.add(frame)
    if not decoded.samples:
        raise InvalidArguments("the file has no sound that can be decoded")
    if decoded.bad_packets > max(1, decoded.packets * _MOST_BAD):
        raise InvalidArguments(f"{decoded.bad_packets} of {decoded.packets} packets of sound cannot be decoded")
    _check_announced(stream, decoded)
    return decoded


def _frames(media: InputContainer, stream: AudioStream, decoded: _Decoded) -> Iterator[AudioFrame]:
    import av

    for packet in media.demux(stream):
        decoded.packets += 1
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            decoded.bad_packets += 1


def _check_announced(stream: AudioStream, decoded: _Decoded) -> None:
    """FLAC writes its exact number of samples first (RFC 9639, 8.2), 0 when unknown."""
    info = bytes(stream.codec_context.extradata or b"")
    if stream.codec_context.codec.canonical_name == "flac" and len(info) >= 18:
        announced = int.from_bytes(info[13:18], "big") & ((1 << 36) - 1)
        if announced and decoded.samples < announced:
            raise InvalidArguments(f"the file is cut off: it says {announced} samples and has {decoded.samples}")


def _stored_bits(stream: AudioStream, decoded_bits: int) -> int:
    """Bits per sample as stored; of the decoded form where the codec stores none (lossy codecs)."""
    name = stream.codec_context.codec.canonical_name
    if match := re.match(r"pcm_[suf](\d+)", name):
        return int(match[1])
    if name in ("pcm_alaw", "pcm_mulaw"):
        return 8
    info = bytes(stream.codec_context.extradata or b"")
    if name == "flac" and len(info) >= 14:
        return (((info[12] & 1) << 4) | (info[13] >> 4)) + 1
    if name == "alac" and len(info) >= 18:
        return info[17]  # a 12-byte atom header, then frame length (4), version (1), bit depth
    return decoded_bits


KIND = AudioKind()
