"""H.264 with field pictures (PAFF), which no encoder at hand writes: put together bit by bit, uncompressed (I_PCM).

| function | makes |
|---|---|
| `transport_stream(frames)` | MPEG-TS; its demuxer hands out each field as a packet |
| `mp4(frames)` | MP4; both fields are one sample |

Every fifth frame is an IDR picture; frames are 32 x 64 pixels, 25 a second.
"""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

_WIDTH, _FIELD_HEIGHT = 32, 32
_KEY_EVERY = 5
_START = b"\0\0\0\1"
_I_PCM = 25


class _Bits:
    """Writes numbers as ITU-T H.264 section 7.2 and 9.1 name them."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def u(self, value: int, length: int) -> _Bits:
        self._bits.append(f"{value:0{length}b}")
        return self

    def ue(self, *values: int) -> _Bits:
        for value in values:
            text = f"{value + 1:b}"
            self._bits.append("0" * (len(text) - 1) + text)
        return self

    def padded(self) -> bytes:
        text = "".join(self._bits)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    def ended(self) -> bytes:
        return self.u(1, 1).padded()


def _nal(header: int, body: bytes) -> bytes:
    out, zeros = bytearray(_START + bytes([header])), 0
    for byte in body:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _settings() -> bytes:
    sequence = _Bits().u(77, 8).u(0, 8).u(30, 8).ue(0, 0, 0, 4, 2).u(0, 1)
    # sizes in macroblocks; fields may be pictures, macroblocks are of one kind in each; no cropping; no VUI
    sequence.ue(_WIDTH // 16 - 1, _FIELD_HEIGHT // 16 - 1).u(0, 1).u(0, 1).u(1, 1).u(0, 1).u(0, 1)
    picture = _Bits().ue(0, 0).u(0, 1).u(0, 1).ue(0, 0, 0).u(0, 1).u(0, 2).ue(0, 0, 0).u(1, 1).u(0, 1).u(0, 1)
    return _nal(0x67, sequence.ended()) + _nal(0x68, picture.ended())


def _field(frame: int, *, is_bottom: bool) -> bytes:
    number = frame % _KEY_EVERY
    is_idr = number == 0 and not is_bottom
    slice_header = _Bits().ue(0, 7, 0).u(number, 4).u(1, 1).u(int(is_bottom), 1)
    if is_idr:
        slice_header.ue(frame // _KEY_EVERY % 2)
    slice_header.u(2 * number + is_bottom, 8).u(0, 2 if is_idr else 1).ue(0, 1)
    data = slice_header.ue(_I_PCM).padded()
    blocks = _WIDTH // 16 * _FIELD_HEIGHT // 16
    pixels = np.random.default_rng(2 * frame + is_bottom).integers(16, 235, (blocks, 384), dtype=np.uint8)
    data += _Bits().ue(_I_PCM).padded().join(bytes(block) for block in pixels)
    return _nal(0x65 if is_idr else 0x61, data + b"\x80")


def _muxed(container: str, frames: int) -> bytes:
    pictures = [_field(n, is_bottom=False) + _field(n, is_bottom=True) for n in range(frames)]
    pictures = [(_settings() if n % _KEY_EVERY == 0 else b"") + picture for n, picture in enumerate(pictures)]
    out = io.BytesIO()
    template = av.open(io.BytesIO(b"".join(pictures)), "r", format="h264")
    with template, av.open(out, "w", format=container) as media:
        stream = media.add_stream_from_template(template.streams.video[0])
        stream.time_base = Fraction(1, 25)
        for n, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts, packet.duration = stream, n, n, 1
            packet.time_base = Fraction(1, 25)
            packet.is_keyframe = n % _KEY_EVERY == 0
            media.mux(packet)
    return out.getvalue()


def transport_stream(frames: int = 12) -> bytes:
    return _muxed("mpegts", frames)


def mp4(frames: int = 12) -> bytes:
    return _muxed("mp4", frames)
