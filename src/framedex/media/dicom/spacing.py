"""Distances between the slices of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

#: Closer than this, two slices are at one place (mm): positions of one slice in two files differ by rounding only.
SAME_PLACE = 1e-3
# A step this much longer than the usual one misses a slice.
_GAP = 1.5
# The service we are compatible with asks that 97 % of the steps are alike (reference/behaviour.md 1.6).
_ALIKE = 0.97
_TOLERANCE = 0.01


def measure_spacing(places: Sequence[float], names: Sequence[int]) -> dict[str, object]:
    """The usual step and what departs from it.

    Args:
        places: different positions along the normal in mm, ascending.
        names: what to call each in `gaps`.
    """
    steps = [(later - earlier, pair) for (earlier, later), pair in zip(pairwise(places), pairwise(names), strict=True)]
    usual = median(step for step, _ in steps) if steps else None
    alike = [step for step, _ in steps if usual and abs(step - usual) <= max(_TOLERANCE * usual, SAME_PLACE)]
    return {
        "spacing": usual,
        "is_evenly_spaced": len(alike) >= _ALIKE * len(steps),
        "gaps": [list(pair) for step, pair in steps if usual and step > _GAP * usual],
    }
