from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framedex.core.folders import FolderType, NewFolder
from framedex.core.ids import FolderId, IntegrationId, new_id
from framedex.core.items import Item, ItemQuery
from framedex.core.paging import PageRequest
from tests.builders.databases import environment, holds_the_directory
from tests.builders.living import Person, Workspace, command, png_files, run, serving


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "media"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def synced(workspace: Workspace, admin: Person, media: Path) -> FolderId:
    return _synced(workspace, admin, workspace.integration(media.parent), media)


def _synced(workspace: Workspace, admin: Person, integration_id: IntegrationId, media: Path) -> FolderId:
    folder = NewFolder(
        FolderId(new_id()), None, "pictures", admin.id, 0, folder_type=FolderType.CLOUD_LINKED,
        integration_id=integration_id, remote_url=media.as_uri(),
    )  # fmt: skip
    with workspace.catalog.write() as unit:
        unit.folders.add(folder)
    return folder.id


def _sync(data: Path, folder: str, *more: str) -> subprocess.CompletedProcess[str]:
    return run("sync", folder, "--user", "admin@example.org", "--data", data, *more)


def _items(workspace: Workspace, admin: Person, folder: FolderId) -> dict[str, Item]:
    with workspace.catalog.read() as unit:
        rows = unit.items.list_page(workspace.caller(admin), ItemQuery(folder_id=folder), PageRequest(limit=1000)).rows
        return {item.name: item for item in rows}


def test_sync__alone_and_again(workspace: Workspace, admin: Person, data: Path, media: Path, synced: FolderId) -> None:
    png_files(media, ["a.png", "b/c.png", "d.png"])
    (media / "e.unknown").write_text("?")
    with workspace.catalog.write() as unit:
        unit.folders.set_config(synced, '{"metadataIngestion": {}}')
    (media / "a.png.metadata.json").write_text(json.dumps({"a": 1}))
    first = _sync(data, "pictures")
    assert first.returncode == 0, first.stderr
    assert "synced: 3 new, 0 changed, 0 vanished, 0 restored, 1 sidecars new or changed, 0 gone; 0 unchanged" in (
        first.stdout
    )
    assert "left out, their endings tell no kind: 1" in first.stdout
    assert _items(workspace, admin, synced)["a.png"].metadata == '{"a": 1}'
    (media / "d.png").unlink()
    png_files(media, ["f.png"])
    second = _sync(data, synced)
    assert "synced: 1 new, 0 changed, 1 vanished, 0 restored, 0 sidecars new or changed, 0 gone; 3 unchanged" in (
        second.stdout
    )
    assert [name for name, item in _items(workspace, admin, synced).items() if item.is_tombstone] == ["d.png"]


def test_sync__a_failed_unit_is_told(data: Path, admin: Person, media: Path, synced: FolderId) -> None:
    png_files(media, ["a.png"])
    (media / "broken.png").write_bytes(b"no picture")
    done = _sync(data, synced)
    assert done.returncode == 1
    assert f"{(media / 'broken.png').as_uri()}: broken.png: " in done.stderr
    assert "; failed: 1" in done.stdout


def test_sync__a_bucket_that_is_not_there(data: Path, admin: Person, media: Path, synced: FolderId) -> None:
    media.rmdir()
    done = _sync(data, synced)
    assert done.returncode == 1
    assert "the bucket could not be listed: " in done.stdout
    shown = run("jobs", "list", "--data", data)
    assert "error      " in shown.stdout
    assert f"sync {media.as_uri()}" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--user", "admin@example.org"], "There is no folder 'nowhere'"),
        (["plain", "--user", "admin@example.org"], "is not cloud-synced"),
        (["plain", "--user", "nobody@example.org"], "There is no user"),
        (["plain", "--user", "admin@example.org", "--every", "soon"], "is no interval"),
        (["plain", "--user", "admin@example.org", "--every", "0m"], "is no interval"),
    ],
)
def test_sync__refusals(workspace: Workspace, admin: Person, data: Path, arguments: list[str], message: str) -> None:
    workspace.folder(admin, "plain")
    refused = run("sync", *arguments, "--data", data)
    assert refused.returncode != 0
    assert message in refused.stderr


@holds_the_directory
def test_sync__beside_a_server(workspace: Workspace, admin: Person, data: Path, media: Path, synced: FolderId) -> None:
    png_files(media, ["a.png"])
    with serving(data):
        done = _sync(data, synced)
    assert done.returncode == 0, done.stderr
    assert "a server holds the data directory and does the work" in done.stderr
    assert list(_items(workspace, admin, synced)) == ["a.png"]


@contextmanager
def _syncing(data: Path, folder: str) -> Iterator[subprocess.Popen[str]]:
    arguments = command("sync", folder, "--user", "admin@example.org", "--data", data, "--every", "1s")
    env = {**os.environ, **environment(data)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def test_sync__every_second_takes_what_comes_and_outlives_an_outage(
    workspace: Workspace, admin: Person, data: Path, media: Path, synced: FolderId
) -> None:
    png_files(media, ["a.png"])
    with _syncing(data, synced) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert "synced: 1 new" in next(line for line in lines if line.startswith("synced"))
        png_files(media, ["b.png"])
        assert next(line for line in lines if line.startswith("synced: 1 new"))
        media.rename(media.with_name("away"))
        assert next(line for line in lines if line.startswith("the bucket could not be listed"))
        media.with_name("away").rename(media)
        assert "2 unchanged" in next(line for line in lines if line.startswith("synced"))
    assert not any(item.is_tombstone for item in _items(workspace, admin, synced).values())
