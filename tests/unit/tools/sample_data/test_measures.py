from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tools.sample_data import measures
from tools.sample_data.measures import Pixels


def flat(red: int, green: int, blue: int) -> Pixels:
    return np.full((16, 24, 3), (red, green, blue), dtype=np.uint8)


@pytest.mark.parametrize(("level", "expected"), [(0, 0.0), (255, 1.0), (51, 0.2)])
def test_brightness__is_mean_luma(level: int, expected: float) -> None:
    assert measures.brightness(flat(level, level, level)) == expected


def test_contrast__half_black_half_white() -> None:
    pixels = flat(0, 0, 0).copy()
    pixels[:, :12] = 255
    assert measures.contrast(pixels) == 0.5
    assert measures.contrast(flat(9, 9, 9)) == 0.0


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((255, 0, 30), "red"),
        ((255, 140, 0), "orange"),
        ((255, 255, 0), "yellow"),
        ((0, 200, 0), "green"),
        ((0, 220, 220), "cyan"),
        ((0, 0, 255), "blue"),
        ((150, 0, 255), "violet"),
        ((255, 0, 200), "magenta"),
        ((10, 10, 10), "black"),
        ((128, 128, 128), "grey"),
        ((250, 250, 250), "white"),
    ],
)
def test_dominant_colour__names(rgb: tuple[int, int, int], name: str) -> None:
    assert measures.dominant_colour(flat(*rgb)) == name


def test_color_layout__of_white_is_one_coefficient() -> None:
    # 127 above the middle, times 8 (orthonormal, 64 cells), divided by 1024.
    assert measures.color_layout(flat(255, 255, 255)) == [0.99219, *[0.0] * 63]


def test_color_layout__horizontal_and_vertical_ramps_differ_in_zigzag_order() -> None:
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 1, 3))
    across, down = measures.color_layout(ramp), measures.color_layout(ramp.transpose(1, 0, 2).copy())
    assert abs(across[1]) > 0.2
    assert across[2] == pytest.approx(0)
    assert down[2] == pytest.approx(across[1])
    assert down[1] == pytest.approx(0)


def test_color_layout__keeps_blue_and_red_apart() -> None:
    blue, red = measures.color_layout(flat(0, 0, 255)), measures.color_layout(flat(255, 0, 0))
    assert blue[32] > 0.9
    assert blue[48] < 0
    assert red[48] > 0.9
    assert all(-1 <= value <= 1 for value in (*blue, *red))


def test_to_pixels__transparency_is_white() -> None:
    assert measures.to_pixels(Image.new("RGBA", (2, 2), (255, 0, 0, 0))).tolist() == [[[255] * 3] * 2] * 2


def test_motion__of_black_to_white_is_one() -> None:
    assert measures.motion(flat(0, 0, 0), flat(255, 255, 255)) == 1.0


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_encode__is_read_back(suffix: str) -> None:
    pixels = measures.open_pixels(measures.encode(flat(200, 100, 50), suffix))
    assert pixels.shape == (16, 24, 3)
    assert np.abs(pixels.astype(int) - (200, 100, 50)).max() <= 4
