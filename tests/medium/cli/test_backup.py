from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framedex.bootstrap import backups, doctor, open_node
from framedex.core.clock import now_us
from framedex.core.errors import Conflict, InvalidArguments
from framedex.core.ids import FolderId, ItemId, new_id
from framedex.core.items import ItemPatch
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.services.backups import BackupService
from framedex.settings import load_settings
from framedex.stores.blobs.own import DiskBlobs
from tests.builders.databases import Rows, cluster, rows_of, settings_of
from tests.builders.living import Person, Workspace, run, serving


def _service(data: Path) -> BackupService:
    return backups(settings_of(data))


def _object(workspace: Workspace, owner: Person, folder: FolderId, content: bytes) -> tuple[ItemId, str]:
    """An item with an object of ours."""
    item_id = ItemId(new_id())
    key = f"uploads/{item_id}/object"
    DiskBlobs(workspace.data / "blobs", 0).write(key, content)
    item = NewItem(
        item_id, folder, ItemType.IMAGE, "mine", owner.id, MediaFacts(), claim_urls=(key,), url=key, object_key=key
    )
    with workspace.catalog.write() as unit:
        unit.items.add_many([item], user_id=owner.id, now_us=now_us())
        unit.log(Entity.ITEM, Op.CREATE, [item_id])
    return item_id, key


@contextmanager
def _writing(workspace: Workspace, owner: Person, folder: FolderId) -> Iterator[None]:
    """Others add, change and delete all the while."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            while not stop.is_set():
                item = workspace.item(owner, folder, metadata='{"a":1}')
                mine, key = _object(workspace, owner, folder, f"{number}".encode() * 100)
                with workspace.catalog.write() as unit:
                    patch = ItemPatch(metadata='{"a":2}')
                    unit.items.patch(item, patch, user_id=owner.id, now_us=now_us())
                    unit.log(Entity.ITEM_METADATA, Op.UPDATE, [item])
                    unit.items.delete([mine])
                    unit.log(Entity.ITEM, Op.DELETE, [mine])
                DiskBlobs(workspace.data / "blobs", 0).delete(key)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_backup__while_others_write_restores_to_the_original_of_its_seq(
    workspace: Workspace, admin: Person, data: Path, tmp_path: Path
) -> None:
    folder = workspace.folder(admin, "f")
    kept = [_object(workspace, admin, folder, f"content {n}".encode()) for n in range(20)]
    for _ in range(200):
        workspace.item(admin, folder, metadata='{"before":true}')
    with _writing(workspace, admin, folder):
        made = run("backup", tmp_path / "copy", "--data", data)
    assert made.returncode == 0, made.stderr
    assert "secret key is left out" in made.stdout
    assert not list((tmp_path / "copy").rglob("secret.key"))
    restored = run("restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert restored.returncode == 0, restored.stderr
    _assert_equal_up_to_seq(rows_of(data), rows_of(tmp_path / "new"))
    for number, (_, key) in enumerate(kept):
        assert (tmp_path / "new" / "blobs" / "objects" / key).read_bytes() == f"content {number}".encode()
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["missing_objects"] == []


def _assert_equal_up_to_seq(original: Rows, copy: Rows) -> None:
    seq = max(int(str(row[0])) for row in copy["change_log"])
    newest = max(int(str(row[0])) for row in original["change_log"])
    assert newest > seq, "nothing was written after the backup, so that it shows nothing"
    assert copy["change_log"] == {row for row in original["change_log"] if int(str(row[0])) <= seq}
    touched = {row[2] for row in original["change_log"] if int(str(row[0])) > seq}
    assert set(copy) == set(original)
    for table in set(copy) - {"change_log"}:
        before = {row for row in original[table] if not touched & set(row)}
        assert {row for row in copy[table] if not touched & set(row)} == before, table
    alive = {row[2] for row in copy["change_log"] if row[1] == "item" and row[3] == "create"}
    alive -= {row[2] for row in copy["change_log"] if row[1] == "item" and row[3] == "delete"}
    assert {row[0] for row in copy["items"]} == alive


def test_backup__of_a_quiet_directory_is_equal_in_every_row(
    workspace: Workspace, admin: Person, data: Path, tmp_path: Path
) -> None:
    folder = workspace.folder(admin, "f")
    workspace.item(admin, folder, metadata='{"big": 123456789012345678901234567890}')
    _object(workspace, admin, folder, b"bytes")
    report = _service(data).backup(data, tmp_path / "copy")
    again = _service(tmp_path / "new").restore(tmp_path / "copy", tmp_path / "new")
    assert (report.seq, report.objects, report.size_bytes) == (again.seq, again.objects, again.size_bytes)
    assert rows_of(tmp_path / "new") == rows_of(data)


def test_backup__beside_a_server_and_serving_the_restored(
    workspace: Workspace, admin: Person, data: Path, tmp_path: Path
) -> None:
    workspace.folder(admin, "f")
    with serving(data):
        made = run("backup", tmp_path / "copy", "--data", data)
        assert made.returncode == 0, made.stderr
    assert run("restore", tmp_path / "copy", "--data", tmp_path / "new").returncode == 0
    (tmp_path / "new" / "secret.key").write_bytes((data / "secret.key").read_bytes())
    (tmp_path / "new" / "secret.key").chmod(0o600)
    with serving(tmp_path / "new"):
        assert "admin@example.org" in run("users", "list", "--data", tmp_path / "new").stdout
    assert list(doctor(settings_of(tmp_path / "new")).findings()) == []


def test_backup__sums_are_those_of_sha256sum(workspace: Workspace, admin: Person, data: Path, tmp_path: Path) -> None:
    _, key = _object(workspace, admin, workspace.folder(admin, "f"), b"bytes")
    _service(data).backup(data, tmp_path / "copy")
    lines = (tmp_path / "copy" / "SHA256SUMS").read_text().splitlines()
    assert f"{hashlib.sha256(b'bytes').hexdigest()}  blobs/objects/{key}" in lines
    assert len(lines) == 2


def test_backup__names_objects_that_are_lost(workspace: Workspace, admin: Person, data: Path, tmp_path: Path) -> None:
    _, key = _object(workspace, admin, workspace.folder(admin, "f"), b"bytes")
    (data / "blobs" / "objects" / key).unlink()
    assert _service(data).backup(data, tmp_path / "copy").missing == (key,)


def test_backup__never_overwrites(workspace: Workspace, data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "precious").write_text("x")
    with pytest.raises(Conflict, match="not empty"):
        _service(data).backup(data, tmp_path / "copy")
    with pytest.raises(InvalidArguments, match="elsewhere"):
        _service(data).backup(data, data / "blobs" / "copy")
    _service(data).backup(data, tmp_path / "good")
    with pytest.raises(Conflict, match="not empty"):
        _service(data).restore(tmp_path / "good", data)
    refused = run("backup", tmp_path / "none", "--data", tmp_path / "absent")
    assert refused.returncode == 1
    assert not (tmp_path / "absent").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("damage", ["catalog", "object", "missing", "sums", "manifest", "escape"])
def test_restore__refuses_what_is_damaged(
    workspace: Workspace, admin: Person, data: Path, tmp_path: Path, damage: str
) -> None:
    _, key = _object(workspace, admin, workspace.folder(admin, "f"), b"bytes")
    copy = tmp_path / "copy"
    _service(data).backup(data, copy)
    target = {"catalog": "catalog.db", "sums": "SHA256SUMS", "manifest": "manifest.json"}.get(damage)
    path = copy / (target or f"blobs/objects/{key}")
    content = path.read_bytes()
    path.unlink()
    if damage == "escape":
        path.write_bytes(content)
        _list_outside(copy)
    elif damage != "missing":
        path.write_bytes(content[:-3] + b"xyz" if damage != "manifest" else b"{}")
    with pytest.raises(InvalidArguments):
        _service(tmp_path / "new").restore(copy, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".new*"))


def _list_outside(copy: Path) -> None:
    """A manifest that a stranger made, whole in itself."""
    sums = copy / "SHA256SUMS"
    text = sums.read_text() + f"{'0' * 64}  ../outside\n"
    sums.write_text(text)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["sums_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))


def test_backup__restores_into_either_database(tmp_path: Path) -> None:
    """From PostgreSQL into a file, which is how one moves back, and from that file into PostgreSQL again."""
    shared = {"FRAMEDEX_DATABASE_URL": cluster().new_database()}
    node = open_node(load_settings(data=tmp_path / "shared", environment=shared))
    ada = node.administration.add_user("ada@example.org", key_hex="0" * 64, comment="", is_admin=True)
    caller = node.services.identity.by_key("0" * 64)
    above, below = (node.services.folders.create_folder(caller, name=name) for name in ("younger", "older"))
    # The folder with the smaller id lies in the one with the greater: its parent is written after it.
    first, second = sorted((above.id, below.id))
    node.services.folders.move_folders(caller, [first], second)
    node.close()
    alone: dict[str, str] = {}
    again = {"FRAMEDEX_DATABASE_URL": cluster().new_database()}
    for number, (origin, source, target) in enumerate((("shared", shared, alone), ("0", alone, again))):
        copy, data = tmp_path / f"copy{number}", tmp_path / str(number)
        made = run("backup", copy, "--data", tmp_path / origin, environment=source)
        assert (made.returncode, "secret key is left out" in made.stdout) == (0, True), made.stderr
        restored = run("restore", copy, "--data", data, environment=target)
        assert restored.returncode == 0, restored.stderr
        assert (data / "catalog.db").exists() is (target is alone)
        settings = load_settings(data=data, environment=target)
        opened = open_node(settings)
        assert [user.id for user, _ in opened.administration.users_with_keys()] == [ada.id]
        assert opened.services.folders.get_folder(caller, first).parent_id == second
        # Numbers go on from where they were.
        opened.services.folders.create_folder(caller, name="new")
        opened.close()
        assert list(doctor(settings).findings()) == []
    full = run("restore", tmp_path / "copy0", "--data", tmp_path / "full", environment=again)
    assert (full.returncode, "name an empty database" in full.stderr) == (1, True)
    assert not (tmp_path / "full").exists()
