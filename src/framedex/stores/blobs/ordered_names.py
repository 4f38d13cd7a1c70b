"""Names of a folder in a given order with bounded memory, however many there are."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

BATCH_NAMES = 100_000
"""Names held at a time. 100,000 of them take about 15 MB; a folder of n names is scanned n / 100,000 + 1 times."""


def iter_ordered(scan: Callable[[], Iterable[str]], *, batch: int = BATCH_NAMES) -> Iterator[str]:
    """Every key that `scan()` yields, in code-point order, once; `scan` is called again for each further batch.

    Keys that appear or go between scans may or may not be seen; all others are seen exactly once.
    """
    last: str | None = None
    while True:
        found = heapq.nsmallest(batch, _after(scan(), last))
        yield from found
        if len(found) < batch:
            return
        last = found[-1]


def _after(keys: Iterable[str], last: str | None) -> Iterable[str]:
    return keys if last is None else (key for key in keys if key > last)
