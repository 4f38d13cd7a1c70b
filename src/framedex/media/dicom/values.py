"""Values of tags in pydicom's JSON model, which may also come from a caller and hold anything."""

from __future__ import annotations

import math
from collections.abc import Mapping

# Functional groups of multi-frame files: what all frames share, then what each has.
_GROUPS = ("52009229", "52009230")


def first_text(tags: Mapping[str, object], tag: str) -> str | None:
    """The first value as text, or None."""
    found = _values(tags, tag)
    return str(found[0]).strip() or None if found and found[0] is not None else None


def first_number(tags: Mapping[str, object], tag: str) -> float | None:
    """The first value as a finite number, or None."""
    found = _values(tags, tag)
    return _number(found[0]) if found else None


def numbers(tags: Mapping[str, object], tag: str, *, within: str, length: int) -> tuple[float, ...] | None:
    """`length` numbers of a tag, at the top or, in multi-frame files, in the sequence `within` of the first frame."""
    for holder in _holders(tags, within):
        found = [_number(value) for value in _values(holder, tag)]
        known = [value for value in found if value is not None]
        if len(found) == len(known) == length:
            return tuple(known)
    return None


def group_count(tags: Mapping[str, object]) -> int:
    """For how many frames there are functional groups."""
    return len(_items(tags, _GROUPS[1]))


def frame_numbers(
    tags: Mapping[str, object], tag: str, *, within: str, length: int, count: int
) -> list[tuple[float, ...] | None]:
    """As `numbers`, for each of `count` frames: from its own functional group, or from what all frames share."""
    shared = numbers({**tags, _GROUPS[1]: None}, tag, within=within, length=length)
    return [
        numbers(_first_group(frame, within), tag, within=within, length=length) or shared
        for frame in _items(tags, _GROUPS[1])[:count]
    ]


def _first_group(frame: Mapping[str, object], within: str) -> Mapping[str, object]:
    return {within: frame.get(within)}


def _holders(tags: Mapping[str, object], within: str) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = [tags, *_items(tags, within)]
    for group in _GROUPS:
        for frame in _items(tags, group)[:1]:
            found += _items(frame, within)[:1]
    return found


def _items(tags: Mapping[str, object], tag: str) -> list[Mapping[str, object]]:
    return [item for item in _values(tags, tag) if isinstance(item, Mapping)]


def _values(tags: Mapping[str, object], tag: str) -> list[object]:
    element = tags.get(tag)
    found = element.get("Value") if isinstance(element, Mapping) else None
    return found if isinstance(found, list) else []


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
