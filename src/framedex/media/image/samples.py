"""The samples of a still in the depth of its file, turned as it is to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.image.formats import PNG, TIFF, ImageFormat, format_of, opened
from framedex.media.image.probe import orientation_of, raw_size_of
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels, turned

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray
    from PIL.Image import Image

# Formats that Pillow opens with 8 bits a sample though they have 16: FFmpeg's decoder and its names of what it answers.
_DECODERS = {PNG: "png", TIFF: "tiff"}
_DEEP_FORMATS = {"rgb48be": 3, "rgb48le": 3, "rgba64be": 4, "rgba64le": 4}
_BITS_PER_SAMPLE = 258


def read_samples(source: ByteFile, frame: int, limits: Limits) -> NDArray[Any]:
    """(height, width) of grey, or (height, width, 3 or 4) of RGB or RGBA, as shown.

    8 or 16 bits a sample; grey also as float32 and int32. Palettes, CMYK and other colour spaces become RGB; of formats
    whose reader gives 8 bits only (AVIF, HEIC, JPEG XL, JPEG 2000 in colour) deeper samples are its rounding.

    Raises:
        InvalidArguments: no sound image, too large, or no such frame.
    """
    image_format = format_of(source)
    with opened(source, image_format) as image:
        check_pixels(*raw_size_of(image, image_format), limits)
        count = int(getattr(image, "n_frames", 1))
        if not 0 <= frame < count:
            raise InvalidArguments(f"the image has {count} frames, counted from 0; there is no frame {frame}")
        image.seek(frame)
        check_pixels(image.width, image.height, limits)
        orientation = orientation_of(image, image_format)
        deep = _deep_samples(source, frame, image, image_format)
        if deep is not None:
            return turned(deep, orientation)
        samples = _loaded(image)
    # Pillow has turned a TIFF when it loaded it
    return samples if image_format is TIFF else turned(samples, orientation)


def _loaded(image: Image) -> NDArray[Any]:
    import numpy as np

    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidArguments(f"the image cannot be decoded, it is damaged or cut off: {reason}") from error
    samples = np.asarray(_canonical(image))
    return samples.astype(samples.dtype.newbyteorder("<"), copy=False)


def _canonical(image: Image) -> Image:
    """The image in one of the modes L, RGB, RGBA, I;16, I and F."""
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("RGBA")
    if mode in ("L", "RGB", "RGBA", "I", "F") or mode.startswith("I;16"):
        return image
    if mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if mode in ("LA", "La", "PA", "RGBa") else "RGB")


def _deep_samples(source: ByteFile, frame: int, image: Image, image_format: ImageFormat) -> NDArray[Any] | None:
    """16-bit colours, which Pillow would cut to 8 bits; None for everything else."""
    if not _is_deep(source, image, image_format) or (frame and image_format is PNG):
        return None
    import av
    from av.packet import Packet

    decoder = av.CodecContext.create(_DECODERS[image_format], "r")
    if frame:
        decoder.options = {"page": str(frame + 1)}
    try:
        packet = Packet(source.read_at(0, source.size))
        decoded = [*decoder.decode(packet), *decoder.decode(None)]  # type: ignore[attr-defined]  # of video codecs
    except av.error.FFmpegError as error:
        raise InvalidArguments("the image cannot be decoded, it is damaged or cut off") from error
    if not decoded or decoded[0].format.name not in _DEEP_FORMATS:
        return None
    return _packed(decoded[0])


def _is_deep(source: ByteFile, image: Image, image_format: ImageFormat) -> bool:
    if image_format is PNG:
        depth, colour = source.read_at(24, 2)
        return depth == 16 and colour in (2, 6)
    if image_format is TIFF:
        from PIL.TiffImagePlugin import TiffImageFile

        assert isinstance(image, TiffImageFile)
        bits = image.tag_v2.get(_BITS_PER_SAMPLE) or ()
        return len(bits) >= 3 and set(bits) == {16}
    return False


def _packed(frame: VideoFrame) -> NDArray[Any]:
    import numpy as np

    channels = _DEEP_FORMATS[frame.format.name]
    order = ">" if frame.format.is_big_endian else "<"
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
        :, : frame.width * channels * 2
    ]
    samples = np.ascontiguousarray(rows).view(f"{order}u2").reshape(frame.height, frame.width, channels)
    return samples.astype("<u2")
