"""Retried creators: one run, one answer, for ten minutes. Real: the catalog."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from framedex.core.clock import now_us
from framedex.core.errors import Conflict, InvalidArguments
from framedex.core.ports.catalog import Entity, Op
from framedex.protocol import replays
from framedex.protocol.replays import Replays
from framedex.stores.catalog.unit_of_work import SqlCatalog, SqlUnit
from tests.builders.databases import environment, open_catalog

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


def _log(catalog: SqlCatalog, name: str) -> bytes:
    """Writes a row that can be looked for."""
    with catalog.write() as unit:
        unit.log(Entity.FOLDER, Op.CREATE, [name])
    return f'"{name}"'.encode()


def _logged(catalog: SqlCatalog) -> list[str]:
    with catalog.read() as unit:
        return [change.entity_id for change in unit.changes_after(0, 100)]


def test_once__what_was_written_and_the_answer_are_one_transaction(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered, done = Replays(catalog), []

    def make() -> bytes:
        with catalog.write() as unit:
            unit.after_commit(lambda: done.append("after the commit"))
        answer = _log(catalog, "made")
        assert _logged(catalog) == ["made"], "a unit that reads sees what was written before it"
        assert done == []
        return answer

    def fails(*_: object) -> None:
        raise Conflict("the answer cannot be kept")

    with monkeypatch.context() as patch:
        patch.setattr(SqlUnit, "remember_response", fails)
        with pytest.raises(Conflict):
            remembered.once("digest", make)
    assert (_logged(catalog), done) == ([], [])
    with catalog.watch_seq() as watch:
        assert remembered.once("digest", make) == b'"made"'
        assert watch.seq is not None
    assert (_logged(catalog), done) == (["made"], ["after the commit"])


def test_once__a_part_that_fails_and_is_caught_leaves_nothing(catalog: SqlCatalog) -> None:
    def make() -> bytes:
        answer = _log(catalog, "kept")
        with suppress(Conflict), catalog.write() as unit:
            unit.log(Entity.FOLDER, Op.CREATE, ["dropped"])
            unit.flush_logs()
            raise Conflict("no")
        return answer

    assert Replays(catalog).once("digest", make) == b'"kept"'
    assert _logged(catalog) == ["kept"]


def test_once__batches_apart_do_not_wait_for_the_answer(catalog: SqlCatalog, tmp_path: Path) -> None:
    other = open_catalog(tmp_path)

    def make() -> bytes:
        with catalog.write(apart=True) as unit:
            unit.log(Entity.FOLDER, Op.CREATE, ["batch"])
        assert _logged(other) == ["batch"]
        answer = _log(catalog, "last")
        assert _logged(other) == ["batch"]
        return answer

    Replays(catalog).once("digest", make)
    assert _logged(other) == ["batch", "last"]
    other.close()


def test_once__of_two_processes_at_once_the_later_undoes_its_work(catalog: SqlCatalog, tmp_path: Path) -> None:
    other = open_catalog(tmp_path)
    both_run, first_wrote = threading.Event(), threading.Event()

    def first() -> bytes:
        answer = _log(catalog, "first")
        first_wrote.set()
        assert both_run.wait(10)
        return answer

    def later() -> bytes:
        assert first_wrote.wait(10)
        both_run.set()
        return _log(other, "later")  # waits for the writer

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(Replays(catalog).once, "digest", first), pool.submit(Replays(other).once, "digest", later)]
        assert [call.result(30) for call in calls] == [b'"first"'] * 2
    assert _logged(catalog) == ["first"]
    other.close()


_KILLED = """
import os, sys
from pathlib import Path
from framedex.core.ports.catalog import Entity, Op
from framedex.protocol.replays import Replays
from framedex.stores.catalog.catalog import open_postgres, open_sqlite

url = os.environ.get("FRAMEDEX_DATABASE_URL")
catalog = open_postgres(url) if url else open_sqlite(Path(sys.argv[1]) / "catalog.db")

def make():
    with catalog.write() as unit:
        unit.log(Entity.FOLDER, Op.CREATE, ["killed"])
    if sys.argv[2] == "before":
        os.kill(os.getpid(), 9)
    return b'"killed"'

Replays(catalog).once("digest", make)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("moment", "kept"), [("before", "again"), ("after", "killed")])
def test_once__killed_around_its_commit_it_was_all_or_nothing(
    catalog: SqlCatalog, tmp_path: Path, moment: str, kept: str
) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path), moment]
    assert subprocess.run(command, check=False, env={**os.environ, **environment(tmp_path)}).returncode == -9
    answer = Replays(catalog).once("digest", lambda: _log(catalog, "again"))
    assert answer == f'"{kept}"'.encode()
    assert _logged(catalog) == [kept]
