"""A thumbnail of a DICOM file: its middle frame, through its own window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.dicom.samples import read_frame
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.pixels import eight_bit, image_of
from framedex.media.previews import picture, require


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: rescale, window or VOI table, and MONOCHROME1 applied; without a window, one of its own.

    `asked["frame_count"]` says how many frames there are, as far as it is known.
    """
    require(asked, "thumbnail")
    (source,) = sources
    frames = max(1, int(asked.get("frame_count") or 1))
    found = read_frame(source, frames // 2, limits)
    shown = found.samples if found.shown is None else found.shown
    image = image_of(eight_bit(shown, found.window))
    return picture(image, sink, asked, shows="slice" if frames == 1 else f"frame {frames // 2} of {frames}")
