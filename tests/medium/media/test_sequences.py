"""Videos made of images decode, with the `ffmpeg` program, to one frame for each image, in order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders.media_files import Held
from tests.builders.numbered import numbered, numbers_by_ffmpeg, probed, times_by_ffprobe
from tests.conftest import require_tool

_ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    require_tool("ffmpeg")
    made = ProcessProber(workers=1)
    yield made
    made.close()


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _grey(number: int) -> Image.Image:
    return Image.fromarray(numbered(number))


def _sixteen_bits(number: int) -> bytes:
    return _saved(Image.fromarray(numbered(number).astype(np.uint16) * 257), "PNG")


def _float(number: int) -> bytes:
    return _saved(Image.fromarray(numbered(number).astype(np.float32) / 255), "TIFF")


def _see_through(number: int) -> bytes:
    """Half of it is hardly there; the colours count."""
    pixels = np.dstack([numbered(number)] * 3 + [np.full((64, 96), 20 if number % 2 else 255, np.uint8)])
    return _saved(Image.fromarray(pixels), "PNG")


def _with_palette(number: int) -> bytes:
    return _saved(_grey(number).convert("P"), "GIF")


def _lying(number: int) -> bytes:
    """Stored on its side, with an orientation that sets it upright."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    return _saved(_grey(number).transpose(Image.Transpose.ROTATE_90), "JPEG", quality=92, exif=exif)


def _animated(number: int) -> bytes:
    """Its first frame counts."""
    return _saved(_grey(number), "GIF", save_all=True, append_images=[_grey(number ^ 0xFFF)])


_KINDS: dict[str, Callable[[int], bytes]] = {
    "png": lambda number: _saved(_grey(number), "PNG"),
    "one bit": lambda number: _saved(_grey(number).convert("1"), "PNG"),
    "16 bits": _sixteen_bits,
    "float": _float,
    "alpha": _see_through,
    "grey and alpha": lambda number: _saved(_grey(number).convert("LA"), "PNG"),
    "palette": _with_palette,
    "CMYK": lambda number: _saved(_grey(number).convert("RGB").convert("CMYK"), "JPEG", quality=92),
    "CMYK TIFF": lambda number: _saved(_grey(number).convert("RGB").convert("CMYK"), "TIFF"),
    "orientation": _lying,
    "animation": _animated,
    "webp": lambda number: _saved(_grey(number).convert("RGB"), "WEBP", quality=90),
    "avif": lambda number: _saved(_grey(number).convert("RGB"), "AVIF", quality=90),
    "bmp": lambda number: _saved(_grey(number), "BMP"),
}


def _encoded(prober: ProcessProber, images: Sequence[bytes], folder: Path, fps: float = 25) -> Path:
    with prober.encode_sequence([Held(data) for data in images], fps=fps, max_bytes=1 << 30) as made:
        path = folder / "sequence.mp4"
        path.write_bytes(made.read())
    return path


def test_encode_sequence__images_of_every_form(prober: ProcessProber, tmp_path: Path) -> None:
    """Each form three times, with numbers that go up and down."""
    numbers = [(n * 1597 + 21) % 4096 for n in range(3 * len(_KINDS))]
    makers = list(_KINDS.values()) * 3
    path = _encoded(prober, [make(number) for make, number in zip(makers, numbers, strict=True)], tmp_path)
    found = numbers_by_ffmpeg(path)
    wrong = [list(_KINDS)[at % len(_KINDS)] for at, number in enumerate(numbers) if found[at] != number]
    assert (len(found), wrong) == (len(numbers), [])
    assert times_by_ffprobe(path) == pytest.approx([n / 25 for n in range(len(numbers))])


@pytest.mark.parametrize("kind", list(_KINDS))
def test_encode_sequence__the_first_image_decides(prober: ProcessProber, tmp_path: Path, kind: str) -> None:
    path = _encoded(prober, [_KINDS[kind](1234), _KINDS["png"](77)], tmp_path)
    stream = probed(path, "-show_streams")["streams"][0]
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (96, 64, "yuv420p")
    assert numbers_by_ffmpeg(path) == [1234, 77]


def test_encode_sequence__one_image(prober: ProcessProber, tmp_path: Path) -> None:
    path = _encoded(prober, [_KINDS["png"](3001)], tmp_path)
    assert numbers_by_ffmpeg(path) == [3001]
    assert times_by_ffprobe(path) == [0]


def test_encode_sequence__a_thousand_images(prober: ProcessProber, tmp_path: Path) -> None:
    path = _encoded(prober, [_saved(_grey(number), "BMP") for number in range(1000)], tmp_path)
    assert numbers_by_ffmpeg(path) == list(range(1000))
    assert probed(path, "-show_streams")["streams"][0]["has_b_frames"] == 0


def test_encode_sequence__mixed_and_odd_sizes(prober: ProcessProber, tmp_path: Path) -> None:
    """All get the first one's size, less an odd row or column."""
    sizes = [(97, 65), (40, 200), (333, 31), (25, 18), (1600, 900)]
    images = [_saved(Image.fromarray(numbered(n + 9, *size)), "PNG") for n, size in enumerate(sizes)]
    path = _encoded(prober, images, tmp_path)
    stream = probed(path, "-show_streams")["streams"][0]
    assert (stream["width"], stream["height"]) == (96, 64)
    assert numbers_by_ffmpeg(path) == [9, 10, 11, 12, 13]


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2), (2, 3)])
def test_encode_sequence__tiny_images(prober: ProcessProber, tmp_path: Path, size: tuple[int, int]) -> None:
    images = [_saved(Image.new("L", size, level), "PNG") for level in (0, 120, 250)]
    path = _encoded(prober, images, tmp_path)
    assert len(times_by_ffprobe(path)) == 3


def test_encode_sequence__of_large_images_stays_small(tmp_path: Path) -> None:
    """60 images of 12 MB in a process that may have 600 MB, libraries included."""
    small = ProcessProber(workers=1, limits=Limits(memory_bytes=600 << 20))
    image = Held(_saved(Image.fromarray(numbered(5, 2000, 2000)).convert("RGB"), "BMP"))
    with small.encode_sequence([_scaled_down(5), *[image] * 60], fps=25, max_bytes=1 << 30) as made:
        path = tmp_path / "sequence.mp4"
        path.write_bytes(made.read())
    small.close()
    assert numbers_by_ffmpeg(path) == [5] * 61


def _scaled_down(number: int) -> Held:
    return Held(_KINDS["png"](number))
