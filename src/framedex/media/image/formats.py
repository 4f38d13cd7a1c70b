"""Formats of still images, told by their first bytes, and how Pillow opens each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import IO, TYPE_CHECKING, Literal, cast

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """`plugin` is Pillow's name. `turned_by` says who applies a stored orientation: we, or the reader itself."""

    plugin: str
    mime_type: str
    turned_by: Literal["exif", "reader"] = "exif"


PNG = ImageFormat("PNG", "image/png")
JPEG = ImageFormat("JPEG", "image/jpeg")
WEBP = ImageFormat("WEBP", "image/webp")
GIF = ImageFormat("GIF", "image/gif")
BMP = ImageFormat("BMP", "image/bmp")
TIFF = ImageFormat("TIFF", "image/tiff", "reader")
AVIF = ImageFormat("AVIF", "image/avif")
HEIC = ImageFormat("HEIF", "image/heic", "reader")
JXL = ImageFormat("JXL", "image/jxl", "reader")
JP2 = ImageFormat("JPEG2000", "image/jp2")

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"BM", BMP),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\xff\x0a", JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JP2),
    (b"\xffO\xffQ", JP2),
)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")


def format_of(source: ByteFile) -> ImageFormat:
    """The format that the content shows.

    Raises:
        InvalidArguments: none that is accepted; SVG is named, because it is asked for.
    """
    head = source.read_at(0, 2048)
    for signature, image_format in _SIGNATURES:
        if head.startswith(signature):
            return image_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(int.from_bytes(head[:4], "big"), 256), 4))}
        if brands & {b"avif", b"avis"}:
            return AVIF
        if brands & set(_HEIC_BRANDS):
            return HEIC
    if b"<svg" in head.lower():
        raise InvalidArguments(
            "SVG is not accepted as an image: it has no fixed pixels and may name other addresses; convert it to PNG"
        )
    if not source.size:
        raise InvalidArguments("the image is empty (0 bytes)")
    raise InvalidArguments(
        "not an image that can be read: its content is none of "
        "PNG, JPEG, WebP, AVIF, HEIC, TIFF, BMP, GIF, JPEG 2000, JPEG XL"
    )


@contextmanager
def opened(source: ByteFile, image_format: ImageFormat) -> Iterator[Image]:
    """The image under its one plug-in, pixels not read yet."""
    from PIL import Image, UnidentifiedImageError

    # Our own limits are checked before pixels are read; Pillow would refuse already the header of a large image.
    Image.MAX_IMAGE_PIXELS = None
    if image_format is HEIC:
        from pillow_heif import register_heif_opener

        register_heif_opener()
    elif image_format is JXL:
        import_module("pillow_jxl")  # registers itself with Pillow
    source.seek(0)
    try:
        image = Image.open(cast("IO[bytes]", source), formats=[image_format.plugin])
    except UnidentifiedImageError as error:
        raise InvalidArguments(f"the {image_format.plugin} image is damaged or cut off: it cannot be opened") from error
    with image:
        yield image
