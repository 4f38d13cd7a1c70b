from __future__ import annotations

import numpy as np
import pytest

from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import broken_media, media_files
from tests.unit.media.previewing import preview, refusal

VIDEO = ItemType.VIDEO


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "avi", "mpegts"])
def test_thumbnail__is_a_key_frame_of_each_container(container: str) -> None:
    shown = preview(VIDEO, media_files.video(container, frames=60))
    assert shown.facts["key_frames_only"]
    assert shown.pixels.shape == (48, 64, 3)


def test_thumbnail__rotation_is_applied() -> None:
    """The bar on the left edge of frame 12 stands at the bottom when the picture is turned against the clock."""
    plain = preview(VIDEO, media_files.video(frames=24)).pixels
    turned = preview(VIDEO, media_files.video(frames=24, rotation=90)).pixels
    assert turned.shape == (64, 48, 3)
    assert np.abs(turned.astype(int) - np.rot90(plain, 1).astype(int)).mean() < 6


def test_strip__frames_stand_in_a_row_with_their_true_times() -> None:
    shown = preview(VIDEO, media_files.video(frames=96), show="strip", size=64, frames=10)
    facts = shown.facts
    assert (facts["width"], facts["height"]) == (640, 48)
    assert (facts["frame_width"], facts["frame_height"]) == (64, 48)
    times = facts["times"]
    assert len(times) == 10
    assert times == sorted(times)
    assert all(round(time * 24) % 12 == 0 for time in times), "a key frame stands at every twelfth of 24 a second"
    assert times[0] == 0
    assert times[-1] >= 3


def test_strip__cells_show_the_frames_of_their_times() -> None:
    shown = preview(VIDEO, media_files.video(frames=96), show="strip", size=64, frames=10)
    for cell, time in enumerate(shown.facts["times"]):
        index = round(time * 24)
        bar = max(1, 64 * (index % 24) // 24)
        row = shown.pixels[24, cell * 64 : cell * 64 + 64, 2].astype(int)
        assert abs(int((row > 100).sum()) - bar) <= 3, f"frame {index} at {time} s"


def test_preview__too_many_pixels_names_limit_and_setting() -> None:
    text = refusal(VIDEO, media_files.video(), limits=Limits(decoded_pixels=1000))
    assert "FRAMEDEX_MEDIA_DECODED_PIXELS" in text


@pytest.mark.parametrize("data", [b"", b"hello", broken_media.m3u8("http://127.0.0.1/a")])
def test_preview__what_is_no_video_is_refused(data: bytes) -> None:
    assert refusal(VIDEO, data)
