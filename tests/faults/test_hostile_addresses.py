"""Addresses that want out: of the folder, of the origins, to private networks. The listener must hear nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from framedex.core.ids import new_id
from tests.builders import media_files
from tests.contract.blobs.web_server import WebServer, redirect, running_server
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, texts
from tests.faults.web import Listener, listening, web_integration

pytestmark = pytest.mark.faults

SECRET = b"a secret outside of the root\n"


@pytest.fixture
def world(shared: tuple[World, Server]) -> World:
    made = shared[0]
    return replace(made, folder=made.workspace.folder(made.admin, new_id()))


@pytest.fixture
def api(shared: tuple[World, Server], world: World) -> Iterator[Api]:
    yield Api(shared[1], world.admin)
    shared[1].assert_well()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
        assert found.calls == 0, "somebody was called"


def _refused(api: Api, world: World, urls: list[str], integration: str, kind: str = "images") -> list[str]:
    """Registers each; none may become an item. Answers what was said, whether at once or by unit."""
    files = {kind: [{"objectUrl": url, "title": f"t{n}"} for n, url in enumerate(urls)]}
    started = api.start_job(world.folder, files, integration)
    if started.status_code == 400:
        said = [started.json()["message"]]
    else:
        assert started.status_code == 200, started.text
        state = api.await_job(world.folder, started.json())
        assert (state["unitsDoneCount"], state["unitsErrorCount"]) == (0, len(urls)), state
        said = texts(state["unitErrors"])
    assert api.items(world.folder) == []
    assert not [text for text in said if SECRET.decode().strip() in text]
    return said


def test_local_addresses_that_leave_the_root(api: Api, world: World) -> None:
    secret = world.media.parent / f"secret-{new_id()}.txt"
    secret.write_bytes(SECRET)
    inside, root = world.media.as_uri(), world.media
    link, loop, fifo = (root / f"{name}-{new_id()}" for name in ("link", "loop", "fifo"))
    link.symlink_to(secret)
    loop.symlink_to(loop)
    os.mkfifo(fifo)
    (root / "above").symlink_to(root.parent)
    urls = [
        f"file:///{root.name}/../etc/passwd", "file:///srv/../etc/passwd", "file:///etc/passwd",
        f"{inside}/../{secret.name}", f"{inside}/%2e%2e/{secret.name}", f"{inside}/%2E%2E%2F{secret.name}",
        f"{inside}/..%2f..%2f..%2fetc/passwd", f"{inside}/above/{secret.name}", f"{inside}/{link.name}",
        f"{inside}/{loop.name}", f"{inside}/{fifo.name}", f"{inside}/", inside, f"{inside}/a%00.png",
        f"file://example.org{root}/a.png", "file://", "file:etc/passwd", "/etc/passwd", "///etc/passwd",
        "file:///dev/zero", "file:///proc/self/environ", f"{inside}/{'a' * 300}.png", f"{inside}/{'d/' * 3000}a.png",
        "http://127.0.0.1/a.png", "s3://bucket/key", f"FILE://{root}/../{secret.name}", f"{inside}/%ff%fe.png",
        f"{inside}-other/a.png", f"file://{root}/.%2e/{secret.name}", f"{inside}/%252e%252e/{secret.name}",
    ]  # fmt: skip
    for kind in ("images", "textFiles"):
        # One by one: those that are refused at once must not hide the others.
        for url in urls:
            (said,) = _refused(api, world, [url], world.integration, kind)
            assert len(said) < 2000
    assert len(_refused(api, world, urls[5:12], world.integration, "textFiles")) in (1, 7)


def test_symlink_swapped_while_it_is_read__never_shows_what_is_outside(api: Api, world: World) -> None:
    secret = world.media.parent / f"secret-{new_id()}.txt"
    secret.write_bytes(SECRET)
    good = world.media / f"good-{new_id()}.txt"
    good.write_bytes(b"good\n")
    swapped = world.media / f"swapped-{new_id()}.txt"
    swapped.symlink_to(good)
    files = {"textFiles": [{"objectUrl": swapped.as_uri(), "title": "t"}]}
    item = api.register(world.folder, files, world.integration)["itemsWithNames"][0]["itemUuid"]
    signed = str(api.answer("GET", f"storage/items/{item}?signUrl=true")["signedUrl"])
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for target in (secret, good):
                draft = swapped.with_suffix(".new")
                with suppress(FileExistsError):
                    draft.symlink_to(target)
                draft.replace(swapped)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        with httpx.Client() as client:
            answers = [client.get(signed) for _ in range(150)]
    finally:
        stop.set()
        swapper.join()
    assert {a.status_code for a in answers} <= {200, 400, 403, 404}
    assert not [a for a in answers if b"secret outside" in a.content]
    shown = [a for a in answers if a.status_code == 200]
    assert {a.content for a in shown} <= {b"good\n"}
    assert len(shown) < len(answers), "the swap was never seen"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_private_address_of_an_integration__is_not_called(
    api: Api, world: World, listener: Listener, host: str
) -> None:
    web = WebServer(origin=f"http://{host}:{listener.port}")
    integration = web_integration(world, web, is_private=False)
    (said,) = _refused(api, world, [web.url("/a.png")], integration)
    assert "integration" in said or "address" in said


def test_redirect_elsewhere__is_not_followed(api: Api, world: World, listener: Listener) -> None:
    with running_server() as web:
        integration = web_integration(world, web)
        for name, target in {
            "a": listener.url, "b": "http://169.254.169.254/latest/meta-data", "c": "file:///etc/passwd",
            "d": f"//127.0.0.1:{listener.port}/x", "e": "/e.png", "f": "ftp://127.0.0.1/x",
            "g": f"http://user@127.0.0.1:{listener.port}/", "h": "http://[::1]/",
        }.items():  # fmt: skip
            web.answers[f"/{name}.png"] = redirect(target)
            (said,) = _refused(api, world, [web.url(f"/{name}.png")], integration)
            assert "redirect" in said or "address" in said or "origin" in said, said
        asked = web.targets()
    assert len([t for t in asked if t == "/e.png"]) <= 12, "a loop is followed a few times only"


def test_origin_that_is_not_named__is_not_called(api: Api, world: World, listener: Listener) -> None:
    with running_server() as web:
        integration = web_integration(world, web)
        authority = web.origin.removeprefix("http://")
        urls = [
            listener.url, f"http://{authority}@127.0.0.1:{listener.port}/a.png",
            f"http://127.0.0.1:{listener.port}#@{authority}/a.png", f"http://127.0.0.1:{listener.port}\\@{authority}/a.png",
            f"http://127.0.0.1:{listener.port}?{authority}", f"https://{authority}/a.png",
        ]  # fmt: skip
        for url in urls:
            _refused(api, world, [url], integration)
        assert web.requests == []


def test_addresses_inside_scenes_and_series__pass_the_same_check(api: Api, world: World, listener: Listener) -> None:
    inside = world.put(f"{new_id()}.pcd", media_files.pcd())
    scene = {
        "type": "composite",
        "streams": [{"type": "event", "id": "a", "events": [{"uri": listener.url}, {"uri": inside}]}],
    }
    for files in (
        {"scenes": [{"title": "s", "scene": scene}]},
        {"imageGroups": [{"title": "g", "objectUrl_0": listener.url, "objectUrl_1": "file:///etc/passwd"}]},
        {"dicomSeries": [{"title": "d", "objectUrl_0": listener.url}]},
    ):
        started = api.start_job(world.folder, files, world.integration)
        assert started.status_code in (200, 400)
        if started.status_code == 200:
            assert api.await_job(world.folder, started.json())["unitsDoneCount"] == 0
    assert api.items(world.folder) == []
