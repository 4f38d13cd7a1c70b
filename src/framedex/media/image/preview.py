"""A thumbnail of an image, and many small pictures as one sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.media.byte_file import ByteFile
from framedex.media.image.formats import JPEG, format_of, opened
from framedex.media.image.probe import orientation_of, raw_size_of
from framedex.media.image.samples import read_samples
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels, eight_bit, image_of, turned
from framedex.media.previews import picture, require, size_in_box

if TYPE_CHECKING:
    from PIL.Image import Image

# A picture that is decoded at twice its final size looks as good as one that is decoded whole.
_FINER = 2
_PAPER = (24, 24, 27)
_GAP = 2


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: as shown, orientation applied; grey of more than 8 bits gets a window of its own.

    `sheet`: the sources in rows, `asked["count"]` of how many there are in all.
    """
    if require(asked, "thumbnail", "sheet") == "sheet":
        return _sheet(sources, sink, asked, limits)
    (source,) = sources
    image, frames = _shown(source, asked["size"], limits)
    return picture(image, sink, asked, shows="image" if frames == 1 else f"first of {frames} frames")


def _shown(source: ByteFile, size: int, limits: Limits) -> tuple[Image, int]:
    """The image as shown, at least as large as asked for, and how many frames the file has."""
    image_format = format_of(source)
    with opened(source, image_format) as image:
        frames = int(getattr(image, "n_frames", 1))
        if image_format is JPEG:
            return _decoded_small(image, size, limits), 1
        check_pixels(*raw_size_of(image, image_format), limits)
    return image_of(eight_bit(read_samples(source, 0, limits))), frames


def _decoded_small(image: Image, size: int, limits: Limits) -> Image:
    """The decoder of JPEG scales by 2, 4 or 8 while it decodes: a photograph costs a fraction of its pixels."""
    import numpy as np
    from PIL.Image import Resampling

    orientation = orientation_of(image, JPEG)
    image.draft(image.mode, (size * _FINER, size * _FINER))
    check_pixels(image.width, image.height, limits)
    small = image.resize(size_in_box(image.width, image.height, size), Resampling.LANCZOS, reducing_gap=3.0)
    if small.mode not in ("L", "RGB"):
        small = small.convert("RGB")
    return small if orientation == 1 else image_of(turned(np.asarray(small), orientation))


def _sheet(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    from PIL.Image import new

    columns = math.ceil(math.sqrt(len(sources)))
    rows = -(-len(sources) // columns)
    side = max(8, (asked["size"] - (columns - 1) * _GAP) // columns)
    sheet = new("RGB", (columns * (side + _GAP) - _GAP, rows * (side + _GAP) - _GAP), _PAPER)
    for index, source in enumerate(sources):
        cell, _ = _shown(source, side, limits)
        cell.thumbnail((side, side))
        left = index % columns * (side + _GAP) + (side - cell.width) // 2
        top = index // columns * (side + _GAP) + (side - cell.height) // 2
        sheet.paste(cell, (left, top), cell if cell.mode == "RGBA" else None)
    shows = f"{len(sources)} of {asked['count']} items" if asked["count"] > len(sources) else f"{len(sources)} items"
    return picture(sheet, sink, asked, shows=shows, columns=columns, rows=rows, cells=len(sources))
