from __future__ import annotations

import zlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.frame_maps import FrameMap

_UNEVEN = FrameMap(Fraction(30000, 1001), 9, (0, 1, 4, 4, 5))


def test_new_frames__and_back() -> None:
    assert [list(_UNEVEN.new_frames(old)) for old in range(5)] == [[0], [1, 2, 3], [], [4], [5, 6, 7, 8]]
    assert [_UNEVEN.old_frame(new) for new in range(9)] == [0, 1, 1, 1, 3, 4, 4, 4, 4]


@pytest.mark.parametrize("index", [-1, 5])
def test_new_frames__beyond_the_original(index: int) -> None:
    with pytest.raises(InvalidArguments, match=f"frames 0 to 4; this is {index}"):
        _UNEVEN.new_frames(index)


@pytest.mark.parametrize("index", [-1, 9])
def test_old_frame__beyond_the_video(index: int) -> None:
    with pytest.raises(InvalidArguments, match=f"frames 0 to 8; this is {index}"):
        _UNEVEN.old_frame(index)


def test_is_one_to_one__needs_each_number_and_no_more() -> None:
    assert FrameMap(Fraction(25), 3, (0, 1, 2)).is_one_to_one
    assert not FrameMap(Fraction(25), 4, (0, 1, 2)).is_one_to_one
    assert not _UNEVEN.is_one_to_one


@given(
    steps=st.lists(st.integers(0, 1 << 40), max_size=50),
    rest=st.integers(1, 1 << 40),
    rate=st.fractions(min_value=Fraction(1, 10**6), max_value=240),
)
def test_to_bytes__reads_back(steps: list[int], rest: int, rate: Fraction) -> None:
    starts = [0]
    for step in steps:
        starts.append(starts[-1] + step)
    made = FrameMap(rate, starts[-1] + rest, tuple(starts))
    assert FrameMap.from_bytes(made.to_bytes()) == made


def test_to_bytes__an_hour_is_small() -> None:
    count = 3600 * 60
    assert len(FrameMap(Fraction(60), count, range(count)).to_bytes()) < 1000


def test_from_bytes__of_a_newer_version() -> None:
    with pytest.raises(InvalidArguments, match="newer version"):
        FrameMap.from_bytes(zlib.compress(bytes([9, 1, 1, 1, 1, 0])))
