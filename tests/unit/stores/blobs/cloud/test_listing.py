from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.core.errors import Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.client import Listed
from framedex.stores.blobs.cloud.listing import as_promised, in_order, without_markers

_KEYS = st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=4), max_size=40)


def listed(*keys: str, size: int = 1) -> list[Listed]:
    return [Listed(key, ObjectInfo(size, f'"{key}"')) for key in keys]


@given(keys=_KEYS, run=st.integers(1, 9))
def test_in_order__whatever_the_order_and_the_run(keys: list[str], run: int) -> None:
    assert list(in_order(listed(*keys), run=run)) == listed(*sorted(set(keys)))


def test_in_order__holds_no_more_than_a_run() -> None:
    alive = 0
    most = 0

    class Key(str):
        __slots__ = ()

        def __new__(cls, text: str) -> Self:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, text)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def entries() -> Iterator[Listed]:
        for number in range(20_000):
            yield Listed(Key(f"{number * 7919 % 20_000:05}"), ObjectInfo(1, None))

    assert sum(1 for _ in in_order(entries(), run=500)) == 20_000
    assert most < 1100


def test_as_promised__says_when_it_is_not() -> None:
    assert list(as_promised(listed("a", "b"))) == listed("a", "b")
    with pytest.raises(Unavailable, match="out of order"):
        list(as_promised(listed("a/b", "a-b")))
    with pytest.raises(Unavailable, match="out of order"):
        list(as_promised(listed("a", "a")))


def test_without_markers__asks_only_where_it_cannot_tell() -> None:
    asked: list[str] = []

    def is_object(key: str) -> bool:
        asked.append(key)
        return key == "real"

    entries = [*listed("f", size=0), *listed("f/1"), *listed("g", size=0), *listed("h"), *listed("real", "z", size=0)]
    assert [entry.key for entry in without_markers(entries, is_object)] == ["f/1", "h", "real"]
    assert asked == ["g", "real", "z"]
