"""The frame table of a video: `framedex.core.frames.FrameTable`, packed.

`asked`: `is_remote`, whether reading much costs much; see `Limits.scan_bytes`. Facts: `is_left_out` where that would be
passed, and nothing else then; otherwise `frame_count`, `duration` (seconds; None where the file does not say) and
`fps`, as the probe tells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import LongSink, Sink
from framedex.media.limits import Limits, setting_of
from framedex.media.video.scan import Scan, open_video, scan_frames


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """See the module.

    Raises:
        InvalidArguments: not a video that can be read, or its frames cannot be told by so few bytes as may be read.
    """
    (source,) = sources
    opening = open_video(source)
    if opening.reads_all and source.size > limits.longest_scan_bytes:
        raise InvalidArguments(
            f"the frames of this {opening.container.demuxer} file can be told only by reading all of its {source.size} "
            f"bytes; up to {limits.longest_scan_bytes} may be read ({setting_of('longest_scan_bytes')})"
        )
    if asked.get("is_remote") and opening.reads_all and source.size > limits.scan_bytes:
        return {"is_left_out": True}
    scan = scan_frames(source, opening, sink.progress if isinstance(sink, LongSink) else None)
    sink.write(scan.table.pack())
    return scan_facts(scan)


def scan_facts(scan: Scan) -> dict[str, Any]:
    """What the frames of a video say of it as a whole."""
    count, exact = len(scan.table), scan.duration
    duration = float(exact) if exact else None
    return {"frame_count": count, "duration": duration, "fps": count / duration if duration else None}
