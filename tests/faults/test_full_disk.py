"""A full disk: writes are refused with a clear error before it is full, reads go on, and afterwards all is well."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.builders import media_files
from tests.builders.databases import disk_has_the_catalog
from tests.builders.living import run
from tests.conftest import require_tool
from tests.faults.conftest import World, new_world
from tests.faults.servers import Api, findings, served

pytestmark = pytest.mark.faults

MIB = 1 << 20
_DISK = 48 * MIB
_RESERVE = 8 * MIB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        [require_tool("mount"), "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mount.returncode:
        pytest.skip(f"NOT RUN: a small disk cannot be mounted here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path, *, leave: int) -> Path:
    """A file beside the data directory that takes all but `leave` bytes."""
    path = folder / "filling"
    facts = os.statvfs(folder)
    free = facts.f_bavail * facts.f_frsize
    with path.open("ab") as file:
        file.write(b"\0" * max(0, free - leave))
    return path


def _upload_place(api: Api, world: World) -> str:
    body = {"itemType": "image", "count": 1}
    page = api.answer("POST", f"storage/folders/{world.folder}/upload-signed-urls", json=body)
    rows = page["results"]
    assert isinstance(rows, list)
    return str(rows[0]["signedUrl"])


def _assert_reads(api: Api, world: World, item: str) -> None:
    assert [i["uuid"] for i in api.items(world.folder) if i["uuid"] == item] == [item]
    one = api.answer("GET", f"storage/items/{item}?signUrl=true")
    assert httpx.get(str(one["signedUrl"])).status_code == 200


def _assert_full(response: httpx.Response) -> None:
    assert response.status_code == 507, response.text
    assert "disk" in response.json()["message"]


def _objects(world: World) -> list[Path]:
    return [path for path in (world.data / "blobs").rglob("*") if path.is_file()]


@disk_has_the_catalog
def test_disk_below_its_reserve__writes_are_refused_and_reads_go_on(small_disk: Path) -> None:
    media = small_disk / "media"
    with (
        new_world(small_disk / "data", media) as world,
        served(world.data, FRAMEDEX_DISK_RESERVE_BYTES=str(_RESERVE)) as server,
    ):
        api = Api(server, world.admin)
        url = world.put("a.png", media_files.png())
        registered = api.register(world.folder, {"images": [{"objectUrl": url}]}, world.integration)
        item = registered["itemsWithNames"][0]["itemUuid"]
        patch = f"storage/folders/{world.folder}/items/{item}"
        place = _upload_place(api, world)
        filling = _fill(small_disk, leave=_RESERVE - MIB)

        _assert_full(api.request("PATCH", patch, json={"clientMetadata": {"a": 1}}))
        _assert_full(api.request("POST", "storage/folders", json={"name": "new"}))
        _assert_full(api.start_job(world.folder, {"images": [{"objectUrl": url}]}, world.integration))
        before = _objects(world)
        _assert_full(httpx.put(place, content=b"x" * MIB))
        assert _objects(world) == before, "half an object was left"
        _assert_reads(api, world, item)
        # What frees space goes on.
        deleted = api.answer("POST", f"storage/folders/{world.folder}/items/delete", json={"childUuids": [item]})
        assert deleted["removedItemsCount"] == 1
        server.assert_well()

        filling.unlink()
        assert httpx.put(place, content=media_files.png()).status_code == 200
        again = api.register(world.folder, {"images": [{"objectUrl": url}]}, world.integration)
        assert (again["status"], again["unitsDoneCount"]) == ("DONE", 1)
        server.assert_well()
        assert findings(world.data) == []


def test_upload_that_would_pass_the_reserve__leaves_nothing(small_disk: Path) -> None:
    with (
        new_world(small_disk / "data", small_disk / "media") as world,
        served(world.data, FRAMEDEX_DISK_RESERVE_BYTES=str(_RESERVE)) as server,
    ):
        api = Api(server, world.admin)
        place = _upload_place(api, world)
        before = _objects(world)
        answer = _put_until_refused(place, b"x" * _DISK)
        assert answer is None or answer.status_code == 507
        assert _objects(world) == before
        # The disk was never full: others can write.
        api.answer("POST", "storage/folders", json={"name": "new"})
        assert httpx.put(place, content=media_files.png()).status_code == 200
        server.assert_well()


def _put_until_refused(place: str, content: bytes) -> httpx.Response | None:
    """The answer; None when the server closed the connection before it was read to the end."""
    try:
        return httpx.put(place, content=content, timeout=60)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return None


@disk_has_the_catalog
def test_job_on_a_full_disk__waits_for_space_and_goes_on(small_disk: Path) -> None:
    with (
        new_world(small_disk / "data", small_disk / "media") as world,
        served(world.data, FRAMEDEX_DISK_RESERVE_BYTES=str(_RESERVE)) as server,
    ):
        api = Api(server, world.admin)
        urls = [world.put(f"{n:03}.png", media_files.png(seed=n)) for n in range(200)]
        job = api.start_job(world.folder, {"images": [{"objectUrl": u} for u in urls]}, world.integration).json()
        filling = _fill(small_disk, leave=_RESERVE - MIB)
        job_path = f"storage/folders/{world.folder}/data-upload-jobs/{job}"
        state = api.answer("GET", f"{job_path}?timeoutSeconds=3")
        assert (state["status"], state["unitsErrorCount"]) == ("PENDING", 0), "it was too fast to show anything"
        assert len(api.items(world.folder)) < len(urls)
        filling.unlink()
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", len(urls), 0)
        assert sorted(str(i["url"]) for i in api.items(world.folder)) == sorted(urls)
        server.assert_well()
        assert findings(world.data) == []


@disk_has_the_catalog
def test_server_started_on_a_disk_below_its_reserve__serves_reads(small_disk: Path) -> None:
    with new_world(small_disk / "data", small_disk / "media") as world:
        item = world.workspace.item(world.admin, world.folder, url=world.put("a.png", media_files.png()))
        with served(world.data) as server:
            server.terminate()
        _fill(small_disk, leave=_RESERVE - MIB)
        with served(world.data, FRAMEDEX_DISK_RESERVE_BYTES=str(_RESERVE)) as server:
            api = Api(server, world.admin)
            assert [i["uuid"] for i in api.items(world.folder)] == [item]
            _assert_full(api.request("POST", "storage/folders", json={"name": "new"}))
            server.assert_well()


@disk_has_the_catalog
@pytest.mark.parametrize("room", [0, 3 * MIB])
def test_operating_system_refuses_to_write__507_and_nothing_is_lost(world: World, room: int) -> None:
    """No reserve helps where another process takes the last byte; files of this server stop growing instead."""
    item = world.workspace.item(world.admin, world.folder, metadata='{"n":0}')
    patch = f"storage/folders/{world.folder}/items/{item}"
    with served(world.data) as server:
        api = Api(server, world.admin)
        api.answer("PATCH", patch, json={"clientMetadata": {"n": 1}})
        place = _upload_place(api, world)
        wal = world.data / "catalog.db-wal"
        server.limit_files(max(wal.stat().st_size, (world.data / "catalog.db").stat().st_size) + room)
        acknowledged, refused = _patch_until_refused(api, patch)
        assert refused.status_code == 507, refused.text
        assert "disk" in refused.json()["message"]
        before = _objects(world)
        refused_upload = _put_until_refused(place, b"x" * (room + 8 * MIB))
        assert refused_upload is None or refused_upload.status_code == 507
        assert _objects(world) == before
        large = {"clientMetadata": {"text": "x" * (10 * MIB - 100)}}  # spooled to disk on its way
        assert api.request("PATCH", patch, json=large).status_code in (400, 507)
        assert api.metadata([item]) in ([{"n": acknowledged}], [{"n": acknowledged, "pad": _PAD}])
        assert Api(server, world.admin).items(world.folder)

        server.limit_files(None)
        api.answer("PATCH", patch, json={"clientMetadata": {"n": -1}})
        assert api.metadata([item]) == [{"n": -1}]
        assert httpx.put(place, content=media_files.png()).status_code == 200
        server.assert_well()
    assert findings(world.data) == []


_PAD = "x" * 50_000


def _patch_until_refused(api: Api, patch: str) -> tuple[int, httpx.Response]:
    """The last number that was acknowledged, and the refusal."""
    number = 1
    for _ in range(2000):
        response = api.request("PATCH", patch, json={"clientMetadata": {"n": number + 1, "pad": _PAD}})
        if response.status_code != 200:
            return number, response
        number += 1
    raise AssertionError("no write was refused")


@disk_has_the_catalog
def test_command_on_a_full_disk__says_so(small_disk: Path) -> None:
    """The command line writes to the same directory."""
    with new_world(small_disk / "data", small_disk / "media") as world:
        _fill(small_disk, leave=MIB)
        made = run("users", "new-key", "x@example.org", "--out", small_disk / "key", "--data", world.data)
        assert made.returncode == 1
        assert "disk" in made.stderr
        assert "Traceback" not in made.stderr
