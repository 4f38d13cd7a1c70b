"""Objects that go, are cut off or change: the unit or the answer says so, and everything else goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from framedex.core.ids import new_id
from tests.builders import broken_media, media_files
from tests.contract.blobs.web_server import ranged, running_server
from tests.faults.conftest import World
from tests.faults.servers import Api, Server, texts
from tests.faults.web import Held, web_integration

pytestmark = pytest.mark.faults


@pytest.fixture
def world(shared: tuple[World, Server]) -> World:
    made = shared[0]
    return replace(made, folder=made.workspace.folder(made.admin, new_id()))


@pytest.fixture
def api(shared: tuple[World, Server], world: World) -> Iterator[Api]:
    yield Api(shared[1], world.admin)
    shared[1].assert_well()


def _one(api: Api, world: World, kind: str, url: str) -> str:
    state = api.register(world.folder, {kind: [{"objectUrl": url, "title": "x"}]}, world.integration)
    assert state["unitsDoneCount"] == 1, state
    return str(state["itemsWithNames"][0]["itemUuid"])


def _signed(api: Api, item: str) -> str:
    return str(api.answer("GET", f"storage/items/{item}?signUrl=true")["signedUrl"])


def test_object_deleted_after_registration__404_and_the_item_stays(api: Api, world: World) -> None:
    name = f"{new_id()}.png"
    item = _one(api, world, "images", world.put(name, media_files.png()))
    signed = _signed(api, item)
    assert httpx.get(signed).status_code == 200
    kept = (world.media / name).stat()
    (world.media / name).unlink()
    lost = httpx.get(signed)
    assert lost.status_code == 404
    assert "no such file" in lost.json()["message"]
    assert str(world.media) not in lost.text
    assert lost.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(_signed(api, item), headers={"Range": "bytes=0-3"}).status_code == 404
    one = api.answer("GET", f"storage/items/{item}")
    assert (one["uuid"], one["width"], one["height"]) == (item, 8, 6)
    path = f"storage/folders/{world.folder}/items/{item}"
    assert api.request("PATCH", path, json={"clientMetadata": {"still": True}}).status_code == 200
    world.put(name, media_files.png())
    assert httpx.get(signed).status_code == 409  # The time of writing is another, and nobody knows what was written.
    os.utime(world.media / name, ns=(kept.st_atime_ns, kept.st_mtime_ns))  # As `cp -p` and backups restore it.
    assert httpx.get(signed).status_code == 200


def test_own_object_lost__404_and_the_item_stays(api: Api, world: World) -> None:
    body = {"itemType": "image", "count": 1}
    page = api.answer("POST", f"storage/folders/{world.folder}/upload-signed-urls", json=body)
    place = page["results"][0]
    content = media_files.png()
    assert httpx.put(place["signedUrl"], content=content).status_code == 200
    files = {"images": [{"objectUrl": place["objectKey"], "title": "x"}]}
    assert api.register(world.folder, files, None)["unitsDoneCount"] == 1
    path = world.data / "blobs" / "objects" / place["objectKey"]
    path.unlink()
    lost = httpx.get(_signed(api, place["itemUuid"]))
    assert lost.status_code == 404
    assert str(world.data) not in lost.text
    assert api.answer("GET", f"storage/items/{place['itemUuid']}")["width"] == 8
    path.write_bytes(content)  # so that doctor finds nothing at the end


def test_integration_root_away__says_so(api: Api, world: World) -> None:
    """A disk that is not mounted is no reason to call its objects lost."""
    item = _one(api, world, "images", world.put(f"{new_id()}.png", media_files.png()))
    away = world.media.with_name("away")
    world.media.rename(away)
    try:
        lost = httpx.get(_signed(api, item))
        assert lost.status_code == 503
        assert "root of this integration" in lost.json()["message"]
    finally:
        away.rename(world.media)
    assert httpx.get(_signed(api, item)).status_code == 200


_TRUNCATED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "videos": ("mp4", lambda: media_files.video(frames=30)),
    "images": ("png", lambda: media_files.png(200, 200)),
    "audio": ("wav", media_files.audio),
    "pdfs": ("pdf", media_files.pdf),
    "nifti": ("nii.gz", media_files.nifti),
}


def test_truncated_files__are_unit_errors_and_the_others_are_registered(api: Api, world: World) -> None:
    files: dict[str, object] = {}
    for kind, (ending, make) in _TRUNCATED.items():
        whole = world.put(f"{new_id()}.{ending}", make())
        cut = world.put(f"cut-{new_id()}.{ending}", broken_media.cut(make(), 0.5))
        empty = world.put(f"empty-{new_id()}.{ending}", b"")
        missing = f"{world.media.as_uri()}/missing-{new_id()}.{ending}"
        files[kind] = [{"objectUrl": url, "title": url.rpartition("/")[2]} for url in (whole, cut, empty, missing)]
    state = api.register(world.folder, files, world.integration)
    kinds = len(_TRUNCATED)
    errors = texts(state["unitErrors"])
    assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", kinds, 3 * kinds), errors
    assert len([e for e in errors if "missing-" in e and "no such file" in e]) == kinds
    assert len([e for e in errors if "cut-" in e]) == kinds
    assert not [e for e in errors if str(world.media) in e.replace(world.media.as_uri(), "")], "no paths in errors"


def test_truncated_video__all_or_nothing_leaves_nothing(api: Api, world: World) -> None:
    good = world.put(f"{new_id()}.mp4", media_files.video(frames=10))
    cut = world.put(f"{new_id()}.mp4", broken_media.cut(media_files.video(frames=30), 0.5))
    files = {"videos": [{"objectUrl": good}, {"objectUrl": cut}]}
    state = api.register(world.folder, files, world.integration, ignore_errors=False)
    assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("ERROR", 0, 1)
    assert "cut off" in texts(state["unitErrors"])[0]
    assert api.items(world.folder) == []


def test_file_that_shrinks_while_it_is_probed__is_tried_again_and_ends_right(api: Api, world: World) -> None:
    """A file of a folder that is being written to: what the server says in the end is true of the file as it is."""
    content = media_files.video(frames=60)
    name = f"{new_id()}.mp4"
    url = world.put(name, content)
    files = {"videos": [{"objectUrl": url}]}
    job = api.start_job(world.folder, files, world.integration).json()
    path = world.media / name
    for _ in range(40):
        path.write_bytes(content[: len(content) // 2])
        path.write_bytes(content)
    state = api.await_job(world.folder, job)
    if state["unitsDoneCount"]:
        assert [i["fileSize"] for i in api.items(world.folder)] == [len(content)]
    else:
        assert api.items(world.folder) == []
        error = texts(state["unitErrors"])[0]
        assert any(word in error for word in ("shorter", "cut off", "damaged", "its content is none of")), error


def test_object_of_a_web_server_that_changes_while_it_is_probed__is_tried_again(api: Api, world: World) -> None:
    with running_server() as web:
        first, second = media_files.png(40, 30, seed=1), media_files.png(20, 10, seed=2)
        held = Held(first)
        web.answers["/a.png"] = held
        job = api.start_job(
            world.folder, {"images": [{"objectUrl": web.url("/a.png")}]}, web_integration(world, web)
        ).json()
        assert held.is_asked.wait(60)
        held._answer = ranged(second, '"v2"')
        held.may_go_on.set()
        state = api.await_job(world.folder, job)
        assert state["unitsDoneCount"] == 1, state
        (item,) = api.items(world.folder)
        assert (item["width"], item["height"], item["fileSize"]) == (20, 10, len(second))
