"""kill -9 of single media processes while the server probes.

What a process that eats memory, CPU time or the wall clock ends by is in tests/medium/media/test_pool.py.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.builders import media_files
from tests.builders.living import run
from tests.contract.blobs.web_server import WebServer, ranged, running_server
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, findings, served, texts
from tests.faults.web import Held, web_integration

pytestmark = pytest.mark.faults


@pytest.fixture
def web() -> Iterator[WebServer]:
    with running_server() as server:
        yield server


def _processes(server: Server) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The server's fork server, and its workers."""
    forkers = psutil.Process(server.pid).children()
    return forkers, [worker for forker in forkers for worker in forker.children()]


def _kill_all(processes: list[psutil.Process]) -> None:
    assert processes
    for process in processes:
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("victim", ["workers", "fork server"])
def test_media_process_killed_while_probing__costs_its_unit_alone(world: World, web: WebServer, victim: str) -> None:
    held = Held(media_files.png(40, 30))
    web.answers["/held.png"] = held
    for n in range(12):
        web.answers[f"/{n}.png"] = ranged(media_files.png(8, 6, seed=n))
    integration = web_integration(world, web)
    urls = [web.url("/held.png"), *(web.url(f"/{n}.png") for n in range(12))]
    with served(world.data) as server:
        api = Api(server, world.admin)
        files = {"images": [{"objectUrl": url} for url in urls]}
        job = api.start_job(world.folder, files, integration).json()
        assert held.is_asked.wait(60), "nobody read the held object"
        deadline = time.monotonic() + 60
        while len(api.items(world.folder)) < 12 and time.monotonic() < deadline:
            time.sleep(0.05)  # the others are done although one is held
        forkers, workers = _processes(server)
        _kill_all(workers if victim == "workers" else forkers)
        held.may_go_on.set()
        state = api.await_job(world.folder, job)
        assert (state["unitsDoneCount"], state["unitsErrorCount"]) == (12, 1)
        (error,) = texts(state["unitErrors"])
        assert "held.png" in error
        assert "the reader crashed" in error
        server.assert_well()

        again = run("jobs", "retry", str(job), "--data", world.data)
        assert again.returncode == 0, again.stderr
        state = api.await_job(world.folder, str(job))
        assert (state["unitsDoneCount"], state["unitsErrorCount"]) == (13, 0)
        assert sorted(str(i["url"]) for i in api.items(world.folder)) == sorted(urls)
    assert findings(world.data) == []
