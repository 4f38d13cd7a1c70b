"""Samples as a decoder gives them: named as FFmpeg names its pixel formats, hashed, and made ready to be shown.

The hash of a picture is SHA-256 over its planes in their native pixel format: rows from top to bottom without padding,
one plane after the other, components in the file's order, more than one byte in the order that the format's name ends
with. It is what `ffmpeg -f framehash -hash sha256` prints for a frame of a video.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.limits import Limits, setting_of

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray
    from PIL.Image import Image

# Components -> FFmpeg's name of 8-bit samples. What FFmpeg has no name for is named in its manner below.
_EIGHT_BIT = {1: "gray", 3: "rgb24", 4: "rgba"}
_DEEP = {1: "gray{bits}{order}", 3: "rgb{total}{order}", 4: "rgba{total}{order}"}
# numpy's kinds of samples -> what stands before the number of bits.
_SIGNED = {"u": "", "i": "s", "f": "f"}
# Values at the far ends are noise, hot pixels and metal: a window leaves so many percent out.
_OUTLIERS = 0.5
# A palette has 256 colours of four bytes.
_PALETTE_BYTES = 1024


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuses pictures too large to decode, by their header.

    Raises:
        InvalidArguments: names the limit and its setting.
    """
    if width * height > limits.decoded_pixels:
        raise InvalidArguments(
            f"the picture has {width} x {height} pixels; at most {limits.decoded_pixels} are decoded "
            f"({setting_of('decoded_pixels')})"
        )


def pixel_format_of(samples: NDArray[Any]) -> str:
    """The name of samples of shape (height, width) or (height, width, 3 or 4), as `sha256_of_samples` hashes them.

    `gray`, `rgb24`, `rgba`, `gray16le`, `rgb48le`, `rgba64le`, `grayf32le`; signed integers and what FFmpeg does not
    have follow the pattern: `grays16le`, `grayf64le`.
    """
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    if samples.dtype.itemsize == 1 and samples.dtype.kind == "u":
        return _EIGHT_BIT[channels]
    bits = samples.dtype.itemsize * 8
    depth = f"{_SIGNED[samples.dtype.kind]}{bits if channels == 1 else bits * channels}"
    return _DEEP[channels].format(bits=depth, total=depth, order="le" if bits > 8 else "")


def sha256_of_samples(samples: NDArray[Any]) -> str:
    """The hash of a still: after its orientation is applied."""
    import hashlib

    import numpy as np

    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()


def sha256_of_frame(frame: VideoFrame) -> str:
    """The hash of a decoded frame: before rotation.

    Raises:
        InvalidArguments: frames of this format are no rows of bytes.
    """
    import hashlib

    digest = hashlib.sha256()
    for plane, row_bytes in zip(frame.planes, row_bytes_of(frame), strict=False):
        rows = memoryview(plane).cast("B")
        if plane.line_size == row_bytes:
            digest.update(rows[: row_bytes * plane.height])
            continue
        for start in range(0, plane.line_size * plane.height, plane.line_size):
            digest.update(rows[start : start + row_bytes])
    if frame.format.has_palette:
        digest.update(_palette(frame))
    return digest.hexdigest()


def row_bytes_of(frame: VideoFrame) -> Sequence[int]:
    """Bytes of a row of each plane without padding, as `av_image_get_linesize` has them."""
    form = frame.format
    if frame.format.is_bit_stream or len(frame.planes) == 1 or form.has_palette:
        is_halved = len(form.components) > 1 and form.components[1].width < frame.width
        width = frame.width + frame.width % 2 if is_halved else frame.width
        return [-(-width * form.padded_bits_per_pixel // 8)] if not form.has_palette else [frame.width]
    rows = [0] * len(frame.planes)
    for component in form.components:
        rows[component.plane] += component.width * -(-component.bits // 8)
    return rows


def _palette(frame: VideoFrame) -> bytes:
    """The palette as FFmpeg's raw video has it: 256 times blue, green, red, alpha."""
    _, colours = frame.to_ndarray(format="pal8")
    data: bytes = colours[:, ::-1].tobytes()
    if len(data) != _PALETTE_BYTES:
        raise InvalidArguments(f"the palette of the frame has {len(data)} bytes and not {_PALETTE_BYTES}")
    return data


def turned(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Samples as shown, by an EXIF orientation of 1 to 8."""
    import numpy as np

    if orientation >= 5:
        samples = np.swapaxes(samples, 0, 1)
    is_upside_down, is_mirrored = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return samples[:: -1 if is_upside_down else 1, :: -1 if is_mirrored else 1]


def eight_bit(samples: NDArray[Any], window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Samples for a screen: black at and below `window[0]`, white at and above `window[1]`.

    Without a window 8 bits stay, 16-bit colours lose their low byte, and grey of more bits gets a window of its own,
    which leaves out half a percent of its values at either end.
    """
    import numpy as np

    if window is None and samples.dtype == np.uint8:
        return samples
    if window is None and samples.ndim == 3 and samples.dtype == np.uint16:
        return (samples >> 8).astype(np.uint8)
    low, high = window or window_of(samples)
    values = samples.astype(np.float32)
    scaled = (values - low) * np.float32(255.0 / ((high - low) or 1.0))
    shown: NDArray[np.uint8] = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).astype(np.uint8)
    return shown


def window_of(samples: NDArray[Any]) -> tuple[float, float]:
    """The values that a screen shows as black and white."""
    import numpy as np

    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.percentile(finite, (_OUTLIERS, 100 - _OUTLIERS))
    if low == high:
        low, high = finite.min(), finite.max()
    return float(low), float(high)


def image_of(samples: NDArray[np.uint8]) -> Image:
    """Eight-bit samples as Pillow's image: grey, RGB or RGBA."""
    import numpy as np
    from PIL.Image import fromarray

    return fromarray(np.ascontiguousarray(samples))
