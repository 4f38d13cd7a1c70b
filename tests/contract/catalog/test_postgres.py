"""What only a database that processes share has to show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from framedex.core.errors import Conflict, InvalidArguments, Unavailable
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, UserId, new_id
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.stores.catalog.catalog import move_to_postgres, open_postgres, open_sqlite
from framedex.stores.catalog.postgres import postgres_engine
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import cluster
from tests.builders.postgres import Cluster, running_postgres

_WRITERS, _COMMITS = 6, 60


@pytest.fixture
def url() -> str:
    return cluster().new_database()


@pytest.fixture
def catalog(url: str) -> Iterator[SqlCatalog]:
    opened = open_postgres(url)
    yield opened
    opened.close()


def _person(catalog: Catalog) -> UserId:
    user_id = UserId(new_id())
    with catalog.write() as unit:
        unit.people.add_user(
            User(user_id, f"{user_id}@example.org", WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1)
        )
        unit.log(Entity.USER, Op.CREATE, [user_id])
    return user_id


def test_seq__a_tailing_reader_misses_nothing_of_six_writers(url: str, catalog: SqlCatalog) -> None:
    """Each writer is a catalog of its own, as in a process of its own."""
    seen: list[int] = []
    ended = Event()

    def write(number: int) -> None:
        own = open_postgres(url)
        for commit in range(_COMMITS):
            with own.write() as unit:
                unit.log(Entity.ITEM, Op.UPDATE, [f"{number}-{commit}-{part}" for part in range(commit % 4 + 1)])
        own.close()

    def tail() -> None:
        while True:
            is_last = ended.is_set()
            with catalog.read() as unit:
                found = unit.changes_after(seen[-1] if seen else 0, 50)
            seen.extend(change.seq for change in found)
            if is_last and not found:
                return

    writers = [Thread(target=write, args=(number,)) for number in range(_WRITERS)]
    reader = Thread(target=tail)
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    reader.join()
    with catalog.read() as unit:
        every = [change.seq for change in unit.changes_after(0, 10_000)]
    assert len(every) == _WRITERS * sum(commit % 4 + 1 for commit in range(_COMMITS))
    assert seen == every


def test_write__what_was_checked_stays_true_until_it_is_written(url: str) -> None:
    """Two processes that make what must be there once: whoever comes second sees the first."""
    made: list[int] = []

    def make() -> None:
        own = open_postgres(url)
        with own.write() as unit:
            count = len(unit.people.users())
            time.sleep(0.2)
            user = UserId(new_id())
            unit.people.add_user(
                User(user, f"{user}@example.org", WorkspaceRole.ADMIN, MemberType.INTERNAL, True, 1, 1)
            )
            made.append(count)
        own.close()

    threads = [Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1, 2, 3]


def test_read__sees_one_moment(catalog: SqlCatalog) -> None:
    _person(catalog)
    with catalog.read() as unit:
        before = len(unit.people.users())
        _person(catalog)
        assert len(unit.people.users()) == before
    with catalog.read() as unit:
        assert len(unit.people.users()) == before + 1


def test_write__a_failure_leaves_nothing(catalog: SqlCatalog) -> None:
    user_id = _person(catalog)
    folder_id = FolderId(new_id())

    def fail() -> None:
        with catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, None, "f", user_id, 1))
            unit.log(Entity.FOLDER, Op.CREATE, [folder_id])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with catalog.read() as unit:
        assert unit.folders.descendants(folder_id) == []
        assert [change.entity for change in unit.changes_after(0, 10)] == ["user"]


def test_text__that_postgresql_cannot_hold_is_refused(catalog: SqlCatalog) -> None:
    user_id = _person(catalog)

    def write() -> None:
        with catalog.write() as unit:
            unit.folders.add(NewFolder(FolderId(new_id()), None, "a\0b", user_id, 1))

    with pytest.raises(InvalidArguments, match="NUL"):
        write()


@pytest.mark.parametrize("address", ["mysql://h/d", "postgresql://h", "nonsense", "postgresql://h:port/d"])
def test_postgres_engine__refuses_other_addresses(address: str) -> None:
    with pytest.raises(InvalidArguments, match=r"postgresql://USER@HOST"):
        postgres_engine(address, for_writing=False)


def test_open_postgres__says_when_nobody_answers_and_shows_no_password() -> None:
    with pytest.raises(Unavailable) as refused:
        open_postgres("postgresql://ada:s3cret@127.0.0.1:1/none")
    assert "does not answer" in refused.value.message
    assert "s3cret" not in refused.value.message


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with running_postgres() as found:
        yield found


def test_restart__is_met_with_a_new_connection(own_cluster: Cluster) -> None:
    catalog = open_postgres(own_cluster.new_database())
    _person(catalog)
    own_cluster.stop()
    with pytest.raises(Unavailable, match="nothing was written"):
        _person(catalog)
    own_cluster.start()
    _person(catalog)
    with catalog.read() as unit:
        assert len(unit.people.users()) == 2
    catalog.close()


def test_move__every_row_and_the_counters(url: str, tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    before = open_sqlite(path)
    user_id = _person(before)
    with before.write() as unit:
        for number in range(5000):
            unit.log(Entity.ITEM, Op.UPDATE, [f"{number}"])
        unit.folders.add(
            NewFolder(FolderId(new_id()), None, "ünïcode ☔ \U0001f600", user_id, 7, metadata='{"a": 1.10}')
        )
    with before.read() as unit:
        seq = unit.last_seq()
    before.close()
    counts = move_to_postgres(path, url)
    assert (counts["users"], counts["change_log"], counts["folders"]) == (1, 5001, 1)
    after = open_postgres(url)
    _person(after)
    with after.read() as unit:
        assert unit.last_seq() == seq + 1
    after.close()


def test_move__into_a_database_with_rows(url: str, catalog: SqlCatalog, tmp_path: Path) -> None:
    _person(catalog)
    open_sqlite(tmp_path / "catalog.db").close()
    with pytest.raises(Conflict, match="empty database"):
        move_to_postgres(tmp_path / "catalog.db", url)
