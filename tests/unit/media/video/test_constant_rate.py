from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.frame_maps import FrameMap
from framedex.media.video.constant_rate import layout

_MS = Fraction(1, 1000)
_MOST = 10_000_000


def _in_ms(rate: Fraction, count: int, jitter_ms: int = 0) -> list[int]:
    dice = random.Random(7)
    return [round(n * 1000 / rate) + (dice.randint(-jitter_ms, jitter_ms) if n else 0) for n in range(count)]


def _layout(times: Sequence[int], last: int = 0) -> FrameMap:
    return layout(times, _MS, last, _MOST)


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "10", "1"])
@pytest.mark.parametrize("count", [40, 5000])
def test_layout__constant_rates_are_found_in_times_of_milliseconds(rate: str, count: int) -> None:
    found = _layout(_in_ms(Fraction(rate), count))
    assert (found.rate, found.count, found.is_one_to_one) == (Fraction(rate), count, True)


def test_layout__an_odd_constant_rate_is_kept() -> None:
    found = _layout(_in_ms(Fraction("13.7"), 3000))
    assert found.is_one_to_one
    assert float(found.rate) == pytest.approx(13.7, rel=1e-5)


def test_layout__a_clock_that_wavers_keeps_its_frames() -> None:
    found = _layout(_in_ms(Fraction(30), 3000, jitter_ms=6))
    assert (found.rate, found.is_one_to_one) == (Fraction(30), True)


def test_layout__a_recording_with_gaps_lies_on_its_camera_s_grid() -> None:
    dice = random.Random(5)
    kept = [n for n in range(3000) if n == 0 or dice.random() < 0.45]
    found = _layout([round(n * 1000 / 30) for n in kept])
    assert found.rate == 30
    assert list(found.starts) == kept


def test_layout__too_fast_frames_are_left_out() -> None:
    found = _layout([0, 1, 2, 500])
    assert found.rate == 240
    assert list(found.starts) == [0, 0, 0, 120]


def test_layout__one_frame_and_its_duration() -> None:
    assert (_layout([5]).rate, _layout([5]).count) == (Fraction(25), 1)
    assert (_layout([5], last=100).rate, _layout([5], last=100).count) == (Fraction(10), 1)


def test_layout__the_last_frame_stays_but_not_for_years() -> None:
    assert _layout([0, 40, 80], last=400).count == 12
    assert _layout([0, 40, 80], last=10**12).count == 2 + 250


def test_layout__rare_frames_need_no_more_frames() -> None:
    found = _layout([0, 3_600_000, 7_200_000])
    assert found.count == 3
    assert found.rate == Fraction(1, 3600)


def test_layout__more_frames_than_may_be_made() -> None:
    with pytest.raises(InvalidArguments, match=r"lasts 100000 s, .* at most 5000 are encoded"):
        layout([0, 1, 100_000_000], _MS, 0, 5000)


@given(gaps=st.lists(st.integers(0, 10_000), min_size=1, max_size=60), last=st.integers(0, 10_000))
def test_layout__whatever_the_times(gaps: list[int], last: int) -> None:
    times = [0]
    for gap in gaps:
        times.append(times[-1] + gap)
    found = _layout(times, last)
    assert found.rate > 0
    assert max(found.rate.numerator, found.rate.denominator) < 1 << 31
    assert found.starts[0] == 0
    assert all(later >= earlier for earlier, later in pairwise(found.starts))
    assert found.starts[-1] < found.count
    # shown within half a frame of its time
    assert all(
        abs(Fraction(start) / found.rate - time * _MS) <= Fraction(1, 2) / found.rate + Fraction(1, 10**6)
        for start, time in zip(found.starts, times, strict=True)
    )
