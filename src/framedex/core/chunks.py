"""Long lists in parts: databases bound the number of values in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

#: The most things that one request may name, and that one statement does.
MAX_BULK = 1000

T = TypeVar("T")


def chunks(ids: Sequence[T], size: int = MAX_BULK) -> Iterator[Sequence[T]]:
    """Parts of a list, in order, that are short enough for one statement."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
