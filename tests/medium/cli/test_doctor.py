from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from framedex.bootstrap import doctor, open_node
from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId, JobId, UserId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog_items import NewItem
from framedex.settings import load_settings
from framedex.stores.blobs.own import DiskBlobs
from framedex.stores.catalog.postgres import postgres_engine
from tests.builders.databases import ON_POSTGRES, change, cluster, rows_of, settings_of
from tests.builders.living import Person, Workspace, run, serving
from tests.builders.ports import free_port


@pytest.fixture
def folder(workspace: Workspace, admin: Person) -> FolderId:
    """A healthy directory: folders three deep, items with metadata, a group, an object of ours, a job."""
    top = workspace.folder(admin, "top")
    below = workspace.folder(admin, "below", workspace.folder(admin, "middle", top))
    workspace.item(admin, below, metadata='{"a":1}')
    children = [workspace.item(admin, below, url=f"file:///x/{n}.png") for n in range(2)]
    mine = ItemId(new_id())
    key = f"uploads/{mine}/object"
    DiskBlobs(workspace.data / "blobs", 0).write(key, b"bytes")
    urls = tuple(f"file:///x/{n}.png" for n in range(2))
    with workspace.catalog.write() as unit:
        group = NewItem(
            ItemId(new_id()), below, ItemType.IMAGE_GROUP, "group", admin.id, MediaFacts(),
            claim_urls=urls, children=tuple(children),
        )  # fmt: skip
        upload = NewItem(
            mine, below, ItemType.IMAGE, "mine", admin.id, MediaFacts(), claim_urls=(key,), url=key, object_key=key
        )
        unit.items.add_many([group, upload], user_id=admin.id, now_us=now_us())
        unit.jobs.add(_job(admin.id, below))
        job_id = unit.jobs.runnable(now_us())[0].id
        unit.jobs.add_units(job_id, [(0, UnitState.WAITING, '{"t":"image","p":"$"}', None)])
    return below


def _job(user_id: UserId, folder_id: FolderId) -> Job:
    return Job(
        JobId(new_id()), "register", JobState.APPLYING, 10, user_id, folder_id, None, "t", "{}", (), 1, 0, 0, 0,
        now_us(), None,
    )  # fmt: skip


def _checks(data: Path, **environment: str) -> set[str]:
    return {f.check for f in doctor(settings_of(data, **environment)).findings()}


def test_doctor__finds_nothing_where_nothing_is_wrong(folder: FolderId, data: Path) -> None:
    assert list(doctor(settings_of(data)).findings()) == []


PLANTED = {
    "folder-tree": "DELETE FROM folder_tree WHERE depth = 2",
    "folder-tree+": "INSERT INTO folder_tree VALUES ('a', 'b', 1)",
    "metadata": "INSERT INTO item_metadata VALUES ('gone', 1, '{}', 'x', 0)",
    "history": "INSERT INTO item_metadata_history VALUES ('gone', 1, '{}', 'x', 0)",
    "vectors": "INSERT INTO item_vectors VALUES ('gone', '', 'k', :zero)",
    "quarantine": "INSERT INTO quarantine VALUES ('gone', '', 'k', 'r', 's')",
    "children": "DELETE FROM items WHERE url = 'file:///x/1.png'",
    "children+": "INSERT INTO item_children VALUES ('gone', 0, (SELECT id FROM items LIMIT 1))",
    "data-rows": "INSERT INTO data_rows VALUES ('r', 'd', 'gone', 0, NULL)",
    "collections": "INSERT INTO collection_items VALUES ('c', 'gone')",
    "foreign-keys": "INSERT INTO user_keys VALUES ('k', 'nobody', '', 0)",
    "claims": "UPDATE items SET claim = :zero WHERE item_type = 'imageGroup'",
    "claims+": "UPDATE items SET url = 'file:///moved' WHERE url LIKE 'file:///nowhere%'",
    "leases": "UPDATE job_units SET lease_owner = 'dead', lease_until = 1",
    "jobs": "UPDATE jobs SET units_error = 7",
    "objects": "UPDATE items SET object_key = 'uploads/lost/object' WHERE object_key IS NOT NULL",
}


def _plant(data: Path, planted: str) -> None:
    statement = PLANTED[planted]
    values = {"zero": b"\x00"} if ":zero" in statement else {}
    assert change(data, statement, **values) > 0


@pytest.mark.parametrize("planted", PLANTED)
def test_doctor__finds_planted_rows(folder: FolderId, data: Path, planted: str) -> None:
    _plant(data, planted)
    assert planted.rstrip("+") in _checks(data)


MENDED = ["folder-tree", "folder-tree+", "metadata", "history", "vectors", "quarantine", "children", "children+"]


@pytest.mark.parametrize("planted", MENDED)
def test_doctor__mends_the_tree_and_drops_remains(folder: FolderId, data: Path, planted: str) -> None:
    healthy = rows_of(data)["folder_tree"]
    _plant(data, planted)
    assert planted.rstrip("+") in _checks(data)
    doctor(settings_of(data)).mend()
    assert planted.rstrip("+") not in _checks(data)
    assert rows_of(data)["folder_tree"] == healthy


def _break_file(data: Path) -> None:
    path = data / "catalog.db"
    content = bytearray(path.read_bytes())
    content[0:16] = b"not a database!!"
    path.write_bytes(content)


def _break_page(data: Path) -> None:
    path = data / "catalog.db"
    content = bytearray(path.read_bytes())
    for start in range(4096 * 3, len(content), 4096 * 2):
        content[start : start + 200] = b"\xff" * 200
    path.write_bytes(content)


def _old_extra(data: Path) -> None:
    path = data / "blobs" / "objects" / "uploads" / "extra" / "object"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    os.utime(path, (time.time() - 2 * 86_400,) * 2)


def _lose_object(data: Path) -> None:
    next((data / "blobs" / "objects").rglob("object")).unlink()


FILES: dict[str, Callable[[Path], object]] = {
    **({} if ON_POSTGRES else {"database": _break_file, "integrity": _break_page}),
    "objects": _lose_object,
    "objects+": _old_extra,
    "secret-key": lambda data: (data / "secret.key").chmod(0o644),
    "secret-key+": lambda data: (data / "secret.key").unlink(),
    "secret-key++": lambda data: (data / "secret.key").write_bytes(b"short"),
}


@pytest.mark.parametrize("planted", FILES)
def test_doctor__finds_planted_files(workspace: Workspace, folder: FolderId, data: Path, planted: str) -> None:
    workspace.close()
    FILES[planted](data)
    # A damaged page is found by the database's own check, or stops it.
    expected = {"database", "integrity"} if planted == "integrity" else {planted.rstrip("+")}
    assert expected & _checks(data)


def test_doctor__a_young_object_may_be_under_way(folder: FolderId, data: Path) -> None:
    DiskBlobs(data / "blobs", 0).write("uploads/young/object", b"x")
    assert _checks(data) == set()


def test_doctor__a_full_disk(folder: FolderId, data: Path) -> None:
    assert _checks(data, FRAMEDEX_DISK_RESERVE_BYTES=str(1 << 60)) == {"disk"}


def test_doctor__as_a_command_beside_a_server(workspace: Workspace, admin: Person, data: Path) -> None:
    with serving(data):
        well = run("doctor", "--data", data)
        assert (well.returncode, well.stdout.splitlines()[-1]) == (0, "all is well")
        assert ("not looked at: the pages of the database" in well.stdout) is ON_POSTGRES
        (data / "secret.key").chmod(0o644)
        ill = run("doctor", "--data", data)
    assert ill.returncode == 1
    assert "chmod 600" in ill.stdout


def test_doctor__makes_nothing(tmp_path: Path) -> None:
    answer = run("doctor", "--data", tmp_path / "absent")
    assert answer.returncode == 1
    assert not (tmp_path / "absent").exists()


def test_doctor__on_postgresql_a_sequence_that_lags_behind(tmp_path: Path) -> None:
    data, url = tmp_path / "data", cluster().new_database()
    settings = load_settings(data=data, database_url=url, environment={})
    node = open_node(settings)
    node.administration.add_user("ada@example.org", key_hex="0" * 64, comment="", is_admin=True)
    assert list(doctor(settings).findings()) == []
    engine = postgres_engine(url, for_writing=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT setval('change_log_seq_seq', 1, false)")
    (found,) = doctor(settings).findings()
    assert (found.check, "change_log" in found.message) == ("sequences", True)
    with engine.begin() as connection:
        connection.exec_driver_sql(found.mend.partition(": ")[2])
    engine.dispose()
    assert list(doctor(settings).findings()) == []
    node.close()


def test_doctor__says_that_postgresql_does_not_answer(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    url = f"postgresql://ada:s3cret@127.0.0.1:{free_port()}/framedex"
    for command in (("doctor",), ("backup", tmp_path / "copy"), ("users", "list")):
        answer = run(*command, "--data", data, environment={"FRAMEDEX_DATABASE_URL": url})
        assert answer.returncode == 1
        said = answer.stdout + answer.stderr
        assert "The PostgreSQL database does not answer" in said
        assert "s3cret" not in said
        assert "Traceback" not in said
