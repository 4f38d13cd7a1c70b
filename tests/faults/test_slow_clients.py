"""Clients that trickle, hold or never read: they hold neither a thread nor a connection of the catalog."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.builders import media_files
from tests.contract.blobs.web_server import running_server
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, served
from tests.faults.web import Held, web_integration

pytestmark = pytest.mark.faults

_SLOW = 60  # more than threads of any pool of the server


@contextmanager
def _connections(
    server: Server, count: int, first: bytes, receive_buffer: int | None = None
) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            if receive_buffer is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(first)
            found.append(connection)
        yield found


def _head(world: World, server: Server, line: str, *headers: str) -> bytes:
    lines = [
        f"{line} HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
        f"Authorization: {world.admin.headers['Authorization']}", *headers, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def _patch_times(api: Api, world: World, item: str, count: int = 20) -> list[float]:
    found = []
    for number in range(count):
        started = time.perf_counter()
        path = f"storage/folders/{world.folder}/items/{item}"
        assert api.request("PATCH", path, json={"clientMetadata": {"n": number}}).status_code == 200
        found.append(time.perf_counter() - started)
    return found


@pytest.mark.parametrize("what", ["headers", "body", "body of a manifest", "upload"])
def test_trickling_requests__hold_up_nobody(world: World, what: str) -> None:
    item = world.workspace.item(world.admin, world.folder)
    with served(world.data) as server:
        api = Api(server, world.admin)
        quick = statistics.median(_patch_times(api, world, item))
        starts = {
            "headers": b"GET /v2/public/storage/folders HTTP/1.1\r\nHost: 127",
            "body": _head(
                world, server, f"PATCH /v2/public/storage/folders/{world.folder}/items/{item}", "Content-Length: 999"
            ),
            "body of a manifest": _head(world, server, "POST /api/v1/imports", "Content-Length: 999"),
            "upload": _upload_head(api, world, server),
        }
        with _connections(server, _SLOW, starts[what]) as slow:
            times: list[float] = []
            for _ in range(3):
                for connection in slow:
                    connection.sendall(b"x")
                times += _patch_times(api, world, item, 10)
            assert statistics.median(times) < quick * 5 + 0.05, "slow clients hold up others"
        server.assert_well()


def _upload_head(api: Api, world: World, server: Server) -> bytes:
    page = api.answer(
        "POST", f"storage/folders/{world.folder}/upload-signed-urls", json={"itemType": "image", "count": 1}
    )
    target = page["results"][0]["signedUrl"].removeprefix(server.url)
    return _head(world, server, f"PUT {target}", "Content-Length: 999")


def test_clients_that_do_not_read__hold_up_nobody(world: World) -> None:
    """An answer of many megabytes stays half sent; others read and write as before."""
    items = world.workspace.item(world.admin, world.folder)
    with served(world.data) as server:
        api = Api(server, world.admin)
        facts = {"fileSize": 9, "width": 4, "height": 3, "mimeType": "image/png"}
        title = "t" * 290
        files = {
            "images": [
                {"objectUrl": f"{world.media.as_uri()}/{n}.png", "title": title, "imageMetadata": facts}
                for n in range(30_000)
            ]
        }
        job = api.start_job(world.folder, files, world.integration).json()
        assert api.await_job(world.folder, job)["status"] == "DONE"
        poll = f"GET /v2/public/storage/folders/{world.folder}/data-upload-jobs/{job}?timeoutSeconds=0"
        with _connections(server, _SLOW, _head(world, server, poll), receive_buffer=4096):
            time.sleep(1)
            times = _patch_times(api, world, items, 10)
            assert max(times) < 5, "clients that do not read hold up others"
            assert len(api.items(world.folder)) == 30_001
        server.assert_well()


def test_two_hundred_held_polls__patch_stays_fast(world: World) -> None:
    item = world.workspace.item(world.admin, world.folder)
    with running_server() as web, served(world.data) as server:
        held = Held(media_files.png())
        web.answers["/held.png"] = held
        api = Api(server, world.admin)
        job = api.start_job(
            world.folder, {"images": [{"objectUrl": web.url("/held.png")}]}, web_integration(world, web)
        ).json()
        assert held.is_asked.wait(60)
        quick = statistics.median(_patch_times(api, world, item))
        path = f"GET /v2/public/storage/folders/{world.folder}/data-upload-jobs/{job}?timeoutSeconds=60"
        with _connections(server, 200, _head(world, server, path)) as polls:
            time.sleep(1)
            times = _patch_times(api, world, item)
            assert statistics.median(times) < quick * 5 + 0.05
            held.may_go_on.set()
            started = time.monotonic()
            for poll in polls:
                poll.settimeout(30)
                answer = poll.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200")
            assert time.monotonic() - started < 10, "polls are answered when the job ends"
        print(f"PATCH median {quick * 1000:.1f} ms alone, {statistics.median(times) * 1000:.1f} ms beside 200 polls")
        server.assert_well()
