from __future__ import annotations

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.media.video.h264_fields import FieldPairs
from tests.builders import field_pairs, media_files


def _packets(data: bytes) -> tuple[bytes, list[bytes]]:
    with av.open(io.BytesIO(data), "r") as media:
        packets = [bytes(packet) for packet in media.demux(video=0) if packet.size]
        return media.streams.video[0].codec_context.extradata or b"", packets


def test_is_second__every_other_field() -> None:
    settings, packets = _packets(field_pairs.transport_stream(12))
    pairs = FieldPairs(settings)
    assert [pairs.is_second(packet) for packet in packets] == [False, True] * 12


def test_is_second__a_field_that_lost_its_other_is_a_frame() -> None:
    settings, packets = _packets(field_pairs.transport_stream(6))
    pairs = FieldPairs(settings)
    del packets[3]  # the second field of the second frame
    assert [pairs.is_second(packet) for packet in packets] == [False, True, False, *[False, True] * 4]


def test_is_second__settings_may_come_with_the_packets_alone() -> None:
    _, packets = _packets(field_pairs.transport_stream(6))
    pairs = FieldPairs(b"")
    assert [pairs.is_second(packet) for packet in packets] == [False, True] * 6


def test_is_second__both_fields_in_a_packet() -> None:
    settings, packets = _packets(field_pairs.mp4(6))
    assert settings[0] == 1
    pairs = FieldPairs(settings)
    assert [pairs.is_second(packet) for packet in packets] == [False] * 6


@pytest.mark.parametrize("container", ["mpegts", "matroska", "avi"])
def test_is_second__fields_within_frames(container: str) -> None:
    settings, packets = _packets(media_files.video(container, interlaced=True))
    pairs = FieldPairs(settings)
    assert not any(pairs.is_second(packet) for packet in packets)


@given(st.binary(max_size=80), st.lists(st.binary(max_size=80), max_size=5))
def test_is_second__whatever_the_bytes(settings: bytes, packets: list[bytes]) -> None:
    for head in (b"", b"\1\x64\0\x1f\xff", b"\0\0\1\x67\x64", b"\0\0\1\x67\xf4", b"\0\0\1\x68"):
        pairs = FieldPairs(head + settings)
        for packet in packets:
            pairs.is_second(b"\0\0\1\x67\x64" + packet + b"\0\0\1\x65" + packet + b"\0\0\1\x61" + packet)
