from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from framedex.bootstrap import doctor
from framedex.core.ids import FolderId
from framedex.core.items import Item, ItemQuery
from framedex.core.paging import PageRequest
from tests.builders.databases import environment, holds_the_directory, settings_of
from tests.builders.living import Person, Workspace, command, png_files, run, serving


@pytest.fixture
def media(tmp_path: Path, workspace: Workspace) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    workspace.integration(folder)
    return folder


def _items(workspace: Workspace, admin: Person, folder: str) -> list[Item]:
    caller = workspace.caller(admin)
    with workspace.catalog.read() as unit:
        query = ItemQuery(folder_id=FolderId(folder))
        return list(unit.items.list_page(caller, query, PageRequest(limit=1000)).rows)


def _import(data: Path, source: Path, folder: str, *more: str) -> subprocess.CompletedProcess[str]:
    return run("import", source, "--folder", folder, "--user", "admin@example.org", "--data", data, *more)


def test_import__a_folder_twice_makes_no_duplicates(
    workspace: Workspace, admin: Person, data: Path, media: Path
) -> None:
    png_files(media, ["a.png", "sub/b c#1.png", "sub/ü.png"])
    (media / "notes.unknown").write_text("x")
    folder = workspace.folder(admin, "pictures")
    first = _import(data, media, "pictures")
    assert first.returncode == 0, first.stderr
    assert "registered or already there: 3 of 3" in first.stdout
    assert "notes.unknown" in first.stderr
    second = _import(data, media, folder)
    assert second.returncode == 0, second.stderr
    items = _items(workspace, admin, folder)
    assert sorted(i.name for i in items) == ["a.png", "sub/b c#1.png", "sub/ü.png"]
    assert {i.file_size for i in items} == {path.stat().st_size for path in media.rglob("*.png")}


def test_import__makes_a_folder_with_a_new_name(workspace: Workspace, admin: Person, data: Path, media: Path) -> None:
    png_files(media, ["a.png"])
    tried = _import(data, media, "new one", "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert "1 units into the new folder 'new one': 1 image" in tried.stdout
    with workspace.catalog.read() as unit:
        assert unit.connection.execute(sa.text("SELECT count(*) FROM folders")).scalar_one() == 0
    done = _import(data, media, "new one")
    assert done.returncode == 0, done.stderr
    with workspace.catalog.read() as unit:
        assert unit.connection.execute(sa.text("SELECT name FROM folders")).scalars().all() == ["new one"]


def test_import__a_broken_file_does_not_keep_the_others_out(
    workspace: Workspace, admin: Person, data: Path, media: Path
) -> None:
    png_files(media, ["a.png"])
    (media / "bad.png").write_bytes(b"broken and no picture")
    folder = workspace.folder(admin, "f")
    done = _import(data, media, folder)
    assert done.returncode == 1
    assert "bad.png: " in done.stderr
    assert [i.name for i in _items(workspace, admin, folder)] == ["a.png"]
    whole = workspace.folder(admin, "whole")
    refused = _import(data, media, whole, "--all-or-nothing")
    assert refused.returncode == 1
    assert "nothing was registered" in refused.stdout
    assert _items(workspace, admin, whole) == []


def test_import__a_manifest_and_its_problems(workspace: Workspace, admin: Person, data: Path, media: Path) -> None:
    png_files(media, ["a.png"])
    folder = workspace.folder(admin, "f")
    with workspace.catalog.read() as unit:
        integration = unit.people.integrations()[0].id
    manifest = media / "manifest.json"
    manifest.write_text(json.dumps({"images": [{"objectUrl": f"file://{media}/a.png"}]}))
    for _ in range(2):
        done = _import(data, manifest, folder, "--integration", integration)
        assert done.returncode == 0, done.stderr
    assert [i.name for i in _items(workspace, admin, folder)] == ["/a.png"]
    manifest.write_text(json.dumps({"images": [{"title": "x"}]}))
    wrong = _import(data, manifest, folder, "--integration", integration)
    assert wrong.returncode == 1
    assert "$.images[0]" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_import__says_what_is_missing(workspace: Workspace, admin: Person, data: Path, tmp_path: Path) -> None:
    png_files(tmp_path / "elsewhere", ["a.png"])
    lost = _import(data, tmp_path / "elsewhere", "f")
    assert lost.returncode == 1
    assert "framedex integrations add" in lost.stderr
    absent = _import(data, tmp_path / "absent", "f")
    assert absent.returncode == 1
    nobody = run("import", tmp_path, "--folder", "f", "--user", "nobody@example.org", "--data", data)
    assert "framedex users add" in nobody.stderr


def test_import__killed_in_the_middle_and_run_again_completes(
    workspace: Workspace, admin: Person, data: Path, media: Path
) -> None:
    names = [f"{n:03}.png" for n in range(150)]
    png_files(media, names)
    folder = workspace.folder(admin, "f")
    arguments = command("import", media, "--folder", folder, "--user", admin.email, "--data", data)
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment(data)}
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _items(workspace, admin, folder) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(_items(workspace, admin, folder))
    assert 0 < before < len(names), "killed too early or too late to show anything"
    again = _import(data, media, folder)
    assert again.returncode == 0, again.stderr
    assert "going on with the job" in again.stderr
    assert sorted(i.name for i in _items(workspace, admin, folder)) == names
    assert list(doctor(settings_of(data)).findings()) == []


@holds_the_directory
def test_import__beside_a_server_leaves_the_work_to_it(
    workspace: Workspace, admin: Person, data: Path, media: Path
) -> None:
    png_files(media, ["a.png", "b.png"])
    folder = workspace.folder(admin, "f")
    with serving(data):
        done = _import(data, media, folder)
        assert done.returncode == 0, done.stderr
        assert "a server holds the data directory" in done.stderr
        assert len(_items(workspace, admin, folder)) == 2
        listed = run("jobs", "list", "--data", data)
        assert f"import {media}" in listed.stdout
        job = listed.stdout.split()[0]
        shown = run("jobs", "show", job, "--data", data)
        assert "2 done, 0 failed, 0 cancelled of 2" in shown.stdout
        units = [json.loads(line) for line in run("jobs", "units", job, "--data", data).stdout.splitlines()]
        assert [(u["state"], u["path"]) for u in units] == [("done", "a.png"), ("done", "b.png")]
        assert run("jobs", "cancel", job, "--data", data).stdout == "0 units cancelled\n"
        assert run("jobs", "retry", job, "--data", data).stdout == "0 units wait to be done\n"


@holds_the_directory
def test_import__says_when_the_server_stops(workspace: Workspace, admin: Person, data: Path, media: Path) -> None:
    png_files(media, [f"{n:03}.png" for n in range(300)])
    arguments = command("import", media, "--folder", "f", "--user", admin.email, "--data", data)
    with serving(data):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("job ")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, "the server was done before it was stopped"
    assert "run the same command again" in errors
    again = _import(data, media, "f")
    assert again.returncode == 0, again.stderr


def test_jobs_retry__does_what_failed_again(workspace: Workspace, admin: Person, data: Path, media: Path) -> None:
    (media / "a.png").write_bytes(b"broken and no picture")
    folder = workspace.folder(admin, "f")
    assert _import(data, media, folder).returncode == 1
    job = run("jobs", "list", "--data", data).stdout.split()[0]
    assert "a.png" in run("jobs", "show", job, "--data", data).stdout
    png_files(media, ["a.png"])
    assert run("jobs", "retry", job, "--data", data).stdout == "1 units wait to be done\n"
    with serving(data):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not _items(workspace, admin, folder):
            time.sleep(0.05)
    assert [i.name for i in _items(workspace, admin, folder)] == ["a.png"]
