"""Ids: UUIDs of version 7, in the order of their making."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest

from framedex.core.ids import made_at_us, new_id


def test_new_id__is_a_uuid_of_version_7_in_canonical_text() -> None:
    for _ in range(1000):
        text = new_id()
        found = UUID(text)
        assert (str(found), found.version, found.variant) == (text, 7, RFC_4122)


def test_new_id__grows_within_a_millisecond() -> None:
    made = []
    for _ in range(2000):
        made.append(new_id())
        before = time.time_ns()
        while time.time_ns() - before < 250:  # the finest step of an id is 244 ns
            pass
    assert made == sorted(made)


def test_new_id__is_never_made_twice_by_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [i for part in pool.map(lambda _: [new_id() for _ in range(2000)], range(4)) for i in part]
    assert len(set(made)) == 8000


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_new_id__is_not_shared_with_a_forked_process() -> None:
    new_id()  # there are digits of chance in store now
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=lambda: theirs.send([new_id()[24:] for _ in range(100)]))
    process.start()
    other = set(ours.recv())
    process.join()
    assert other.isdisjoint(new_id()[24:] for _ in range(100))


def test_made_at_us__is_the_moment_of_making() -> None:
    before = time.time_ns() // 1000
    at = made_at_us(new_id())
    assert before - 1000 <= at <= time.time_ns() // 1000
