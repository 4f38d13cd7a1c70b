from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal

FORMS_OF_PLUGINS = [("HEIF", "image/heic"), ("JXL", "image/jxl"), ("JPEG2000", "image/jp2")]
MAKERS = {
    "image/png": media_files.png,
    "image/jpeg": media_files.jpeg,
    "image/webp": media_files.webp,
    "image/avif": media_files.avif,
    "image/tiff": media_files.tiff,
}


@pytest.mark.parametrize("mime_type", MAKERS)
def test_probe__size_and_type_by_content(mime_type: str) -> None:
    facts = probe(ItemType.IMAGE, MAKERS[mime_type](40, 30), "picture.bmp")
    assert (facts.mime_type, facts.width, facts.height, facts.extra) == (mime_type, 40, 30, {})


@pytest.mark.parametrize("mime_type", MAKERS)
@pytest.mark.parametrize("orientation", [3, 6])
def test_probe__size_after_orientation(mime_type: str, orientation: int) -> None:
    facts = probe(ItemType.IMAGE, MAKERS[mime_type](40, 30, orientation=orientation))
    assert (facts.width, facts.height) == ((30, 40) if orientation == 6 else (40, 30))
    assert facts.extra == {"orientation": orientation, "raw_width": 40, "raw_height": 30}


def test_probe__bmp_and_animation() -> None:
    assert probe(ItemType.IMAGE, media_files.bmp(40, 30)).mime_type == "image/bmp"
    assert probe(ItemType.IMAGE, media_files.gif(5)).extra == {"frames": 5}


@pytest.mark.parametrize(
    ("form", "mime_type"), [("HEIF", "image/heic"), ("JXL", "image/jxl"), ("JPEG2000", "image/jp2")]
)
def test_probe__formats_of_plugins(form: str, mime_type: str) -> None:
    import pillow_heif
    import pillow_jxl

    pillow_heif.register_heif_opener()
    assert pillow_jxl.__name__
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, form)
    facts = probe(ItemType.IMAGE, out.getvalue())
    assert (facts.mime_type, facts.width, facts.height) == (mime_type, 64, 48)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_probe__every_form_of_png(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (13, 7)).save(out, "PNG")
    facts = probe(ItemType.IMAGE, out.getvalue())
    assert (facts.width, facts.height) == (13, 7)


@pytest.mark.parametrize("size", [(13, 7), (1, 1), (3, 9), (64, 8)])
def test_probe__interlaced_png(size: tuple[int, int]) -> None:
    data = _interlaced_png(*size)
    Image.open(io.BytesIO(data)).load()
    facts = probe(ItemType.IMAGE, data)
    assert (facts.width, facts.height) == size


def _interlaced_png(width: int, height: int) -> bytes:
    """Black, 8 bits grey, in the seven passes of Adam7."""
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, across, down in starts:
        columns = len(range(left, width, across))
        if columns:
            rows += bytes(columns + 1) * len(range(top, height, down))
    plain = bytearray(media_files.png_of_chunks(width, height, zlib.compress(rows), depth=8))
    plain[28] = 1
    plain[29:33] = zlib.crc32(plain[12:29]).to_bytes(4, "big")
    return bytes(plain)


def test_probe__png_of_900_megapixels_is_not_decoded() -> None:
    facts = probe(ItemType.IMAGE, media_files.huge_png())
    assert (facts.width, facts.height, facts.mime_type) == (30_000, 30_000, "image/png")


def test_probe__large_jpeg_above_the_limit_keeps_exact_size() -> None:
    facts = probe(ItemType.IMAGE, media_files.jpeg(400, 300), limits=Limits(decoded_pixels=1000))
    assert (facts.width, facts.height) == (400, 300)


CUT = {
    **{name: make(64, 64) for name, make in MAKERS.items()},
    "image/bmp": media_files.bmp(64, 64),
    "image/gif": media_files.gif(),
}


@pytest.mark.parametrize("mime_type", CUT)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_probe__cut_off_is_refused(mime_type: str, share: float) -> None:
    assert "cut off" in refusal(ItemType.IMAGE, broken_media.cut(CUT[mime_type], share))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (broken_media.png_with_lying_header(), "lies, or pixels are missing"),
        (broken_media.png_with_lying_header(8, 7), "there are more pixels"),
        (broken_media.png_with_bad_checksum(), "damaged"),
        (broken_media.jpeg_with_lying_height(), "less than the size in its header needs"),
        (broken_media.svg(), "SVG is not accepted"),
        (b"", "empty"),
        (b"just text", "not an image"),
        (media_files.video(frames=2), "not an image"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.IMAGE, data)
