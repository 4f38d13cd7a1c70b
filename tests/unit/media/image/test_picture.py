"""Witness: Pillow's own `exif_transpose`, and arrays that the files were made of."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import broken_media, media_files
from tests.unit.media.picturing import Picture, picture, pictures

_EXACT_MAKERS = [media_files.png, media_files.jpeg, media_files.webp, media_files.avif, media_files.tiff]


def _sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _of(data: bytes, **asked: Any) -> Picture:
    return picture(ItemType.IMAGE, data, **asked)


@pytest.mark.parametrize("maker", _EXACT_MAKERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_make__every_orientation_is_applied_before_the_hash(maker: Any, orientation: int) -> None:
    data = maker(12, 7, orientation=orientation)
    with Image.open(io.BytesIO(data)) as image:
        shown = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    found = _of(data)
    assert found.facts["sha256"] == _sha256(shown)
    assert (found.facts["width"], found.facts["height"]) == ((12, 7) if orientation < 5 else (7, 12))
    assert found.facts["pixel_format"] == "rgb24"
    assert found.facts["pts"] is None
    assert np.array_equal(found.pixels, shown)


def test_make__grey_alpha_and_palette() -> None:
    grey = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    assert _of(_saved(grey, "PNG")).facts["pixel_format"] == "gray"
    rgba = Image.fromarray(np.random.default_rng(1).integers(0, 256, (6, 8, 4), dtype=np.uint8))
    found = _of(_saved(rgba, "PNG"))
    assert found.facts["pixel_format"] == "rgba"
    assert found.facts["sha256"] == _sha256(np.asarray(rgba))
    palette = Image.fromarray(np.asarray(rgba)[:, :, :3].copy()).quantize(8)
    found = _of(_saved(palette, "PNG"))
    assert found.facts["sha256"] == _sha256(np.asarray(palette.convert("RGB")))
    assert _of(_saved(grey.convert("1"), "PNG")).facts["pixel_format"] == "gray"
    assert _of(_saved(Image.new("CMYK", (4, 4)), "JPEG")).facts["pixel_format"] == "rgb24"


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_make__sixteen_bit_grey_keeps_its_bits_and_is_shown_by_a_window(form: str) -> None:
    values = (np.arange(20 * 30, dtype=np.uint16) + 1000).reshape(20, 30)  # 12-bit data: black on a 16-bit scale
    found = _of(_saved(Image.fromarray(values), form))
    assert found.facts["pixel_format"] == "gray16le"
    assert found.facts["sha256"] == _sha256(values.astype("<u2"))
    assert found.pixels.min() == 0
    assert found.pixels.max() == 255


def _deep_png(values: NDArray[np.uint16]) -> bytes:
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return media_files.png_of_chunks(width, height, zlib.compress(rows), depth=16, colour={3: 2, 4: 6}[channels])


@pytest.mark.parametrize("channels", [3, 4])
def test_make__sixteen_bit_colours_of_png_are_not_cut_to_eight(channels: int) -> None:
    values = np.random.default_rng(2).integers(0, 65536, (5, 9, channels), dtype=np.uint16)
    found = _of(_deep_png(values))
    assert found.facts["pixel_format"] == {3: "rgb48le", 4: "rgba64le"}[channels]
    assert found.facts["sha256"] == _sha256(values.astype("<u2"))
    assert np.array_equal(found.pixels, (values >> 8).astype(np.uint8))


def _deep_tiff(values: NDArray[np.uint16], orientation: int) -> bytes:
    """One strip of RGB with 16 bits a sample, little-endian, put together by hand."""
    height, width, _ = values.shape
    data = values.astype("<u2").tobytes()
    bits_at, data_at = 8 + 2 + 11 * 12 + 4, 8 + 2 + 11 * 12 + 4 + 8
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, data_at), (274, 3, 1, orientation), (277, 3, 1, 3), (278, 3, 1, height),
        (279, 4, 1, len(data)), (284, 3, 1, 1),
    ]  # fmt: skip
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + table + struct.pack("<I", 0) + struct.pack("<HHHH", 16, 16, 16, 0) + data


@pytest.mark.parametrize("orientation", [1, 6])
def test_make__sixteen_bit_colours_of_tiff_are_not_cut_to_eight(orientation: int) -> None:
    values = np.random.default_rng(3).integers(0, 65536, (5, 9, 3), dtype=np.uint16)
    found = _of(_deep_tiff(values, orientation))
    shown = np.rot90(values, -1) if orientation == 6 else values
    assert found.facts["pixel_format"] == "rgb48le"
    assert found.facts["sha256"] == _sha256(shown.astype("<u2"))


def test_make__float_grey() -> None:
    values = np.linspace(-3, 7, 200, dtype=np.float32).reshape(10, 20)
    found = _of(_saved(Image.fromarray(values), "TIFF"))
    assert found.facts["pixel_format"] == "grayf32le"
    assert found.facts["sha256"] == _sha256(values)
    assert found.pixels.max() == 255


def test_make__frames_of_an_animation() -> None:
    data = media_files.gif(4)
    with Image.open(io.BytesIO(data)) as image:
        expected = []
        for frame in range(4):
            image.seek(frame)
            expected.append(_sha256(np.asarray(image.convert("RGB"))))
    found = pictures(ItemType.IMAGE, data, frames=[3, 0, 1, 2])
    assert [f.facts["frame"] for f in found] == [3, 0, 1, 2]
    assert len(set(expected)) == 4
    assert [f.facts["sha256"] for f in found] == [expected[i] for i in (3, 0, 1, 2)]


def test_make__width_is_the_width_as_shown_and_never_larger() -> None:
    found = _of(media_files.jpeg(64, 32, orientation=6), width=16)
    assert (found.facts["shown_width"], found.facts["shown_height"]) == (16, 32)
    assert found.pixels.shape == (32, 16, 3)
    assert _of(media_files.jpeg(64, 32), width=1000).facts["shown_width"] == 64


@pytest.mark.parametrize(("form", "mark"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")])
def test_make__formats(form: str, mark: bytes) -> None:
    rgba = Image.new("RGBA", (6, 4), (10, 20, 30, 0))
    assert _of(_saved(rgba, "PNG"), format=form).data.startswith(mark)


def test_make__no_format_asks_for_facts_alone() -> None:
    found = _of(media_files.png(), format=None)
    assert found.data == b""
    assert "length" not in found.facts
    assert len(found.facts["sha256"]) == 64


def test_make__too_large_names_the_limit_and_its_setting() -> None:
    with pytest.raises(
        InvalidArguments, match=r"30000 x 30000 pixels; at most 64000000 .*FRAMEDEX_MEDIA_DECODED_PIXELS"
    ):
        _of(media_files.huge_png())
    with pytest.raises(InvalidArguments, match="at most 10 are decoded"):
        picture(ItemType.IMAGE, media_files.png(), Limits(decoded_pixels=10))


def test_make__refusals() -> None:
    with pytest.raises(InvalidArguments, match="has 3 frames, counted from 0; there is no frame 3"):
        _of(media_files.gif(3), frames=[3])
    with pytest.raises(InvalidArguments, match="not an image"):
        _of(b"no image at all")
    whole = media_files.png(64, 64)
    with pytest.raises((InvalidArguments, OSError)):
        _of(whole[: len(whole) // 2])
    assert broken_media is not None
