"""The constant rate that a video of any timing is encoded at, and where each of its frames goes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.frame_maps import FrameMap

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]

#: Rates that players and people know, in rising order. Frames that come faster than the last are left out.
_KNOWN = tuple(
    Fraction(rate)
    for rate in (
        "1", "2", "3", "4", "5", "6", "15/2", "8", "10", "12", "25/2", "15000/1001", "15", "16", "18", "20",
        "24000/1001", "24", "25", "30000/1001", "30", "40", "48", "50", "60000/1001", "60", "75", "90", "100",
        "120000/1001", "120", "240",
    )
)  # fmt: skip
_WHERE_UNKNOWN = Fraction(25)
# An average this close to a known rate means that rate: clocks and rounded times are off by less.
_CLOSE = 0.0005
_ALIKE = 0.002
_MET = 0.05
_MOST_FASTER = 4
# A header may say that the last frame is shown for years.
_LONGEST_LAST_S = 10.0


def layout(times: Sequence[int], time_base: Fraction, last_duration: int, most_frames: int) -> FrameMap:
    """Lays frames out on the lowest rate at which each keeps a place of its own; constant rates are kept.

    Args:
        times: when each frame is shown, in units of `time_base`, rising.
        last_duration: of the last frame; 0 when it is not known.

    Raises:
        InvalidArguments: it would have more than `most_frames` frames.
    """
    import numpy as np

    seconds = np.array([time - times[0] for time in times], dtype=np.float64) * float(time_base)
    rate = _rate_of(seconds, time_base, last_duration * time_base)
    starts = _starts(seconds, rate)
    stay_s = min(float(last_duration * time_base), _LONGEST_LAST_S)
    count = int(starts[-1]) + max(1, round(stay_s * rate) if last_duration else 1)
    if count > most_frames:
        raise InvalidArguments(
            f"the video lasts {seconds[-1]:.0f} s, which makes {count} frames at {float(rate):g} a second; "
            f"at most {most_frames} are encoded (FRAMEDEX_MEDIA_MADE_FRAMES)"
        )
    return FrameMap(rate, count, tuple(int(start) for start in starts))


def _rate_of(seconds: Numbers, time_base: Fraction, last_duration_s: Fraction) -> Fraction:
    span = float(seconds[-1])
    if not span:
        return _usable(1 / last_duration_s) if last_duration_s else _WHERE_UNKNOWN
    average = (len(seconds) - 1) / span
    # both ends are rounded to the time base
    off = max(_CLOSE, 2 * float(time_base) / span)
    known = [rate for rate in _KNOWN if abs(float(rate) / average - 1) < off]
    even = [rate for rate in (known or [_usable(Fraction(average))]) if _is_one_to_one(seconds, rate)]
    kept = [rate for rate in _KNOWN if float(rate) > average * (1 - _CLOSE) and _keeps_all(seconds, rate)]
    # a recording that left frames out lies on the grid of its camera, which is faster than what is left
    for rates in (even, kept):
        met = [rate for rate in rates if rate < _MOST_FASTER * rates[0] and _is_met(seconds, rate, time_base)]
        if met:  # 29.97 and 30 both are met by a few seconds
            return min((rate for rate in met if rate / met[0] - 1 < _ALIKE), key=lambda rate: _misses(seconds, rate))
    return [*even, *kept, _KNOWN[-1]][0]


def _usable(rate: Fraction) -> Fraction:
    """A rate with a small numerator and denominator: containers keep 31 bits of both."""
    if rate < Fraction(1, 1000):
        return Fraction(1, min(round(1 / rate), 1_000_000))
    return min(rate.limit_denominator(1001), _KNOWN[-1])


def _starts(seconds: Numbers, rate: Fraction) -> Numbers:
    import numpy as np

    return np.floor(seconds * float(rate) + 0.5)


def _is_met(seconds: Numbers, rate: Fraction, time_base: Fraction) -> bool:
    """Whether the frames lie on the grid, but for the rounding of their times."""
    return _misses(seconds, rate) < _MET + float(time_base * rate) / 2


def _misses(seconds: Numbers, rate: Fraction) -> float:
    """How far frames are from places of the grid, of which each is 1 from the next; on average."""
    import numpy as np

    return float(np.abs(seconds * float(rate) - _starts(seconds, rate)).mean())


def _is_one_to_one(seconds: Numbers, rate: Fraction) -> bool:
    import numpy as np

    return bool((_starts(seconds, rate) == np.arange(len(seconds))).all())


def _keeps_all(seconds: Numbers, rate: Fraction) -> bool:
    import numpy as np

    return bool((np.diff(_starts(seconds, rate)) > 0).all())
