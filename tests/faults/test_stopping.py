"""SIGTERM, a second server, a port that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders import media_files
from tests.builders.databases import environment, holds_the_directory
from tests.builders.living import command, run
from tests.builders.ports import free_port
from tests.faults.conftest import World
from tests.faults.servers import Api, findings, served

pytestmark = pytest.mark.faults


def test_sigterm__finishes_requests_answers_held_polls_and_parks_jobs(world: World) -> None:
    urls = [world.put(f"{n:04}.png", media_files.png(seed=n)) for n in range(1500)]
    item = world.workspace.item(world.admin, world.folder, metadata='{"n":0}')
    with served(world.data) as server, ThreadPoolExecutor(8) as pool:
        api = Api(server, world.admin)
        files = {"images": [{"objectUrl": u} for u in urls]}
        job = api.start_job(world.folder, files, world.integration).json()
        path = f"storage/folders/{world.folder}/data-upload-jobs/{job}?timeoutSeconds=60"
        polls = [pool.submit(api.request, "GET", path) for _ in range(4)]
        upload = _slow_patch(server.port, world, item, started := threading.Event())
        writing = pool.submit(upload)
        started.wait(10)
        time.sleep(0.5)
        seconds = server.terminate()
        assert seconds < 15, "held polls held up the end"
        assert server.process is not None
        assert server.process.returncode == 0
        answers = [poll.result() for poll in polls]
        assert [a.status_code for a in answers] == [200] * 4
        assert {a.json()["status"] for a in answers} == {"PENDING"}
        assert b"200 OK" in writing.result()

        with world.workspace.catalog.read() as read:
            (parked,) = read.jobs.runnable(0)
        assert 0 < parked.units_done < len(urls), "stopped too early or too late to show anything"
        assert "Traceback" not in server.log.read_text()
        assert findings(world.data) == []
        server.start()
        assert api.metadata([item]) == [{"n": 1}], "the request under way was finished"
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"]) == ("DONE", len(urls))
        assert len(api.items(world.folder)) == len(urls) + 1


def _slow_patch(port: int, world: World, item: str, started: threading.Event) -> Callable[[], bytes]:
    """A PATCH whose last byte comes a second after the server was told to stop."""
    body = b'{"clientMetadata":{"n":1}}'
    head = (
        f"PATCH /v2/public/storage/folders/{world.folder}/items/{item} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: {world.admin.headers['Authorization']}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()

    def send() -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head + body[:-1])
            started.set()
            time.sleep(1.5)
            connection.sendall(body[-1:])
            return connection.recv(65536)

    return send


@holds_the_directory
def test_second_server__refuses_and_says_why(world: World) -> None:
    with served(world.data) as server:
        second = run("serve", "--data", world.data, "--port", str(free_port()))
        assert second.returncode == 1
        assert f"being served already (process {server.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        server.assert_well()
        server.kill()
        server.start()  # A lock of a dead process holds up nobody.
        server.assert_well()


def test_port_taken__says_so_and_leaves_the_directory_alone(world: World) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run("serve", "--data", world.data, "--port", str(port))
    assert refused.returncode == 1
    assert str(port) in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "Framedex serves" not in refused.stdout
    with served(world.data) as server:
        server.assert_well()


def test_sigterm__twice_and_while_it_starts(world: World) -> None:
    process = subprocess.Popen(
        command("serve", "--data", world.data, "--port", str(free_port())),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **environment(world.data)},
    )  # fmt: skip
    time.sleep(0.6)
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert b"Traceback" not in errors
    with served(world.data) as server:
        assert server.process is not None
        threading.Timer(0.05, server.process.terminate).start()
        assert server.terminate() < 15
    assert findings(world.data) == []
