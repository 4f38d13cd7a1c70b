"""Pictures of a still image, or of frames of an animation and pages of a TIFF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.image.samples import read_samples
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.stills import picture_facts


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See `framedex.media.stills.picture_facts`; `asked["frames"]` lists indices."""
    (source,) = sources
    pictures = [
        picture_facts(read_samples(source, frame, limits), sink, asked, frame=frame) for frame in asked["frames"]
    ]
    return {"pictures": pictures}
