"""Whether an image's file is as long as its own structure says. Cheap, and for images of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.image.formats import BMP, TIFF, WEBP, ImageFormat
from framedex.media.iso_boxes import top_level_boxes

if TYPE_CHECKING:
    from PIL.Image import Image

# TIFF tags: where strips or tiles begin, and how many bytes each has
_PLACES = ((273, 279), (324, 325))
# Least bits of a pixel by Pillow's mode; a palette may have one, four or eight.
_BITS = {"L": 8, "RGB": 16, "RGBA": 32}


def check_container_end(source: ByteFile, image_format: ImageFormat) -> None:
    """Compares the lengths in a container of chunks or boxes with the file.

    Raises:
        InvalidArguments: the file is cut off.
    """
    if image_format is WEBP:
        _check_end(source, 8 + int.from_bytes(source.read_at(4, 4), "little"))
    elif source.read_at(4, 4) in (b"ftyp", b"JXL ", b"jP  "):
        for _ in top_level_boxes(source):
            """Walking is checking."""


def check_data_end(source: ByteFile, image_format: ImageFormat, image: Image) -> None:
    """Compares where the opened image's pixel data ends with the file.

    Raises:
        InvalidArguments: the file is cut off.
    """
    if image_format is TIFF:
        _check_end(source, _tiff_end(image))
    elif image_format is BMP and image.info.get("compression") == 0:
        row = -(-image.width * _BITS.get(image.mode, 1) // 32) * 4
        _check_end(source, int.from_bytes(source.read_at(10, 4), "little") + row * image.height)


def _check_end(source: ByteFile, end: int) -> None:
    if end > source.size:
        raise InvalidArguments(f"the image is cut off: its data ends at byte {end}, and the file at {source.size}")


def _tiff_end(image: Image) -> int:
    from PIL.TiffImagePlugin import TiffImageFile

    assert isinstance(image, TiffImageFile)
    end = 0
    for place, length in _PLACES:
        starts, lengths = image.tag_v2.get(place), image.tag_v2.get(length)
        if isinstance(starts, tuple) and isinstance(lengths, tuple):
            end = max(end, *(int(s) + int(n) for s, n in zip(starts, lengths, strict=False)))
    return end
