"""Stacks: slices that can be shown as one volume, in the order of their places. Pure.

A stack has one series, one orientation and one shape. Its slices go by position (mm) along the normal of the image
plane, then InstanceNumber, then time, then as given. Several slices at one place are time points when a time tells
them apart at every place of the stack; otherwise they are duplicates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from framedex.media.dicom.slices import MOMENTS, Slice, Vector
from framedex.media.dicom.spacing import SAME_PLACE, measure_spacing

# Direction cosines differ by less within one acquisition; scanners write four to six decimals.
_SAME_DIRECTION = 1e-3
# A normal shorter than this is none: rows and columns of the image do not span a plane.
_SHORTEST_NORMAL = 0.5
# No scanner places a slice a kilometre away (mm); junk does.
_FARTHEST = 1e6

Run = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order.

    Attributes:
        places: mm along the normal, one for each level; empty when a slice has no place.
        levels: the slices at each place, in order; one level with all slices when there are no places.
    """

    places: tuple[float, ...]
    levels: tuple[tuple[Slice, ...], ...]

    @property
    def slices(self) -> list[Slice]:
        return [piece for level in self.levels for piece in level]


def stacks_of(slices: Sequence[Slice]) -> list[Stack]:
    """Stacks in an order that does not depend on the order of the files."""
    groups: list[list[Slice]] = []
    # Grouped by what must be equal first: a stack is looked for among those of its own series and shape.
    by_kind: dict[tuple[str, tuple[int, int]], list[list[Slice]]] = {}
    for piece in sorted(slices, key=_group_key):
        alike = by_kind.setdefault((piece.series_uid, piece.shape), [])
        group = next((group for group in alike if _is_parallel(piece.orientation, group[0].orientation)), None)
        if group is None:
            group = []
            alike.append(group)
            groups.append(group)
        group.append(piece)
    return [_stack(group) for group in groups]


def _group_key(piece: Slice) -> tuple[object, ...]:
    return piece.series_uid, piece.shape, piece.orientation or (), piece.number, piece.file, piece.frame


def _is_parallel(one: Vector | None, other: Vector | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(abs(a - b) < _SAME_DIRECTION for a, b in zip(one, other, strict=True))


def _stack(group: list[Slice]) -> Stack:
    places = _places(group)
    if places is None:
        return Stack((), (tuple(sorted(group, key=_within_level)),))
    pairs = sorted(zip(places, group, strict=True), key=lambda pair: pair[0])
    levels: list[tuple[float, list[Slice]]] = []
    for place, piece in pairs:
        # Against the first of the level: steps that add up are no one place.
        if not levels or place - levels[-1][0] > SAME_PLACE:
            levels.append((place, []))
        levels[-1][1].append(piece)
    ordered = tuple(tuple(sorted(level, key=_within_level)) for _, level in levels)
    return Stack(tuple(place for place, _ in levels), ordered)


def _places(group: Sequence[Slice]) -> list[float] | None:
    """Distances along the normal of the first slice: directions that differ by rounding would tilt far positions."""
    normal = None if group[0].orientation is None else _normal(group[0].orientation)
    known = [piece.position for piece in group if piece.position is not None]
    if normal is None or len(known) != len(group):
        return None
    places = [sum(n * p for n, p in zip(normal, position, strict=True)) for position in known]
    # not in range is true of infinite ones, too
    return places if all(abs(place) <= _FARTHEST for place in places) else None


def _normal(orientation: Vector) -> Vector | None:
    """The unit vector across the image plane; None when the directions span no plane."""
    (a, b, c), (d, e, f) = orientation[:3], orientation[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    return tuple(n / length for n in normal) if _SHORTEST_NORMAL <= length < math.inf else None


def _within_level(piece: Slice) -> tuple[object, ...]:
    moments = tuple(piece.moments.get(kind, math.inf) for kind in MOMENTS)
    return piece.number, moments, piece.file, piece.frame


def describe(stack: Stack) -> dict[str, object]:
    """What a stack is, as JSON-able facts; `framedex.media.dicom.order.order_dicom` documents them."""
    slices = stack.slices
    first = slices[0]
    described: dict[str, object] = {
        "series_uid": first.series_uid,
        "rows": first.shape[0],
        "columns": first.shape[1],
        "orientation": list(first.orientation) if first.orientation else None,
        "positions": list(dict.fromkeys(piece.file for piece in slices)),
        "sorted_by": _sorted_by(stack),
    }
    if any(piece.count > 1 or piece.frame for piece in slices):
        described["frames"] = _runs(slices)
    if stack.places:
        described |= measure_spacing(stack.places, [level[0].file for level in stack.levels])
        described |= _repeats(stack)
    return described


def _sorted_by(stack: Stack) -> str:
    slices = stack.slices
    if stack.places:
        return "position"
    if any(piece.number != math.inf for piece in slices):
        return "instance_number"
    return "time" if any(piece.moments for piece in slices) else "given"


def _repeats(stack: Stack) -> dict[str, object]:
    """Time points or duplicates: whichever the slices at one place are."""
    usual = Counter(len(level) for level in stack.levels).most_common(1)[0][0]
    kind = _telling_moment(stack) if usual > 1 else None
    if kind is None:
        doubles = [list(pair) for level in stack.levels for pair in pairwise(piece.file for piece in level)]
        return {"duplicates": doubles, "time_points": 1}
    volumes = [[_by_moment(level, kind)[t] for level in stack.levels] for t in range(usual)] if _is_whole(stack) else []
    return {
        "duplicates": [list(p) for level in stack.levels for p in pairwise(s.file for s in level[usual - 1 :])],
        "time_points": usual,
        "time_points_by": kind,
        "missing_time_points": [level[0].file for level in stack.levels if len(level) < usual],
        "volumes": [_runs(volume) for volume in volumes],
    }


def _telling_moment(stack: Stack) -> str | None:
    """The first kind of time that is known of all slices and different for each slice at one place."""
    for kind in MOMENTS:
        found = [[piece.moments.get(kind) for piece in level] for level in stack.levels]
        if all(None not in times and len(set(times)) == len(times) for times in found):
            return kind
    return None


def _is_whole(stack: Stack) -> bool:
    return len({len(level) for level in stack.levels}) == 1


def _by_moment(level: Sequence[Slice], kind: str) -> list[Slice]:
    return sorted(level, key=lambda piece: piece.moments[kind])


def _runs(slices: Sequence[Slice]) -> list[Run]:
    """Frames as `(file, first frame, count)`, neighbours joined: a file may say that it has a billion frames."""
    runs: list[Run] = []
    for piece in slices:
        if runs and runs[-1][0] == piece.file and sum(runs[-1][1:]) == piece.frame:
            file, start, count = runs[-1]
            runs[-1] = (file, start, count + piece.count)
        else:
            runs.append((piece.file, piece.frame, piece.count))
    return runs
