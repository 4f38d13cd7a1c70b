"""When a file or a frame of it was taken, as far as that orders it: no dates, which could tell who the patient is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Moments = dict[str, float]
# What kind of moment -> where it may stand: a tag, or a tag in the first item of a sequence.
_Places = Mapping[str, Sequence[tuple[int, ...]]]

_OF_FILE: _Places = {
    "temporal": [(0x00200100,)],  # TemporalPositionIdentifier
    "trigger_ms": [(0x00181060,)],  # TriggerTime
    "clock_s": [(0x0008002A,), (0x00080032,), (0x00080033,)],  # AcquisitionDateTime, AcquisitionTime, ContentTime
}
_OF_FRAME: _Places = {
    # TemporalPositionIndex in FrameContentSequence, TemporalPositionTimeOffset in TemporalPositionSequence
    "temporal": [(0x00209111, 0x00209128), (0x00209310, 0x0020930D)],
    "trigger_ms": [(0x00189118, 0x00209153)],  # NominalCardiacTriggerDelayTime in CardiacSynchronizationSequence
    # FrameAcquisitionDateTime and FrameReferenceDateTime in FrameContentSequence
    "clock_s": [(0x00209111, 0x00189074), (0x00209111, 0x00189151)],
}
_FRAMES = 0x52009230
#: What is read of a file for them, at its top.
MOMENT_TAGS = (*(path[0] for paths in _OF_FILE.values() for path in paths), _FRAMES)
# A date of eight digits before it and a zone behind it are left out; older files have colons.
_CLOCK = re.compile(r"(?:\d{8})?(\d\d):?(\d\d):?(\d\d(?:\.\d{1,6})?)(?:[+-]\d{4})?")


def moments_of(dataset: Dataset) -> Moments:
    """Of a file: `temporal` (its position in time), `trigger_ms` (behind the trigger), `clock_s` (of the day)."""
    return _found(dataset, _OF_FILE)


def frame_moments_of(dataset: Dataset) -> list[Moments] | None:
    """Of each frame of a multi-frame file with functional groups; None when none of them says when it was taken."""
    found = [_found(frame, _OF_FRAME) for frame in _items(dataset, _FRAMES)]
    return found if any(found) else None


def _found(holder: Dataset, places: _Places) -> Moments:
    found = {kind: _first(holder, paths, is_clock=kind == "clock_s") for kind, paths in places.items()}
    return {kind: moment for kind, moment in found.items() if moment is not None}


def _first(holder: Dataset, paths: Sequence[tuple[int, ...]], *, is_clock: bool) -> float | None:
    for *sequence, tag in paths:
        for item in _items(holder, sequence[0])[:1] if sequence else [holder]:
            text = _text(item, tag)
            moment = None if text is None else _clock(text) if is_clock else _number(text)
            if moment is not None:
                return moment
    return None


def _items(holder: Dataset, tag: int) -> Sequence[Dataset]:
    try:
        return list(holder[tag].value) if tag in holder else []
    except (ValueError, TypeError, AttributeError, NotImplementedError):
        return []


def _text(holder: Dataset, tag: int) -> str | None:
    try:
        return str(holder[tag].value).strip() if tag in holder else None
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return None


def _clock(text: str) -> float | None:
    found = _CLOCK.fullmatch(text)
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
