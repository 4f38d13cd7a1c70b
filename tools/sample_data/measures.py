"""Numbers computed from pixels. All pictures are RGB, uint8, shape (height, width, 3).

`color_layout` is in the spirit of the MPEG-7 descriptor of that name: the picture is averaged to 8 x 8 cells, turned
into YCbCr (JPEG's, full range) and centred; each channel goes through an orthonormal 8 x 8 DCT-II; and the first 32
(Y), 16 (Cb) and 16 (Cr) coefficients in zigzag order are kept, divided by 1024: 64 numbers between -1 and 1.
"""

from __future__ import annotations

import io
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

COLOR_LAYOUT_SIZE = 64
_KEPT = (32, 16, 16)
_GRID = 8

HUES = ("red", "orange", "yellow", "green", "cyan", "blue", "violet", "magenta")
COLOURS = (*HUES, "black", "grey", "white")
# Upper ends of the hues in degrees; what lies above the last is red again.
_HUE_ENDS = (18, 45, 70, 160, 200, 255, 290, 340)


def open_pixels(content: bytes) -> Pixels:
    """The pixels of an encoded picture, transparency laid on white."""
    with Image.open(io.BytesIO(content)) as picture:
        return to_pixels(picture)


def to_pixels(picture: Image.Image) -> Pixels:
    """RGB pixels of any picture."""
    if picture.mode in ("RGBA", "LA", "P"):
        layered = picture.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        picture = Image.alpha_composite(ground, layered)
    return np.asarray(picture.convert("RGB"))


def encode(pixels: Pixels, suffix: str) -> bytes:
    """A picture file: `png`, or `jpg` and `webp` at quality 90."""
    into = io.BytesIO()
    name = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[suffix]
    Image.fromarray(pixels).save(into, name, quality=90)
    return into.getvalue()


def luma(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Rec. 601 luma, 0 to 1."""
    return cast("npt.NDArray[np.float64]", pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255)


def brightness(pixels: Pixels) -> float:
    """Mean luma, 0 (black) to 1 (white)."""
    return round(float(luma(pixels).mean()), 4)


def contrast(pixels: Pixels) -> float:
    """Standard deviation of luma, 0 to 0.5."""
    return round(float(luma(pixels).std()), 4)


def dominant_colour(pixels: Pixels) -> str:
    """The most frequent of `COLOURS` over a 32 x 32 reduction."""
    small = Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX).convert("HSV")
    cells = np.asarray(small).reshape(-1, 3).astype(int)
    names = [_colour_name(hue, saturation, value) for hue, saturation, value in cells.tolist()]
    return max(COLOURS, key=lambda name: (names.count(name), -COLOURS.index(name)))


def _colour_name(hue: int, saturation: int, value: int) -> str:
    if value < 48:
        return "black"
    if saturation < 40:
        return "white" if value > 208 else "grey"
    degrees = hue * 360 / 256
    return next((name for name, end in zip(HUES, _HUE_ENDS, strict=True) if degrees < end), "red")


def color_layout(pixels: Pixels) -> list[float]:
    """The embedding: `COLOR_LAYOUT_SIZE` numbers, see the module's text."""
    small = Image.fromarray(pixels).resize((_GRID, _GRID), Image.Resampling.BOX).convert("YCbCr")
    cells = np.asarray(small).astype(np.float64) - 128
    basis = _dct_basis()
    channels = [(basis @ cells[:, :, channel] @ basis.T) for channel in range(3)]
    kept = [float(c[at]) for c, count in zip(channels, _KEPT, strict=True) for at in _zigzag()[:count]]
    # 1024 is the largest coefficient there can be: 128 in all 64 cells, times 1/8.
    return [round(value / 1024, 5) + 0.0 for value in kept]


def motion(before: Pixels, after: Pixels) -> float:
    """Mean absolute change of luma between two frames, 0 to 1."""
    return round(float(np.abs(luma(after) - luma(before)).mean()), 4)


def describe_picture(pixels: Pixels) -> dict[str, object]:
    """All measures of one picture, under their metadata keys."""
    return {
        "brightness": brightness(pixels),
        "contrast": contrast(pixels),
        "dominant_colour": dominant_colour(pixels),
        "color_layout": color_layout(pixels),
    }


def _dct_basis() -> npt.NDArray[np.float64]:
    rows, columns = np.mgrid[:_GRID, :_GRID]
    basis = np.cos(np.pi * rows * (2 * columns + 1) / (2 * _GRID)) * np.sqrt(2 / _GRID)
    basis[0] /= np.sqrt(2)
    return cast("npt.NDArray[np.float64]", basis)


def _zigzag() -> list[tuple[int, int]]:
    cells = [(row, column) for row in range(_GRID) for column in range(_GRID)]
    # Odd diagonals run down, even ones up, as in JPEG.
    return sorted(cells, key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))
