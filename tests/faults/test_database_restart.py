"""PostgreSQL stopped as by a crash and started again, under servers, a worker, jobs and clients that go on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.builders import media_files
from tests.builders.databases import assign
from tests.builders.living import run
from tests.builders.ports import free_port
from tests.builders.postgres import Cluster, running_postgres
from tests.faults.conftest import World, new_world
from tests.faults.servers import Api, Json, Server, findings, served
from tests.faults.workers import working
from tests.faults.writers import Writer, assert_kept, writing

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_RESTARTS = 3
_PICTURES = 500
_SUPPLIED = 20_000


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that this test alone uses."""
    with running_postgres() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, cluster: Cluster) -> Iterator[World]:
    assign(tmp_path / "data", cluster.new_database())
    with new_world(tmp_path / "data", tmp_path / "media") as made:
        yield made


def _assert_refuses_well(apis: list[Api], world: World) -> None:
    """While the database is down: reads and writes are refused as what they are, and soon."""
    body: Json = {"name": "not made", "parent": None, "description": "", "clientMetadata": None}
    for api in apis:
        for method, path, arguments in (
            ("GET", f"storage/folders/{world.folder}", {}),
            ("POST", "storage/folders", {"json": body}),
        ):
            began = time.monotonic()
            answer = api.request(method, path, **arguments)
            assert (answer.status_code, "database does not answer" in answer.text) == (503, True), answer.text
            assert time.monotonic() - began < 15


def _await_well(api: Api, world: World) -> None:
    """After the database is back; nobody starts the server again."""
    deadline = time.monotonic() + 30
    while api.request("GET", f"storage/folders/{world.folder}").status_code != 200:
        assert time.monotonic() < deadline, "the server does not come to itself"
        time.sleep(0.05)


def _start_jobs(api: Api, world: World) -> tuple[list[str], list[str]]:
    """Addresses and jobs: pictures that are read, and as many as fit that are not."""
    pictures = [world.put(f"{n:04}.png", media_files.png(seed=n)) for n in range(_PICTURES)]
    supplied = [f"{world.media.as_uri()}/supplied/{n:06}.png" for n in range(_SUPPLIED)]
    facts = {"fileSize": 9, "width": 4, "height": 3, "mimeType": "image/png"}
    manifests: tuple[Json, Json] = (
        {"images": [{"objectUrl": url} for url in pictures]},
        {"images": [{"objectUrl": url, "imageMetadata": facts} for url in supplied]},
    )
    started = [api.start_job(world.folder, files, world.integration) for files in manifests]
    assert [answer.status_code for answer in started] == [200, 200]
    return [*pictures, *supplied], [answer.json() for answer in started]


def _await_jobs(api: Api, world: World, jobs: list[str]) -> list[Json]:
    return [api.await_job(world.folder, job, timeout_s=120) for job in jobs]


def test_database_restarted__what_was_acknowledged_is_there_and_jobs_go_on(
    world: World, cluster: Cluster, dice: random.Random
) -> None:
    bundled = [world.workspace.item(world.admin, world.folder, metadata='{"n":0}') for _ in range(20)]
    single = world.workspace.item(world.admin, world.folder, metadata='{"n":0}')
    with ExitStack() as stack:
        servers: list[Server] = [stack.enter_context(served(world.data, FRAMEDEX_JOB_THREADS="2")) for _ in range(2)]
        stack.enter_context(working(world.data))
        apis = [Api(server, world.admin) for server in servers]
        writers = [
            Writer(apis[0], "PATCH", f"storage/folders/{world.folder}/items/{single}", [single]),
            Writer(apis[1], "PATCH", "storage/items/patch-bulk", bundled),
        ]
        urls, jobs = _start_jobs(apis[0], world)
        in_jobs = 0
        with writing(writers):
            for _ in range(_RESTARTS):
                time.sleep(dice.uniform(0.2, 0.8))
                with world.workspace.catalog.read() as read:
                    in_jobs += bool(read.jobs.runnable(0))
                cluster.stop("immediate")
                _assert_refuses_well(apis, world)
                cluster.start()
                for api in apis:
                    _await_well(api, world)
        assert in_jobs == _RESTARTS, "a restart fell between the jobs, which shows nothing"
        states = _await_jobs(apis[1], world, jobs)
        counts = [(s["status"], s["unitsDoneCount"], s["unitsErrorCount"]) for s in states]
        assert counts == [("DONE", _PICTURES, 0), ("DONE", _SUPPLIED, 0)], states
        found = [str(item["url"]) for item in apis[0].items(world.folder)]
        assert sorted(url for url in found if not url.startswith("file:///nowhere")) == sorted(urls)
        for writer in writers:
            assert_kept(apis[0], writer)
            assert writer.acknowledged > 0
            assert set(writer.answers) == {200, 503}, writer.answers
        names = [f["name"] for f in apis[0].answer("GET", "storage/folders")["results"]]
        assert names == ["faults"], "what was refused was done all the same"
        for server in servers:
            server.assert_well()
    assert findings(world.data) == []


def test_database_down__a_server_ends_without_a_trace(world: World, cluster: Cluster) -> None:
    with served(world.data) as server:
        cluster.stop("immediate")
        assert httpx.get(f"{server.url}/healthz", timeout=10).status_code == 200
        assert server.terminate() < 20
        assert server.process is not None
        assert server.process.returncode == 0
        assert "Traceback" not in server.log.read_text()
    cluster.start()


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_database_down__who_starts_says_so(tmp_path: Path, command: str) -> None:
    address = f"postgresql://ada:s3cret@127.0.0.1:{free_port()}/framedex"
    port = ("--port", str(free_port())) if command == "serve" else ()
    answer = run(command, "--data", tmp_path, *port, environment={"FRAMEDEX_DATABASE_URL": address})
    assert answer.returncode == 1
    assert "The PostgreSQL database does not answer" in answer.stderr
    assert "s3cret" not in answer.stderr
    assert "Traceback" not in answer.stderr
