"""The arithmetic of the benchmark's table: a wrong verdict there would be believed."""

from __future__ import annotations

import pytest

from tests.bench.figures import Figure, at_least, at_most, percentile, print_table


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentile__is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_percentile__of_one_value() -> None:
    assert percentile([7.0], 0.95) == 7.0


def test_at_most__misses_at_its_target() -> None:
    assert at_most("a", 3.9, 4, "ms") == Figure("a", "3.9 ms", "< 4 ms", "0.97x met")
    assert at_most("a", 4.0, 4, "ms").verdict == "1.00x MISSED"


def test_at_least__meets_at_its_target() -> None:
    assert at_least("a", 15_000, 15_000, "items/s") == Figure("a", "15,000 items/s", ">= 15,000", "1.00x met")
    assert at_least("a", 14_999, 15_000, "items/s").verdict == "1.00x MISSED"


def test_print_table__aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Figure("short", "1"), Figure("much longer", "22", "< 3", "met")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.find("|") for line in lines] == [12] * 4
    assert lines[3] == "much longer | 22     | < 3    | met"
