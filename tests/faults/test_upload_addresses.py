"""Uploads that break off, race, pass their cap or are aimed elsewhere: nothing half is left.

Used twice, expired, of another user: tests/protocol/test_upload_addresses.py.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from framedex.auth.secret_key import load_or_create_secret_key
from framedex.auth.signed_urls import UrlSigner
from framedex.core.clock import now_us
from framedex.core.ids import new_id
from framedex.core.ports.signing import UrlGrant, UrlPurpose
from tests.builders import media_files
from tests.faults.conftest import World
from tests.faults.servers import Api, Server

pytestmark = pytest.mark.faults

_DAY_US = 86_400_000_000


AwaitObjects = Callable[[int], None]


@pytest.fixture
def world(shared: tuple[World, Server]) -> World:
    """The shared one with a folder of its own."""
    made = shared[0]
    return replace(made, folder=made.workspace.folder(made.admin, new_id()))


@pytest.fixture
def server(shared: tuple[World, Server]) -> Iterator[Server]:
    yield shared[1]
    shared[1].assert_well()


@pytest.fixture
def api(server: Server, world: World) -> Api:
    return Api(server, world.admin)


@pytest.fixture
def place(api: Api, world: World) -> dict[str, str]:
    """`signedUrl`, `objectKey` and `itemUuid` of one upload."""
    return places(api, world, 1)[0]


def places(api: Api, world: World, count: int) -> list[dict[str, str]]:
    body = {"itemType": "image", "count": count}
    page = api.answer("POST", f"storage/folders/{world.folder}/upload-signed-urls", json=body)
    rows = page["results"]
    assert isinstance(rows, list)
    return rows


def _objects(world: World) -> list[Path]:
    return [path for path in (world.data / "blobs").rglob("*") if path.is_file()]


@pytest.fixture
def await_objects(world: World) -> AwaitObjects:
    """Waits until there are so many more files than before the test, drafts included."""
    before = len(_objects(world))

    def wait(count: int) -> None:
        deadline = time.monotonic() + 20
        while len(_objects(world)) != before + count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(_objects(world)) == before + count, _objects(world)

    return wait


def _message(response: httpx.Response) -> str:
    return str(response.json()["message"])


def _minted(
    world: World, server: Server, key: str, *, max_bytes: int | None = None, expires_at: int | None = None
) -> str:
    """An address of the server's own making, with a cap or an end that its API does not give out."""
    signer = UrlSigner(load_or_create_secret_key(world.data / "secret.key").derive("urls"))
    until = now_us() + _DAY_US if expires_at is None else expires_at
    grant = UrlGrant("PUT", UrlPurpose.UPLOAD, key, world.admin.id, max_bytes, until)
    return f"{server.url}/objects/upload/{signer.sign(grant)}"


def _register(api: Api, world: World, place: dict[str, str], title: str = "a.png") -> dict[str, object]:
    files = {"images": [{"objectUrl": place["objectKey"], "title": title}]}
    return api.register(world.folder, files, None)


def test_upload__two_at_the_same_moment(world: World, place: dict[str, str], await_objects: AwaitObjects) -> None:
    import threading

    contents = [media_files.png(seed=n) + bytes(3 << 20) for n in range(4)]
    statuses: list[int] = []

    def put(content: bytes) -> None:
        statuses.append(httpx.put(place["signedUrl"], content=content, timeout=60).status_code)

    threads = [threading.Thread(target=put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    await_objects(1)
    path = world.data / "blobs" / "objects" / place["objectKey"]
    assert path.read_bytes() in contents


def test_upload__for_another_object_method_or_purpose(
    api: Api, world: World, server: Server, await_objects: AwaitObjects
) -> None:
    first, second = places(api, world, 2)
    assert httpx.put(first["signedUrl"], content=media_files.png()).status_code == 200
    _register(api, world, first)
    content = str(api.answer("GET", f"storage/items/{first['itemUuid']}?signUrl=true")["signedUrl"])
    token = second["signedUrl"].rpartition("/")[2]
    other = first["signedUrl"].rpartition("/")[2]
    # The subject of one address under the signature of another.
    mixed = [f"{a.rpartition('.')[0]}.{b.rpartition('.')[2]}" for a, b in ((token, other), (other, token))]
    for wrong in [
        *mixed,
        token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        token[:-20],
        "x",
        "%00",
        "../../secret.key",
    ]:
        refused = httpx.put(f"{server.url}/objects/upload/{wrong}", content=b"x")
        assert refused.status_code in (403, 404), wrong
    assert httpx.get(f"{server.url}/objects/content/{token}").status_code == 403
    as_upload = content.replace("/content/", "/upload/")
    assert httpx.put(as_upload, content=b"x").status_code == 403
    assert httpx.post(second["signedUrl"], content=b"x").status_code == 405
    await_objects(1)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_upload__larger_than_its_cap(
    world: World, server: Server, place: dict[str, str], is_chunked: bool, await_objects: AwaitObjects
) -> None:
    url = _minted(world, server, place["objectKey"], max_bytes=100_000)
    content = os.urandom(100_001)
    refused = httpx.put(url, content=_in_chunks(content) if is_chunked else content)
    assert refused.status_code == 413
    assert "100000" in _message(refused)
    await_objects(0)
    assert httpx.put(url, content=content[:-1]).status_code == 200
    await_objects(1)


def _in_chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 8192):
        yield content[start : start + 8192]


def test_upload__chunked_without_a_length(api: Api, world: World, place: dict[str, str]) -> None:
    content = media_files.png(200, 100)
    assert httpx.put(place["signedUrl"], content=_in_chunks(content)).status_code == 200
    assert _register(api, world, place)["unitsDoneCount"] == 1
    one = api.answer("GET", f"storage/items/{place['itemUuid']}?signUrl=true")
    assert httpx.get(str(one["signedUrl"])).content == content


@pytest.mark.parametrize("is_chunked", [False, True])
def test_upload__connection_cut_in_the_middle(
    api: Api, world: World, server: Server, place: dict[str, str], is_chunked: bool, await_objects: AwaitObjects
) -> None:
    target = urlsplit(place["signedUrl"]).path
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {8 << 20}"
    head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{length}\r\n\r\n".encode()
    part = os.urandom(3 << 20)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + (f"{len(part):x}\r\n".encode() if is_chunked else b"") + part)
        await_objects(1)  # the draft
        connection.shutdown(socket.SHUT_RDWR)
    await_objects(0)
    nothing = _register(api, world, place)
    assert nothing["unitsErrorCount"] == 1
    assert httpx.put(place["signedUrl"], content=media_files.png()).status_code == 200
    assert _register(api, world, place)["unitsDoneCount"] == 1


def test_upload__server_killed_in_the_middle_leaves_a_draft_that_is_swept(
    api: Api, world: World, server: Server, place: dict[str, str], await_objects: AwaitObjects
) -> None:
    target = urlsplit(place["signedUrl"]).path
    head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {8 << 20}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + os.urandom(3 << 20))
        await_objects(1)
        server.kill()
    (draft,) = (world.data / "blobs" / "temporary").iterdir()
    os.utime(draft, (time.time() - 7200, time.time() - 7200))
    server.start()
    await_objects(0)
    assert httpx.put(place["signedUrl"], content=media_files.png()).status_code == 200
    assert _register(api, world, place)["unitsDoneCount"] == 1
