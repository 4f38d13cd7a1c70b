from __future__ import annotations

import random
import zlib
from array import array
from collections.abc import Sequence
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.frames import FrameOrigin, FrameTable


def _table(pts: Sequence[int], keys: Sequence[int] = (0,), base: Fraction = Fraction(1, 1000)) -> FrameTable:
    return FrameTable(base, array("q", pts), array("q", keys), FrameOrigin.PACKETS)


def test_time__counts_from_the_first_frame() -> None:
    table = _table([1400, 1440, 1500])
    assert (table.start, [table.time(n) for n in range(3)]) == (1400, [0.0, 0.04, 0.1])


@pytest.mark.parametrize(
    ("seconds", "frame"), [(-1, 0), (0, 0), (0.039, 0), (0.04, 1), (0.0399999999, 1), (0.09, 1), (0.1, 3), (9, 3)]
)
def test_at__is_the_frame_on_screen(seconds: float, frame: int) -> None:
    assert _table([1400, 1440, 1500, 1500]).at(seconds) == frame


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=50),
    st.sampled_from([Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 12_800)]),
    st.integers(-(1 << 40), 1 << 40),
)
def test_at__finds_each_frame_by_its_own_time(steps: list[int], base: Fraction, start: int) -> None:
    pts = [start]
    for step in steps:
        pts.append(pts[-1] + step)
    table = _table(pts, base=base)
    # frames closer than a microsecond cannot be told apart by seconds
    assert [table.at(table.time(n)) for n in range(len(table))] == list(range(len(table)))


def test_at__of_no_frames() -> None:
    with pytest.raises(InvalidArguments, match="no frames"):
        _table([], []).at(0)


def test_key_at_or_before() -> None:
    table = _table(range(10), keys=[2, 5])
    assert [table.key_at_or_before(n) for n in (0, 1, 2, 4, 5, 9)] == [None, None, 2, 2, 5, 5]
    assert [n for n in range(10) if table.is_key(n)] == [2, 5] == list(table.keys_between(0, 10))
    assert list(table.keys_between(3, 5)) == []


def test_flags__duplicates_and_gaps() -> None:
    table = _table([0, 40, 40, 80, 200, 240])
    assert (table.duplicate_pts, table.gaps) == ([2], [4])
    assert [table.nth(n) for n in range(6)] == [0, 0, 1, 0, 0, 0]
    assert _table([]).gaps == []


def test_supplied__frames_lie_at_n_by_rate() -> None:
    table = FrameTable.supplied(29.97, 300)
    assert len(table) == 300
    assert [table.time(n) for n in (0, 1, 150)] == pytest.approx([0, 1 / 29.97, 150 / 29.97])
    assert table.at(5.0) == 149
    assert (table.origin, table.key_at_or_before(7), table.time_base) == (
        FrameOrigin.SUPPLIED,
        None,
        Fraction(100, 2997),
    )


def test_supplied__absurd_count_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="up to 10000000 frames"):
        FrameTable.supplied(60.0, 10**9)


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 1 << 40), max_size=60),
    st.integers(-(1 << 50), 1 << 50),
    st.sets(st.integers(0, 59)),
    st.sampled_from(FrameOrigin),
    st.booleans(),
)
def test_pack__comes_back_the_same(
    steps: list[int],
    start: int,
    keys: set[int],
    origin: FrameOrigin,
    is_counted: bool,
) -> None:
    pts = [start + sum(steps[:n]) for n in range(len(steps))]
    table = FrameTable(
        Fraction(1001, 90_000), array("q", pts), array("q", sorted(keys)), origin, 270, is_counted, cut=3
    )
    assert FrameTable.unpack(table.pack()) == table


def test_pack__an_hour_at_60_frames_a_second_is_small() -> None:
    ticks = random.Random(1)
    pts, time = [], 0
    for _ in range(216_000):
        pts.append(time)
        time += 1500 + ticks.randrange(-700, 700)
    uneven = _table(pts, keys=range(0, 216_000, 7), base=Fraction(1, 90_000)).pack()
    even = _table(range(0, 216_000 * 1500, 1500), keys=range(216_000)).pack()
    assert len(uneven) < 500_000
    assert len(even) < 2000


def _damaged(**changes: object) -> bytes:
    fields = msgspec.msgpack.decode(zlib.decompress(_table(range(3)).pack()))
    for place, value in changes.items():
        fields[int(place[1:])] = value
    return zlib.compress(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no table",
        zlib.compress(b"no table"),
        _table(range(3)).pack()[:-3],
        zlib.compress(bytes(200 << 20)),
        _damaged(_0=2),
        _damaged(_1=[1, 0]),
        _damaged(_3=["q", b"12345678"]),
        _damaged(_3=["H", b"123"]),
        _damaged(_3=["Q", b"\xff" * 8]),
        _damaged(_5="guessed"),
    ],
)
def test_unpack__what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidArguments, match="damaged"):
        FrameTable.unpack(data)
