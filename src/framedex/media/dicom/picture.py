"""Pictures of frames of a DICOM file, with its window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.dicom.samples import read_frame
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.stills import picture_facts


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See `framedex.media.stills.picture_facts`; `asked["frames"]` lists indices. Hashed are the stored values."""
    (source,) = sources
    pictures = []
    for index in asked["frames"]:
        found = read_frame(source, index, limits)
        facts = picture_facts(found.samples, sink, asked, frame=index, shown=found.shown, window=found.window)
        pictures.append(facts)
    return {"pictures": pictures}
