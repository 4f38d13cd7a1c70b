from __future__ import annotations

import random

from framedex.stores.blobs.ordered_names import iter_ordered


def test_iter_ordered__same_as_sorted_for_every_batch() -> None:
    names = [f"{number:x}" for number in random.Random(7).sample(range(10_000), 257)]
    for batch in (1, 2, 100, 256, 257, 258, 1000):
        assert list(iter_ordered(lambda: names, batch=batch)) == sorted(names)


def test_iter_ordered__scans_once_for_each_batch() -> None:
    scans = 0

    def scan() -> list[str]:
        nonlocal scans
        scans += 1
        return list("hgfedcba")

    assert "".join(iter_ordered(scan, batch=3)) == "abcdefgh"
    assert scans == 3


def test_iter_ordered__no_names() -> None:
    assert list(iter_ordered(list)) == []
