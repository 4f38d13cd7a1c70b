"""Facts of point clouds and recordings."""

from __future__ import annotations

from collections.abc import Callable

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.scene.las import las_points
from framedex.media.scene.pcd import pcd_points
from framedex.media.scene.ply import ply_points

_MCAP = b"\x89MCAP0\r\n"


class SceneKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        head = source.read_at(0, 512)
        for signature, file_format, mime_type, read in _FORMATS:
            if head.startswith(signature):
                extra: dict[str, object] = {"format": file_format}
                if points := read(source):
                    extra |= points
                return MediaFacts(file_size=source.size, mime_type=mime_type, extra=extra)
        if _is_pcd(head):
            extra = {"format": "pcd", **pcd_points(source)}
            return MediaFacts(file_size=source.size, mime_type="application/x-pcd", extra=extra)
        raise InvalidArguments(
            "not a scene that can be read: its content is none of pcd, ply, las, laz, e57, mcap, bag, db3"
        )


def _is_pcd(head: bytes) -> bool:
    """A PCD file may begin with comments; its first word after them is VERSION."""
    lines = [line.strip() for line in head.split(b"\n")]
    words = [line.split()[0] for line in lines if line and not line.startswith(b"#")]
    return bool(words) and words[0] in (b"VERSION", b"FIELDS")


def _no_points(source: ByteFile) -> dict[str, object]:
    return {}


def _whole_e57(source: ByteFile) -> dict[str, object]:
    """ASTM E2807: the length of the file is the uint64 at byte 16."""
    stated = int.from_bytes(source.exactly(16, 8, "the header"), "little")
    if stated > source.size:
        raise InvalidArguments(f"the file is cut off: it says {stated} bytes and has {source.size}")
    return {}


def _whole_mcap(source: ByteFile) -> dict[str, object]:
    """An MCAP file that was closed ends as it begins."""
    if source.size < 2 * len(_MCAP) or source.read_at(source.size - len(_MCAP), len(_MCAP)) != _MCAP:
        raise InvalidArguments("the recording is cut off: its end mark is missing")
    return {}


_FORMATS: tuple[tuple[bytes, str, str, Callable[[ByteFile], dict[str, object]]], ...] = (
    (b"ply\n", "ply", "application/x-ply", ply_points),
    (b"ply\r", "ply", "application/x-ply", ply_points),
    (b"LASF", "las", "application/vnd.las", las_points),
    (b"ASTM-E57", "e57", "model/e57", _whole_e57),
    (_MCAP, "mcap", "application/mcap", _whole_mcap),
    (b"#ROSBAG V", "bag", "application/x-rosbag", _no_points),
    (b"SQLite format 3\0", "db3", "application/vnd.sqlite3", _no_points),
)

KIND = SceneKind()
