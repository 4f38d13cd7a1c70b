from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import media_files
from tests.unit.media.previewing import preview, refusal

IMAGE = ItemType.IMAGE


def _ramp(levels: float = 255, *, dtype: str = "u1", width: int = 400, height: int = 300) -> NDArray[Any]:
    """Dark on the left, light on the right."""
    return np.tile(np.linspace(0, levels, width), (height, 1)).astype(dtype)


def _saved(samples: NDArray[Any], form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(samples).save(out, form, **options)
    return out.getvalue()


def _tiff_of_16_bits(samples: NDArray[np.uint16]) -> bytes:
    """An uncompressed RGB TIFF by hand (TIFF 6.0, sections 2 and 8)."""
    height, width, _ = samples.shape
    body = samples.astype("<u2").tobytes()
    bits_at, data_at = 8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 6
    short, long = 3, 4
    tags = [
        (256, long, 1, width), (257, long, 1, height), (258, short, 3, bits_at), (259, short, 1, 1), (262, short, 1, 2),
        (273, long, 1, data_at), (277, short, 1, 3), (278, long, 1, height), (279, long, 1, len(body)),
        (284, short, 1, 1),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + struct.pack("<3H", 16, 16, 16) + body


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000", "GIF", "HEIF", "JXL"])
def test_thumbnail__each_format_is_shown_in_its_proportions(form: str) -> None:
    if form == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    if form == "JXL":
        import pillow_jxl  # noqa: F401  # registers itself with Pillow
    shown = preview(IMAGE, _saved(np.stack([_ramp()] * 3, axis=-1), form))
    assert (shown.facts["width"], shown.facts["height"]) == (256, 192)
    middle = shown.pixels[96, :, 0].astype(int)
    assert middle[2] < 15
    assert middle[-3] > 240
    assert abs(middle[128] - 128) < 12


@pytest.mark.parametrize(("form", "mime"), [("webp", "image/webp"), ("jpeg", "image/jpeg"), ("png", "image/png")])
def test_thumbnail__is_written_in_the_format_asked_for(form: str, mime: str) -> None:
    shown = preview(IMAGE, media_files.png(300, 200), format=form)
    assert shown.facts["mime_type"] == mime
    with Image.open(io.BytesIO(shown.data)) as image:
        assert (image.format, image.size) == (form.upper(), (256, 171))


def test_thumbnail__never_grows() -> None:
    assert preview(IMAGE, media_files.png(8, 6)).pixels.shape == (6, 8, 3)
    assert preview(IMAGE, media_files.jpeg(32, 24), size=1024).pixels.shape == (24, 32, 3)


@pytest.mark.parametrize("form", ["jpeg", "png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_thumbnail__orientation_is_applied(form: str, orientation: int) -> None:
    """The dark corner of the stored picture is where Pillow's own transposition puts it."""
    stored = np.full((40, 80, 3), 200, np.uint8)
    stored[:20, :40] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 95} if form == "jpeg" else {"lossless": True} if form == "webp" else {}
    data = _saved(stored, form.upper(), exif=exif, **options)
    from PIL import ImageOps

    with Image.open(io.BytesIO(data)) as image:
        image.load()
        want = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    got = preview(IMAGE, data).pixels
    assert got.shape == want.shape
    assert np.abs(got.astype(int) - want.astype(int)).mean() < 8


def test_thumbnail__grey_of_16_bits_uses_its_own_range() -> None:
    shown = preview(IMAGE, _saved(_ramp(900, dtype="u2"), "TIFF")).pixels
    assert shown[96, 2, 0] < 8
    assert shown[96, -3, 0] > 247


def test_thumbnail__float_uses_its_own_range_and_survives_nan() -> None:
    samples = _ramp(1e-3, dtype="f4")
    samples[0, :5] = [np.nan, np.inf, -np.inf, 1e30, -1e30]
    shown = preview(IMAGE, _saved(samples, "TIFF")).pixels
    assert shown[96, 2, 0] < 8
    assert shown[96, -3, 0] > 247


def test_thumbnail__colours_of_16_bits_are_not_mangled() -> None:
    """Pillow opens such a TIFF as if it had 8 bits (reference: media.md 1d)."""
    samples = np.stack([_ramp(65535, dtype="u2"), _ramp(0, dtype="u2"), _ramp(0, dtype="u2")], axis=-1)
    data = _tiff_of_16_bits(samples)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"
    shown = preview(IMAGE, data).pixels
    assert abs(int(shown[96, 128, 0]) - 128) < 6
    assert shown[..., 1:].max() < 4


def test_thumbnail__cmyk_jpeg_is_shown() -> None:
    out = io.BytesIO()
    Image.fromarray(np.stack([_ramp()] * 3, axis=-1)).convert("CMYK").save(out, "JPEG")
    assert preview(IMAGE, out.getvalue()).facts["width"] == 256


def test_thumbnail__transparency_becomes_paper_in_jpeg() -> None:
    samples = np.zeros((30, 40, 4), np.uint8)
    assert preview(IMAGE, _saved(samples, "PNG"), format="jpeg").pixels.min() > 250


def test_thumbnail__animation_shows_its_first_frame() -> None:
    assert preview(IMAGE, media_files.gif(3)).facts["shows"] == "first of 3 frames"


def test_thumbnail__too_many_pixels_names_limit_and_setting() -> None:
    text = refusal(IMAGE, media_files.huge_png())
    assert "30000 x 30000" in text
    assert "FRAMEDEX_MEDIA_DECODED_PIXELS" in text


def test_thumbnail__large_jpeg_is_decoded_small() -> None:
    """4000 x 3000 pixels pass a limit of a million: a decoder of JPEG gives 500 x 375 of them."""
    data = _saved(np.zeros((3000, 4000, 3), np.uint8), "JPEG")
    assert preview(IMAGE, data, size=128, limits=Limits(decoded_pixels=1_000_000)).facts["width"] == 128
    assert "FRAMEDEX_MEDIA_DECODED_PIXELS" in refusal(IMAGE, data, size=1024, limits=Limits(decoded_pixels=1_000_000))


def test_sheet__cells_stand_in_rows_in_order() -> None:
    cells = [_saved(np.full((20, 30, 3), value, np.uint8), "PNG") for value in (50, 100, 150, 200, 250)]
    shown = preview(IMAGE, cells, show="sheet", size=300, count=12)
    assert shown.facts["shows"] == "5 of 12 items"
    assert (shown.facts["columns"], shown.facts["rows"]) == (3, 2)
    height, width, _ = shown.pixels.shape
    found = [int(shown.pixels[height // 4 + row * height // 2, width // 6 + column * width // 3, 0])
             for row in (0, 1) for column in (0, 1, 2)][:5]  # fmt: skip
    assert found == [50, 100, 150, 200, 250]


def test_other_previews__are_refused_with_those_that_there_are() -> None:
    assert "no waveform; they have: thumbnail" in refusal(IMAGE, media_files.png(), show="waveform")
