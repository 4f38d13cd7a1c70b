"""From the facts of DICOM files to the slices that they hold. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.dicom.values import first_number, first_text, frame_numbers, group_count, numbers

ROWS, COLUMNS = "00280010", "00280011"
INSTANCE, STUDY, SERIES = "00080018", "0020000D", "0020000E"
_NUMBER = "00200013"
_POSITION, _POSITION_GROUP = "00200032", "00209113"
_ORIENTATION, _ORIENTATION_GROUP = "00200037", "00209116"
_MOST_UID = 64

#: What tells time points at one place apart: TemporalPositionIdentifier or TemporalPositionIndex; TriggerTime (ms);
#: the time of day of the acquisition (s).
MOMENTS = ("temporal", "trigger_ms", "clock_s")

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame with a place of its own, or all frames of a file that gives them none.

    Attributes:
        file: its place in the caller's list. frame: in the file, the first of `count`.
        number: InstanceNumber, infinite when there is none.
        moments: by `MOMENTS`, as far as they are known.
    """

    file: int
    frame: int
    count: int
    series_uid: str
    shape: tuple[int, int]
    orientation: Vector | None
    position: Vector | None
    number: float
    moments: Mapping[str, float]


def uid_of(file: MediaFacts, name: str, tag: str) -> str | None:
    """A UID among the facts, or in the tags that a caller supplied."""
    found: str | None = getattr(file, name)
    return found or first_text(file.dicom_tags or {}, tag)


def slices_of(place: int, file: MediaFacts, title: str) -> list[Slice]:
    """The slices of one file.

    Raises:
        InvalidArguments: a tag that every slice needs is missing or malformed; names the file.
    """
    whole = _whole(place, file, title)
    tags = file.dicom_tags or {}
    if whole.count < 2 or group_count(tags) < whole.count:
        return [whole]
    positions = frame_numbers(tags, _POSITION, within=_POSITION_GROUP, length=3, count=whole.count)
    orientations = frame_numbers(tags, _ORIENTATION, within=_ORIENTATION_GROUP, length=6, count=whole.count)
    if not any(positions):
        return [whole]
    moments = _frame_moments(file, whole.count)
    return [
        replace(whole, frame=frame, count=1, position=position, orientation=orientation, moments=moment)
        for frame, (position, orientation, moment) in enumerate(zip(positions, orientations, moments, strict=True))
    ]


def _whole(place: int, file: MediaFacts, title: str) -> Slice:
    tags = file.dicom_tags or {}
    rows, columns = first_number(tags, ROWS) or file.height, first_number(tags, COLUMNS) or file.width
    series = uid_of(file, "dicom_series_uid", SERIES)
    instance = uid_of(file, "dicom_instance_uid", INSTANCE)
    required = {"SeriesInstanceUID": series, "SOPInstanceUID": instance, "Rows": rows, "Columns": columns}
    for tag, value in required.items():
        if not value:
            raise InvalidArguments(f"{title[:300]}: the DICOM tag '{tag}' is missing")
    check_uid("SeriesInstanceUID", series or "", title)
    check_uid("SOPInstanceUID", instance or "", title)
    number = first_number(tags, _NUMBER)
    return Slice(
        file=place,
        frame=0,
        count=max(1, file.frame_count or 1),
        series_uid=series or "",
        shape=(int(rows or 0), int(columns or 0)),
        orientation=numbers(tags, _ORIENTATION, within=_ORIENTATION_GROUP, length=6),
        position=numbers(tags, _POSITION, within=_POSITION_GROUP, length=3),
        number=math.inf if number is None else number,
        moments=_moments(file.extra.get("moments")),
    )


def check_uid(tag: str, uid: str, title: str) -> None:
    """Refuses what is too long; letters and other departures from the standard are taken, as real files have them."""
    if len(uid) > _MOST_UID:
        raise InvalidArguments(
            f"{title[:300]}: the DICOM tag '{tag}' must have 1 to {_MOST_UID} characters, it has {len(uid)}"
        )


def _moments(found: object) -> Mapping[str, float]:
    if not isinstance(found, Mapping):
        return {}
    return {kind: float(found[kind]) for kind in MOMENTS if isinstance(found.get(kind), int | float)}


def _frame_moments(file: MediaFacts, count: int) -> list[Mapping[str, float]]:
    found: Any = file.extra.get("frame_moments")
    if not isinstance(found, list) or len(found) != count:
        return [{}] * count
    return [_moments(moment) for moment in found]
