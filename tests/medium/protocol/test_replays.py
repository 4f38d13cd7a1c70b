"""Retried creators: one run, one answer, for ten minutes. Real: the catalog."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments
from framedex.protocol import replays
from framedex.protocol.replays import Replays
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import open_catalog

_MINUTE_US = 60_000_000


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


class Maker:
    """Makes another thing at each run."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> bytes:
        self.runs += 1
        return f'"thing {self.runs}"'.encode()


def test_once__the_second_run_answers_the_first_result(catalog: SqlCatalog) -> None:
    make, remembered = Maker(), Replays(catalog)
    assert [remembered.once("digest", make) for _ in range(3)] == [b'"thing 1"'] * 3
    assert remembered.once("other", make) == b'"thing 2"'


def test_once__another_process_knows_it_too(catalog: SqlCatalog) -> None:
    make = Maker()
    assert Replays(catalog).once("digest", make) == Replays(catalog).once("digest", make) == b'"thing 1"'


@pytest.mark.parametrize(("minutes", "answer"), [(9, b'"thing 1"'), (11, b'"thing 2"')])
def test_once__for_ten_minutes(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch, minutes: int, answer: bytes
) -> None:
    make, remembered = Maker(), Replays(catalog)
    remembered.once("digest", make)
    monkeypatch.setattr(replays, "now_us", lambda: now_us() + minutes * _MINUTE_US)
    assert remembered.once("digest", make) == answer


def test_once__a_refusal_is_not_remembered(catalog: SqlCatalog) -> None:
    remembered, make = Replays(catalog), Maker()

    def refuse() -> bytes:
        raise InvalidArguments("no")

    for _ in range(2):
        with pytest.raises(InvalidArguments):
            remembered.once("digest", refuse)
    assert remembered.once("digest", make) == b'"thing 1"'


def test_once__a_retry_waits_for_the_first_that_still_runs(catalog: SqlCatalog) -> None:
    remembered, make = Replays(catalog), Maker()
    started, may_end = threading.Event(), threading.Event()

    def slow() -> bytes:
        started.set()
        assert may_end.wait(10)
        return make()

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(remembered.once, "digest", slow)
        assert started.wait(10)
        retries = [pool.submit(remembered.once, "digest", make) for _ in range(6)]
        another = pool.submit(remembered.once, "other", Maker())
        assert another.result(10) == b'"thing 1"'
        assert not any(retry.done() for retry in retries)
        may_end.set()
        assert {call.result(10) for call in (first, *retries)} == {b'"thing 1"'}
    assert make.runs == 1
