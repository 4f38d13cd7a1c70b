"""The files of a series in geometric order. Pure: it works on facts, whoever took them.

A *stack* is what can be shown as one volume: files of one series with one orientation and one shape. Within a stack
files go by position (mm) along the normal of the image plane, then InstanceNumber, then time, then as given.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.dicom.spacing import measure_spacing
from framedex.media.dicom.values import first_number, first_text, numbers

# Direction cosines differ by less within one acquisition; scanners write four to six decimals.
_SAME_DIRECTION = 1e-3

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Slice:
    """One file: its place in the caller's list and what it is ordered by."""

    place: int
    series_uid: str
    shape: tuple[int, int]
    orientation: Vector | None
    position: Vector | None
    number: float
    time: str

    def along_normal(self) -> float | None:
        """Distance of the image plane from the origin, mm."""
        if self.orientation is None or self.position is None:
            return None
        (a, b, c), (d, e, f) = self.orientation[:3], self.orientation[3:]
        normal = (b * f - c * e, c * d - a * f, a * e - b * d)
        return sum(n * p for n, p in zip(normal, self.position, strict=True))


def order_dicom(files: Sequence[MediaFacts], titles: Sequence[str]) -> MediaFacts:
    """Facts of a series: see `framedex.core.ports.media.Prober.order_dicom`.

    `extra["stacks"]` lists stacks in order; each has `positions` (indices into `files`), `sorted_by`, and where its
    slices have places: `spacing` (mm, median), `is_evenly_spaced`, `gaps` and `duplicates` (pairs of indices).
    """
    if not files:
        raise InvalidArguments("a DICOM series needs at least one file")
    _check_study(files, titles)
    stacks = _stacks([_slice(i, f, t) for i, (f, t) in enumerate(zip(files, titles, strict=True))])
    described = [_describe(stack) for stack in stacks]
    order = [piece.place for stack in stacks for piece in stack]
    instances = Counter(_uid(file, "dicom_instance_uid", "00080018") for file in files)
    rows, columns = stacks[0][0].shape
    series = {piece.series_uid for stack in stacks for piece in stack}
    sizes = [file.file_size for file in files]
    return MediaFacts(
        file_size=None if None in sizes else sum(size or 0 for size in sizes),
        mime_type="application/dicom",
        width=columns,
        height=rows,
        frame_count=sum(file.frame_count or 1 for file in files),
        dicom_study_uid=_uid(files[0], "dicom_study_uid", "0020000D"),
        dicom_series_uid=series.pop() if len(series) == 1 else None,
        extra={
            "order": order,
            "stacks": described,
            "duplicate_instances": sorted(uid for uid, count in instances.items() if uid and count > 1),
        },
    )


def _check_study(files: Sequence[MediaFacts], titles: Sequence[str]) -> None:
    studies = [_uid(file, "dicom_study_uid", "0020000D") for file in files]
    for study, title in zip(studies, titles, strict=True):
        if not study:
            raise InvalidArguments(f"{title[:300]}: the DICOM tag 'StudyInstanceUID' is missing")
    (usual, _), *others = Counter(studies).most_common()
    if others:
        odd = next(i for i, study in enumerate(studies) if study != usual)
        # the service's own text (reference/behaviour.md 1.6)
        raise InvalidArguments(
            "The value of DICOM tag 'StudyInstanceUID' should be consistent across files in a series. "
            f"Got [{studies[odd]}] from '{titles[odd][:300]}' and [{usual}] from other files in the series."
        )


def _slice(place: int, file: MediaFacts, title: str) -> _Slice:
    tags = file.dicom_tags or {}
    rows, columns = first_number(tags, "00280010") or file.height, first_number(tags, "00280011") or file.width
    series = _uid(file, "dicom_series_uid", "0020000E")
    required = {
        "SeriesInstanceUID": series,
        "SOPInstanceUID": _uid(file, "dicom_instance_uid", "00080018"),
        "Rows": rows,
        "Columns": columns,
    }
    for tag, value in required.items():
        if not value:
            raise InvalidArguments(f"{title[:300]}: the DICOM tag '{tag}' is missing")
    number = first_number(tags, "00200013")
    return _Slice(
        place=place,
        series_uid=series or "",
        shape=(int(rows or 0), int(columns or 0)),
        orientation=numbers(tags, "00200037", within="00209116", length=6),
        position=numbers(tags, "00200032", within="00209113", length=3),
        number=math.inf if number is None else number,
        time=str(file.extra.get("acquired") or ""),
    )


def _uid(file: MediaFacts, name: str, tag: str) -> str | None:
    found: str | None = getattr(file, name)
    return found or first_text(file.dicom_tags or {}, tag)


def _stacks(slices: list[_Slice]) -> list[list[_Slice]]:
    """Stacks in an order that does not depend on the order of the files."""
    stacks: list[list[_Slice]] = []
    for piece in sorted(slices, key=_stack_key):
        for stack in stacks:
            if _belongs(piece, stack[0]):
                stack.append(piece)
                break
        else:
            stacks.append([piece])
    for stack in stacks:
        stack.sort(key=_order_key(stack))
    return stacks


def _stack_key(piece: _Slice) -> tuple[object, ...]:
    return piece.series_uid, piece.shape, piece.orientation or (), piece.number, piece.place


def _belongs(piece: _Slice, first: _Slice) -> bool:
    if (piece.series_uid, piece.shape) != (first.series_uid, first.shape):
        return False
    if piece.orientation is None or first.orientation is None:
        return piece.orientation is first.orientation
    return all(abs(a - b) < _SAME_DIRECTION for a, b in zip(piece.orientation, first.orientation, strict=True))


def _has_places(stack: list[_Slice]) -> bool:
    return all(piece.along_normal() is not None for piece in stack)


def _order_key(stack: list[_Slice]) -> Callable[[_Slice], tuple[float, float, str, int]]:
    by_place = _has_places(stack)

    def key(piece: _Slice) -> tuple[float, float, str, int]:
        # micrometres: below that, positions of one slice in two files differ by rounding only
        place = round(piece.along_normal() or 0.0, 3) if by_place else 0.0
        return place, piece.number, piece.time, piece.place

    return key


def _describe(stack: list[_Slice]) -> dict[str, object]:
    first = stack[0]
    places = [piece.along_normal() for piece in stack]
    known = [place for place in places if place is not None]
    described: dict[str, object] = {
        "series_uid": first.series_uid,
        "rows": first.shape[0],
        "columns": first.shape[1],
        "orientation": list(first.orientation) if first.orientation else None,
        "positions": [piece.place for piece in stack],
        "sorted_by": _sorted_by(stack),
    }
    if len(known) == len(stack):
        described |= measure_spacing(known, [piece.place for piece in stack])
    return described


def _sorted_by(stack: list[_Slice]) -> str:
    if _has_places(stack):
        return "position"
    if any(piece.number != math.inf for piece in stack):
        return "instance_number"
    return "time" if any(piece.time for piece in stack) else "given"
