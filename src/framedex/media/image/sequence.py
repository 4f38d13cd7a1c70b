"""An H.264 video of still images, one frame each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.image.formats import format_of, opened
from framedex.media.kind import Sink
from framedex.media.limits import Limits

if TYPE_CHECKING:
    from av.video.stream import VideoStream
    from PIL.Image import Image

# H.264 level 6.2 and every player's decoder end here
_MOST_SIDE = 8192
# bytes that the index needs for a frame (sizes, offsets, chunks, key frames), and for what stands around it
_INDEX_PER_FRAME, _INDEX_BASE = 40, 8192


def encode_sequence(sources: Sequence[ByteFile], sink: Sink, fps: float, limits: Limits) -> None:
    """Writes an MP4 whose index stands first, so that it plays while it loads.

    All images get the first one's size (after orientation) less an odd last row or column; proportions may break, as
    they do in the service we are compatible with. No B-frames: frame n is shown at exactly n / fps, and decodes early.

    Raises:
        InvalidArguments: an image cannot be read; the message says which, counted from 0.
    """
    import av
    import numpy as np

    rate = Fraction(fps).limit_denominator(1001)
    if rate <= 0:
        raise InvalidArguments(f"a video needs a positive number of frames per second, not {fps}")
    # the index is given its room in advance: writing it first otherwise means to read the output back
    index_bytes = _INDEX_BASE + _INDEX_PER_FRAME * len(sources)
    with av.open(sink, "w", format="mp4", container_options={"moov_size": str(index_bytes)}) as media:
        stream: VideoStream | None = None
        for index, source in enumerate(sources):
            image = _image(index, source, limits)
            source.forget()  # nobody reads it again, and there may be thousands
            stream = stream or _add_stream(media.add_stream("libx264", rate), image)
            frame = av.VideoFrame.from_ndarray(np.asarray(_scaled(image, stream.width, stream.height)), "rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            media.mux(stream.encode(frame))
        if stream is not None:
            media.mux(stream.encode(None))


def _add_stream(stream: VideoStream, image: Image) -> VideoStream:
    stream.width, stream.height = (max(2, min(side, _MOST_SIDE) // 2 * 2) for side in image.size)
    stream.pix_fmt = "yuv420p"
    stream.options = {"preset": "veryfast", "crf": "20", "bf": "0", "rc-lookahead": "10", "g": "30"}
    stream.codec_context.thread_count = 2
    return stream


def _image(index: int, source: ByteFile, limits: Limits) -> Image:
    from PIL import ImageOps

    try:
        with opened(source, format_of(source)) as image:
            if image.width * image.height > limits.decoded_pixels:
                raise InvalidArguments(
                    f"{image.width} x {image.height} pixels are too many for a frame of a video; make it smaller"
                )
            return _eight_bit(ImageOps.exif_transpose(image)).convert("RGB")
    except InvalidArguments as error:
        raise InvalidArguments(f"image {index} of the sequence: {error.message}") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise InvalidArguments(f"image {index} of the sequence is damaged or cut off") from error


def _eight_bit(image: Image) -> Image:
    """Grey of 16 or 32 bits or float, scaled to 8: Pillow's own conversion clips it to white."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    import numpy as np
    from PIL.Image import fromarray

    values = np.asarray(image, dtype=np.float32)
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    scaled = (values - low) * (255.0 / ((high - low) or 1.0))
    return fromarray(scaled.clip(0, 255).astype(np.uint8))


def _scaled(image: Image, width: int, height: int) -> Image:
    from PIL.Image import Resampling

    return image if image.size == (width, height) else image.resize((width, height), Resampling.LANCZOS)
