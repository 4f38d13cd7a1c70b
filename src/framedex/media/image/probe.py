"""Facts of a still image: the size as shown, and that the pixels are there.

What is proved, by pixels in the image (`Limits.decoded_pixels`, 64 million):
PNG of any size: all checksums, and the inflated data is exactly as long as the header needs. JPEG of any size: a sound
chain of markers to the end mark; up to the limit a strict decode. Others of any size: the file's own lengths; up to the
limit a decode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.image.formats import GIF, JPEG, PNG, TIFF, ImageFormat, format_of, opened
from framedex.media.image.gif import check_gif
from framedex.media.image.jpeg import check_jpeg_pixels, find_jpeg_end
from framedex.media.image.lengths import check_container_end, check_data_end
from framedex.media.image.png import check_png
from framedex.media.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112
_WIDTH, _HEIGHT = 256, 257
_MOST_FRAMES = 100_000


@dataclass(frozen=True, slots=True)
class _Found:
    """Size as stored, EXIF orientation 1 to 8, frames of an animation or pages of a TIFF."""

    width: int
    height: int
    orientation: int
    frames: int


class ImageKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        image_format = format_of(source)
        found = _find_in_png(source, limits) if image_format is PNG else _find_by_pillow(source, image_format, limits)
        is_turned = found.orientation in (5, 6, 7, 8)
        extra: dict[str, object] = {}
        if found.orientation != 1:
            extra |= {"orientation": found.orientation, "raw_width": found.width, "raw_height": found.height}
        if found.frames > 1:
            extra["frames"] = found.frames
        return MediaFacts(
            file_size=source.size,
            mime_type=image_format.mime_type,
            width=found.height if is_turned else found.width,
            height=found.width if is_turned else found.height,
            extra=extra,
        )


def _find_in_png(source: ByteFile, limits: Limits) -> _Found:
    facts = check_png(source, limits.inflated_bytes)
    orientation: object = 1
    if facts.exif:
        from PIL.Image import Exif

        exif = Exif()
        exif.load(facts.exif)
        orientation = exif.get(_ORIENTATION)
    return _Found(facts.header.width, facts.header.height, _one_to_eight(orientation), facts.frames)


def _find_by_pillow(source: ByteFile, image_format: ImageFormat, limits: Limits) -> _Found:
    jpeg_end = _check_structure(source, image_format)
    with opened(source, image_format) as image:
        width, height = raw_size_of(image, image_format)
        if min(width, height) < 1:
            raise InvalidArguments(f"the header of the image says {width} x {height} pixels")
        found = _Found(width, height, orientation_of(image, image_format), _count_frames(image))
        check_data_end(source, image_format, image)
        if width * height <= limits.decoded_pixels:
            _check_pixels(source, image_format, image, jpeg_end)
    return found


def _check_structure(source: ByteFile, image_format: ImageFormat) -> int:
    """What can be told without opening the image; answers the end of a JPEG's first image, else 0."""
    if image_format is JPEG:
        return find_jpeg_end(source)
    if image_format is GIF:
        check_gif(source)
    else:
        check_container_end(source, image_format)
    return 0


def raw_size_of(image: Image, image_format: ImageFormat) -> tuple[int, int]:
    """The stored size; Pillow gives TIFF's already turned."""
    if image_format is TIFF:
        from PIL.TiffImagePlugin import TiffImageFile

        assert isinstance(image, TiffImageFile)
        return int(image.tag_v2[_WIDTH]), int(image.tag_v2[_HEIGHT])
    return image.size


def orientation_of(image: Image, image_format: ImageFormat) -> int:
    """EXIF orientation 1 to 8, 1 where the reader has turned the image itself (HEIC, JPEG XL: their own rule)."""
    if image_format.turned_by == "reader" and image_format is not TIFF:
        return 1
    if image_format is TIFF:
        from PIL.TiffImagePlugin import TiffImageFile

        assert isinstance(image, TiffImageFile)
        return _one_to_eight(image.tag_v2.get(_ORIENTATION))
    return _one_to_eight(image.getexif().get(_ORIENTATION))


def _one_to_eight(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _count_frames(image: Image) -> int:
    """Frames of an animation, pages of a TIFF."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > _MOST_FRAMES:
        raise InvalidArguments(f"the image has {frames} frames, at most {_MOST_FRAMES} are read")
    image.seek(0)
    return frames


def _check_pixels(source: ByteFile, image_format: ImageFormat, image: Image, jpeg_end: int) -> None:
    if image_format is JPEG and check_jpeg_pixels(source.read_at(0, jpeg_end)):
        return
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidArguments(f"the image cannot be decoded, it is damaged or cut off: {reason}") from error


KIND = ImageKind()
