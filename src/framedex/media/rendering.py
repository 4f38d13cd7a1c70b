"""Pictures for browsers: JPEG, PNG, WebP."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments

if TYPE_CHECKING:
    from PIL.Image import Image

MIME_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_OPTIONS: Mapping[str, Mapping[str, object]] = {
    "jpeg": {"quality": 90},
    # the fastest level is within a tenth of the size of the usual one for photographs, at a third of its time
    "png": {"compress_level": 1},
    "webp": {"quality": 85, "method": 2},
}
# What the encoders can write at all.
_MOST_SIDE = {"jpeg": 65_500, "png": 1 << 24, "webp": 16_383}


def rendered(image: Image, *, width: int | None, form: str) -> tuple[bytes, int, int]:
    """The encoded picture with its width and height; never larger than it is, proportions kept.

    Raises:
        InvalidArguments: the format cannot hold so many rows or columns.
    """
    from PIL.Image import Resampling

    if width is not None and width < image.width:
        image = image.resize(size_within(image.width, image.height, width), Resampling.LANCZOS, reducing_gap=3.0)
    if max(image.size) > _MOST_SIDE[form]:
        raise InvalidArguments(
            f"a {form} has at most {_MOST_SIDE[form]} pixels in a row or column, and this picture "
            f"{image.width} x {image.height}; ask for a smaller width, or for png"
        )
    if form == "jpeg" and image.mode == "RGBA":
        image = on_white(image)
    out = io.BytesIO()
    options: dict[str, Any] = dict(_OPTIONS[form])
    image.save(out, form.upper(), **options)
    return out.getvalue(), image.width, image.height


def size_within(width: int, height: int, most_width: int) -> tuple[int, int]:
    """The size of a picture `most_width` wide at most, in its own proportions."""
    if width <= most_width:
        return width, height
    return most_width, max(1, round(height * most_width / width))


def on_white(image: Image) -> Image:
    """A picture with transparency as it looks on paper."""
    from PIL.Image import new

    paper = new("RGB", image.size, (255, 255, 255))
    paper.paste(image, mask=image.getchannel("A"))
    return paper
