"""Facts of a video from its frame table and its first frame."""

from __future__ import annotations

import base64
from typing import Any

from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.video.frames import scan_facts
from framedex.media.video.scan import Opening, open_video, scan_frames


class VideoKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        opening = open_video(source)
        if opening.reads_all and source.size > limits.scan_bytes:
            return MediaFacts(**_facts(source, opening))
        scan = scan_frames(source, opening)
        table = base64.b64encode(scan.table.pack()).decode("ascii")
        return MediaFacts(**_facts(source, opening), **scan_facts(scan), frame_table=table)


def _facts(source: ByteFile, opening: Opening) -> dict[str, Any]:
    """What the beginning tells."""
    first = opening.first
    is_turned = abs(first.rotation) % 180 == 90
    size = (first.height, first.width) if is_turned else (first.width, first.height)
    extra: dict[str, object] = {"codec": opening.codec}
    if first.rotation:
        extra |= {"rotation": first.rotation % 360, "raw_width": first.width, "raw_height": first.height}
    return {
        "file_size": source.size,
        "mime_type": opening.container.video_mime,
        "width": size[0],
        "height": size[1],
        "extra": extra,
    }


KIND = VideoKind()
