from __future__ import annotations

import io
import wave

import av
import pytest

from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal

FORMS = {
    "wav": ("audio/wav", "pcm_s16le", 16),
    "flac": ("audio/flac", "flac", 16),
    "mp3": ("audio/mpeg", "mp3", 32),
    "ipod": ("audio/mp4", "aac", 32),
    "ogg": ("audio/ogg", "opus", 32),
    "adts": ("audio/aac", "aac", 32),
}


@pytest.mark.parametrize("container", FORMS)
def test_probe__facts(container: str) -> None:
    data = media_files.audio(container, seconds=0.5, sample_rate=48_000, channels=2)
    facts = probe(ItemType.AUDIO, data, "song.dat")
    mime_type, codec, bits = FORMS[container]
    assert (facts.mime_type, facts.audio_codec, facts.audio_bit_depth) == (mime_type, codec, bits)
    assert (facts.audio_sample_rate, facts.audio_num_channels) == (48_000, 2)
    with av.open(io.BytesIO(data), "r") as media:
        samples = sum(frame.samples for frame in media.decode(audio=0))
    assert facts.extra == {"samples": samples}
    assert facts.duration == samples / 48_000


def test_probe__wav_agrees_with_the_standard_library() -> None:
    data = media_files.audio("wav", seconds=0.7, sample_rate=22_050)
    with wave.open(io.BytesIO(data)) as truth:
        assert probe(ItemType.AUDIO, data).duration == truth.getnframes() / truth.getframerate()


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_probe__bits_as_stored(bits: int) -> None:
    assert probe(ItemType.AUDIO, media_files.audio("wav", bits=bits)).audio_bit_depth == bits


@pytest.mark.parametrize("container", ["wav", "flac", "ipod"])
def test_probe__cut_off_is_refused(container: str) -> None:
    data = media_files.audio(container, seconds=2)
    message = refusal(ItemType.AUDIO, broken_media.cut(data, 0.7))
    assert "cut off" in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not sound"),
        (media_files.video(), "no sound"),
        (b"ID3\4\0\0\0\0\0\0" + bytes(5000), "mp3"),
        (broken_media.m3u8("http://127.0.0.1:9/a.mp3"), "playlist"),
    ],
)
def test_probe__other_bytes_are_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.AUDIO, data)
