from __future__ import annotations

import json

import numpy as np
import pytest

from framedex.core.media_types import ItemType
from framedex.media.audio.peaks import Peaks
from tests.builders import media_files
from tests.unit.media.previewing import preview, refusal

AUDIO = ItemType.AUDIO


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "ipod", "ogg", "adts"])
def test_waveform__peaks_of_each_container(container: str) -> None:
    """A sine of 20,000 / 32,768: lossy codecs are near it."""
    body = json.loads(preview(AUDIO, media_files.audio(container), show="waveform", points=500).data)
    assert (body["version"], body["channels"], body["bits"]) == (2, 1, 16)
    assert len(body["data"]) == 2 * body["length"] <= 1000
    least, most = body["data"][0::2], body["data"][1::2]
    middle = slice(len(most) // 3, -(len(most) // 3))  # lossy ones overshoot at the ends
    assert abs(max(most[middle]) - 20_000) < 1500
    assert abs(min(least[middle]) + 20_000) < 1500
    assert all(low <= high for low, high in zip(least, most, strict=True))


def test_waveform__covers_the_whole_sound() -> None:
    shown = preview(AUDIO, media_files.audio(seconds=3), show="waveform", points=1000)
    body = json.loads(shown.data)
    assert 0 <= body["length"] * body["samples_per_pixel"] - 48_000 < body["samples_per_pixel"]
    assert shown.facts["duration"] == 3.0


@pytest.mark.parametrize("pieces", [1, 7, 1000])
@pytest.mark.parametrize("length", [1, 15, 16, 100_003, 2_300_000])
def test_peaks__are_those_of_the_samples_however_they_come(length: int, pieces: int) -> None:
    samples = np.random.default_rng(length).integers(-30_000, 30_000, (2, length)).astype(np.int16)
    peaks = Peaks()
    for part in np.array_split(samples, pieces, axis=1):
        if part.size:
            peaks.add(part)
    columns, step = peaks.columns(500)
    assert columns.shape[1] <= 500
    starts = np.arange(0, length, step)
    assert columns.shape[1] == len(starts)
    assert (columns[0] == np.minimum.reduceat(samples.min(axis=0), starts)).all()
    assert (columns[1] == np.maximum.reduceat(samples.max(axis=0), starts)).all()


def test_thumbnail__silence_is_a_line_and_sound_is_not() -> None:
    loud = preview(AUDIO, media_files.audio()).pixels
    wav = media_files.audio()
    samples_at = wav.index(b"data") + 8
    silent = preview(AUDIO, wav[:samples_at] + bytes(len(wav) - samples_at)).pixels
    green = [int((picture[..., 1] > 150).sum()) for picture in (loud, silent)]
    assert green[0] > 10 * green[1] > 0


def test_spectrogram__a_tone_is_a_line_at_its_height() -> None:
    shown = preview(AUDIO, media_files.audio(seconds=2), show="spectrogram", size=512)
    assert (shown.facts["width"], shown.facts["height"]) == (512, 256)
    brightness = shown.pixels.astype(int).sum(axis=(1, 2))
    row = int(brightness.argmax())
    assert abs((256 - row) / 256 * shown.facts["highest_hz"] - 440) < 100


def test_spectrogram__shorter_than_a_window() -> None:
    assert preview(AUDIO, media_files.audio(seconds=0.01), show="spectrogram").facts["shows"] == "spectrogram"


@pytest.mark.parametrize("data", [b"", b"hello", media_files.png()])
def test_preview__what_is_no_sound_is_refused(data: bytes) -> None:
    assert refusal(AUDIO, data)
