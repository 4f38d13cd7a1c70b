"""kill -9 and full disks while a video is encoded anew: the job goes on where it was, and makes each video once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.builders.numbered import numbers_by_ffmpeg, video_of_numbers
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, findings, served

pytestmark = pytest.mark.faults

_NOISE = ("-vf", "noise=alls=60:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
_FRAMES = 150


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Takes some seconds to encode."""
    return video_of_numbers(tmp_path_factory.mktemp("long") / "a.mp4", _FRAMES, *_NOISE, width=480, height=270)


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with served(world.data) as running:
        yield running


def _registered(api: Api, world: World, **videos: bytes) -> dict[str, str]:
    files = [{"objectUrl": world.put(f"{title}.mp4", data), "title": title} for title, data in videos.items()]
    assert api.register(world.folder, {"videos": files}, world.integration)["unitsErrorCount"] == 0
    return {str(item["name"]): str(item["uuid"]) for item in api.items(world.folder)}


def _start(api: Api, *items: str) -> str:
    body = {"storageItems": items, "processTitle": "faults", "forceFullReencoding": True}
    return str(api.request("POST", "storage/items/reencode", json=body).json())


def _await_progress(server: Server, world: World, job: str) -> None:
    headers = world.admin.headers
    deadline = time.monotonic() + 60
    while True:
        units = httpx.get(f"{server.url}/api/v1/jobs/{job}/units", headers=headers).json()["units"]
        if units[0]["progress"] is not None:
            return
        assert time.monotonic() < deadline, units
        time.sleep(0.02)


def _result(api: Api, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := api.answer("GET", f"storage/items/reencode/{job}"))["status"] == "submitted":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def _encoders(server: Server) -> list[psutil.Process]:
    """Its media workers; the one that encodes has lowered its priority."""
    return [p for p in psutil.Process(server.pid).children(recursive=True) if p.nice() > 0]


def test_server_killed_and_stopped_while_encoding__makes_one_video_in_the_end(
    world: World, server: Server, long_video: bytes, tmp_path: Path
) -> None:
    api = Api(server, world.admin)
    item = _registered(api, world, long=long_video)["long"]
    job = _start(api, item)
    _await_progress(server, world, job)
    encoders = _encoders(server)
    assert encoders
    server.kill()
    psutil.wait_procs(encoders, timeout=10)
    assert [p for p in encoders if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    server.start()
    _await_progress(server, world, job)
    server.terminate(timeout=45)
    server.start()
    found = _result(api, job)
    assert found["status"] == "done"
    named = {str(i["name"]): i for i in api.items(world.folder)}
    assert sorted(named) == ["long", "long (re-encoded)"]
    signed = api.answer("GET", f"storage/items/{named['long (re-encoded)']['uuid']}?signUrl=true")["signedUrl"]
    path = tmp_path / "new.mp4"
    path.write_bytes(httpx.get(str(signed)).content)
    assert numbers_by_ffmpeg(path) == list(range(_FRAMES))
    assert list((world.data / "spool").iterdir()) == []
    server.terminate()
    assert findings(world.data) == []


def test_encoder_killed__costs_its_video_alone(shared: tuple[World, Server], long_video: bytes) -> None:
    world, server = shared
    api = Api(server, world.admin)
    items = _registered(api, world, a=long_video, b=long_video)
    job = _start(api, items["a"], items["b"])
    _await_progress(server, world, job)
    for process in _encoders(server):
        process.send_signal(signal.SIGKILL)
    found = _result(api, job)
    assert found["status"] == "error"
    first, second = found["result"]
    assert (first["status"], second["status"]) == ("error", "done")
    assert "the reader crashed" in str(first["error"])
    server.assert_well()


def test_disk_full_while_encoding__waits_for_space(shared: tuple[World, Server], tmp_path: Path) -> None:
    """What is made passes the part that is kept in memory; no file may grow beyond 4 MiB for a while."""
    noise = ("-vf", "noise=alls=100:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8")
    world, server = shared
    data = video_of_numbers(tmp_path / "a.mp4", 40, *noise, width=640, height=480)
    api = Api(server, world.admin)
    item = _registered(api, world, large=data)["large"]
    server.limit_files(4 << 20)
    job = _start(api, item)
    deadline = time.monotonic() + 60
    while True:
        units = httpx.get(f"{server.url}/api/v1/jobs/{job}/units", headers=world.admin.headers).json()["units"]
        if units[0]["attempts"] >= 2:
            break
        assert units[0]["state"] == "waiting", units
        assert time.monotonic() < deadline
        time.sleep(0.05)
    server.limit_files(None)
    assert _result(api, job)["status"] == "done"
    server.assert_well()
