"""Pictures of slices of a NIfTI volume, as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits
from framedex.media.nifti.samples import read_slice
from framedex.media.stills import picture_facts


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See `framedex.media.stills.picture_facts`; `asked["frames"]` lists slices: third axis, then the fourth."""
    (source,) = sources
    pictures = [picture_facts(read_slice(source, index, limits), sink, asked, frame=index) for index in asked["frames"]]
    return {"pictures": pictures}
