"""Frame tables as the own API answers them: by rows, or by columns for many frames at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framedex.core.frames import FrameTable
from framedex.services.frames import ItemFrames
from framedex.webapi.schemas import Model

#: Frames that are named in a list of flags.
_MOST_FLAGGED = 1000


class FrameOut(Model):
    """One frame. `pts` (in units of `time_base`), `time` and `key` are null for all but videos.

    `object_uuid` is the item whose object has it (a child, for groups), `object_index` the picture in it.
    """

    index: int
    pts: int | None
    time: float | None
    key: bool | None
    object_uuid: str
    object_index: int


class FrameColumnsOut(Model):
    """The same by columns; the i-th of the page is frame `first + i`. Of videos the `object` columns are null."""

    first: int
    pts: list[int] | None
    time: list[float] | None
    key: list[bool | None] | None
    object_uuid: list[str] | None
    object_index: list[int] | None


class FlagsOut(Model):
    """Frames with the time of the one before them, and frames that come late: how many, and the first 1000."""

    duplicate_pts: int
    duplicate_pts_frames: list[int]
    gaps: int
    gaps_frames: list[int]


class FramesOut(Model):
    """The frames of an item.

    `time_base` is the seconds of one tick, as a fraction. `origin` says where the table comes from: `packets` or
    `samples` of the file, `supplied` by the caller; null for all but videos. `start_pts` is the time of frame 0, `time`
    counts from there. `rotation` (degrees against the clock) turns pictures for display. `cut` frames of the file are
    never shown (edit lists, streams that begin between key frames). `is_counted`: the file names no times.
    """

    item: str
    type: str
    frame_count: int
    origin: str | None
    time_base: str | None
    start_pts: int | None
    rotation: int | None
    cut: int | None
    is_counted: bool | None
    flags: FlagsOut | None
    frames: list[FrameOut] | FrameColumnsOut
    next_cursor: str | None


class FramesJobOut(Model):
    """The job that makes the table; null where there is one already."""

    job: str | None


def frames_body(found: ItemFrames, *, by_columns: bool, next_cursor: str | None) -> dict[str, object]:
    """`FramesOut`; plain objects, for there may be hundreds of thousands."""
    return {
        "item": found.item.id,
        "type": found.item.item_type.value,
        "frame_count": found.count,
        **_of_table(found.table),
        "frames": _columns(found) if by_columns else _rows(found),
        "next_cursor": next_cursor,
    }


def _of_table(table: FrameTable | None) -> Mapping[str, object]:
    if table is None:
        return dict.fromkeys(("origin", "time_base", "start_pts", "rotation", "cut", "is_counted", "flags"))
    duplicates, gaps = table.duplicate_pts, table.gaps
    return {
        "origin": table.origin.value,
        "time_base": str(table.time_base),
        "start_pts": table.start,
        "rotation": table.rotation,
        "cut": table.cut,
        "is_counted": table.is_counted,
        "flags": {
            "duplicate_pts": len(duplicates),
            "duplicate_pts_frames": duplicates[:_MOST_FLAGGED],
            "gaps": len(gaps),
            "gaps_frames": gaps[:_MOST_FLAGGED],
        },
    }


def _rows(found: ItemFrames) -> list[dict[str, Any]]:
    table, item_id = found.table, found.item.id
    if table is None:
        nothing = dict.fromkeys(("pts", "time", "key"))
        return [
            {"index": shot.frame, **nothing, "object_uuid": shot.holder.id, "object_index": shot.index}
            for shot in found.shots
        ]
    keys = _key_flags(table, found.start, found.end)
    return [
        {"index": n, "pts": table.pts[n], "time": table.time(n), "key": key, "object_uuid": item_id, "object_index": n}
        for n, key in zip(range(found.start, found.end), keys, strict=True)
    ]


def _columns(found: ItemFrames) -> dict[str, object]:
    table, span = found.table, range(found.start, found.end)
    if table is None:
        uuids, indices = [shot.holder.id for shot in found.shots], [shot.index for shot in found.shots]
        nothing = dict.fromkeys(("pts", "time", "key"))
        return {"first": found.start, **nothing, "object_uuid": uuids, "object_index": indices}
    return {
        "first": found.start,
        "pts": list(table.pts[found.start : found.end]),
        "time": [table.time(n) for n in span],
        "key": _key_flags(table, found.start, found.end),
        "object_uuid": None,
        "object_index": None,
    }


def _key_flags(table: FrameTable, start: int, end: int) -> list[bool | None]:
    """Null where it is not known which frames are key frames."""
    if not table.keys:
        return [None] * (end - start)
    flags: list[bool | None] = [False] * (end - start)
    for key in table.keys_between(start, end):
        flags[key - start] = True
    return flags
