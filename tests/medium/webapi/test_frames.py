"""Frame tables over the own API: of local and remote videos, of images and groups, before and after a job."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from framedex.core.clock import now_us
from framedex.core.ids import FolderId, IntegrationId, ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_people import Integration
from framedex.webapi.frame_answers import FramesOut
from tests.builders import media_files
from tests.builders.databases import environment as database_of
from tests.builders.living import Person, Workspace, serving
from tests.contract.blobs.web_server import WebServer, ranged, running_server, status
from tests.medium.webapi.conftest import Live

UNEVEN_MS = [0, 40, 200, 210, 500, 1000, 1040]


def _registered(client: httpx.Client, folder: str, integration: str, manifest: dict[str, Any]) -> list[str]:
    """The items of a registration that was waited for."""
    started = client.post("/imports", params={"folder": folder, "integration": integration}, json=manifest)
    assert started.status_code == 200, started.text
    job = _ended(client, started.json()["job"])
    assert job["state"] == "done", client.get(f"/jobs/{job['uuid']}/units").text
    units = client.get(f"/jobs/{job['uuid']}/units").json()["units"]
    return [item["uuid"] for unit in units for item in unit["items"]]


def _ended(client: httpx.Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/jobs/{job}").json()
        if found["state"] in ("done", "error", "cancelled"):
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def _video(live: Live, client: httpx.Client, owner: Person, data: bytes, name: str = "clip.mp4") -> str:
    folder, path = live.workspace.folder(owner, "f"), live.media / new_id() / name
    path.parent.mkdir()
    path.write_bytes(data)
    return _registered(client, folder, live.integration_id, {"videos": [{"objectUrl": path.as_uri()}]})[0]


def test_list_frames__of_a_video(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    data = media_files.video(times_ms=UNEVEN_MS)
    item = _video(live, admin_client, admin, data)
    answer = admin_client.get(f"/items/{item}/frames")
    assert answer.status_code == 200, answer.text
    found = FramesOut.model_validate(answer.json())
    with av.open(io.BytesIO(data), "r") as media:
        decoded = [(f.pts, f.key_frame) for f in media.decode(video=0)]
        assert Fraction(str(found.time_base)) == media.streams.video[0].time_base
    assert isinstance(found.frames, list)
    assert [(f.pts, f.key) for f in found.frames] == decoded
    assert [f.index for f in found.frames] == list(range(7))
    assert [f.time for f in found.frames] == pytest.approx([ms / 1000 for ms in UNEVEN_MS])
    assert (found.origin, found.frame_count, found.next_cursor) == ("samples", 7, None)
    assert admin_client.get(f"/items/{item}").json()["facts"]["frame_count"] == 7
    assert found.flags is not None
    assert (found.flags.duplicate_pts, found.flags.gaps_frames) == (0, [4, 5])


def test_list_frames__by_columns_and_pages(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    item = _video(live, admin_client, admin, media_files.video(frames=50))
    rows = admin_client.get(f"/items/{item}/frames").json()["frames"]
    columns = admin_client.get(f"/items/{item}/frames", params={"form": "columns"}).json()
    assert columns["next_cursor"] is None
    for name in ("pts", "time", "key"):
        assert columns["frames"][name] == [row[name] for row in rows]
    read: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = admin_client.get(f"/items/{item}/frames", params={"from": 5, "to": 40, "limit": 20, **cursor}).json()
        read += page["frames"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert read == rows[5:40]
    part = admin_client.get(f"/items/{item}/frames", params={"form": "columns", "from": 48}).json()["frames"]
    assert (part["first"], part["pts"]) == (48, [row["pts"] for row in rows[48:]])


def test_list_frames__etag(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    item = _video(live, admin_client, admin, media_files.video())
    first = admin_client.get(f"/items/{item}/frames")
    again = admin_client.get(f"/items/{item}/frames", headers={"If-None-Match": first.headers["etag"]})
    other = admin_client.get(f"/items/{item}/frames?from=1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=24", "24 frames, counted from 0; there is no number 24"),
        ("from=3&to=2", "ends at frame 2, before it starts at 3"),
        ("from=-1", "from"),
        ("form=tables", "form"),
        ("limit=20000", "up to 10000 frames by rows"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_list_frames__bad_input(live: Live, admin_client: httpx.Client, admin: Person, query: str, words: str) -> None:
    item = _video(live, admin_client, admin, media_files.video())
    answer = admin_client.get(f"/items/{item}/frames?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_list_frames__of_a_stranger_and_absent_say_the_same(
    live: Live, admin_client: httpx.Client, other: httpx.Client, admin: Person
) -> None:
    item = _video(live, admin_client, admin, media_files.video())
    hidden, absent = other.get(f"/items/{item}/frames"), other.get(f"/items/{new_id()}/frames")
    assert (hidden.status_code, absent.status_code) == (403, 403)
    assert other.post(f"/items/{item}/frames").status_code == 403


def _supplied(live: Live, owner: Person, facts: MediaFacts) -> ItemId:
    item_id, folder = ItemId(new_id()), live.workspace.folder(owner, "f")
    new = NewItem(
        item_id, folder, ItemType.VIDEO, "v", owner.id, facts, url=f"file:///nowhere/{item_id}.mp4",
        integration_id=live.integration_id, facts_supplied=True,
    )  # fmt: skip
    with live.workspace.catalog.write() as unit:
        unit.items.add_many([new], user_id=owner.id, now_us=now_us())
    return item_id


def test_list_frames__supplied_metadata_without_a_byte_read(live: Live, client: httpx.Client, owner: Person) -> None:
    item = _supplied(live, owner, MediaFacts(fps=29.97, duration=10.0, width=64, height=48))
    found = client.get(f"/items/{item}/frames").json()
    assert (found["frame_count"], found["origin"]) == (300, "supplied")
    assert found["frames"][150]["time"] == pytest.approx(150 / 29.97)
    assert found["frames"][150]["key"] is None
    unknown = client.get(f"/items/{_supplied(live, owner, MediaFacts(width=64))}/frames")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_list_frames__of_images_groups_and_pages(live: Live, admin_client: httpx.Client, admin: Person) -> None:
    folder, place = live.workspace.folder(admin, "f"), live.media / new_id()
    place.mkdir()
    (place / "a.png").write_bytes(media_files.png(seed=1))
    (place / "b.png").write_bytes(media_files.png(seed=2))
    (place / "c.pdf").write_bytes(media_files.pdf(3))
    (place / "d.txt").write_text("no frames")
    manifest = {
        "image_groups": [
            {
                "objectUrl_0": (place / "a.png").as_uri(),
                "objectUrl_1": (place / "b.png").as_uri(),
                "title": "g",
                "createVideo": False,
            }
        ],
        "pdfs": [{"objectUrl": (place / "c.pdf").as_uri()}],
        "text": [{"objectUrl": (place / "d.txt").as_uri()}],
    }
    group, pdf, text = _registered(admin_client, folder, live.integration_id, manifest)
    found = FramesOut.model_validate(admin_client.get(f"/items/{group}/frames").json())
    assert isinstance(found.frames, list)
    names = [admin_client.get(f"/items/{f.object_uuid}").json()["name"] for f in found.frames]
    assert [name.rpartition("/")[2] for name in names] == ["a.png", "b.png"]
    assert {(f.pts, f.time, f.key, f.object_index) for f in found.frames} == {(None, None, None, 0)}
    assert (found.type, found.time_base, found.origin) == ("imageGroup", None, None)
    pages = admin_client.get(f"/items/{pdf}/frames?from=1").json()["frames"]
    assert [(p["index"], p["object_uuid"], p["object_index"]) for p in pages] == [(1, pdf, 1), (2, pdf, 2)]
    columns = admin_client.get(f"/items/{pdf}/frames?form=columns").json()["frames"]
    assert (columns["object_index"], columns["pts"]) == ([0, 1, 2], None)
    none = admin_client.get(f"/items/{text}/frames")
    assert (none.status_code, none.json()["code"]) == (404, "not_found")


# large remote files


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory, web: WebServer) -> Iterator[Live]:
    """A server that reads no remote video whole when it registers it, and a job no more than 60 kB."""
    data = tmp_path_factory.mktemp("sparing")
    workspace = Workspace(data)
    integration_id = IntegrationId(new_id())
    config = IntegrationConfig(IntegrationKind.HTTP, web.origin, allow_private_addresses=True)
    with workspace.catalog.write() as unit:
        unit.people.add_integration(Integration(integration_id, "web", config, now_us()))
    settings = {"FRAMEDEX_MEDIA_SCAN_BYTES": "1000", "FRAMEDEX_MEDIA_LONGEST_SCAN_BYTES": "60000"}
    with serving(data, environment={**database_of(data), **settings}) as url:
        yield Live(url, workspace, Path("/nowhere"), integration_id)
    workspace.close()


@pytest.fixture
def remote(sparing: Live) -> Iterator[tuple[httpx.Client, FolderId]]:
    person = sparing.workspace.person(f"admin-{new_id()}@example.org", is_admin=True)
    with sparing.client(person) as client:
        yield client, sparing.workspace.folder(person, "f")


def _jobs(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    return [job for job in client.get("/jobs").json()["jobs"] if job["kind"] == kind]


def test_registration__of_a_large_remote_video_leaves_its_frames_to_a_job(
    sparing: Live, remote: tuple[httpx.Client, FolderId], web: WebServer
) -> None:
    client, folder = remote
    data = media_files.video("matroska", frames=40)
    web.answers["/clip.mkv"] = ranged(data)
    (item,) = _registered(client, folder, sparing.integration_id, {"videos": [{"objectUrl": web.url("/clip.mkv")}]})
    (job,) = _jobs(client, "frames")
    assert job["title"] == f"frame table of item {item}"
    assert _ended(client, job["uuid"])["state"] == "done"
    facts = client.get(f"/items/{item}").json()["facts"]
    assert (facts["frame_count"], facts["width"]) == (40, 64)
    assert facts["duration"] == pytest.approx(40 / 24, abs=0.002)
    found = client.get(f"/items/{item}/frames").json()
    assert (found["frame_count"], found["origin"], found["frames"][0]["key"]) == (40, "packets", True)
    assert client.post(f"/items/{item}/frames").json() == {"job": None}


def test_registration__of_a_remote_mp4_needs_no_job(
    sparing: Live, remote: tuple[httpx.Client, FolderId], web: WebServer
) -> None:
    client, folder = remote
    web.answers["/clip.mp4"] = ranged(media_files.video())
    (item,) = _registered(client, folder, sparing.integration_id, {"videos": [{"objectUrl": web.url("/clip.mp4")}]})
    assert _jobs(client, "frames") == []
    assert client.get(f"/items/{item}").json()["facts"]["frame_count"] == 24


def test_frames_job__a_budget_that_is_passed_is_named(
    sparing: Live, remote: tuple[httpx.Client, FolderId], web: WebServer
) -> None:
    client, folder = remote
    data = media_files.video("mpegts", frames=1200)
    assert len(data) > 60_000
    web.answers["/long.ts"] = ranged(data)
    (item,) = _registered(client, folder, sparing.integration_id, {"videos": [{"objectUrl": web.url("/long.ts")}]})
    (job,) = _jobs(client, "frames")
    assert _ended(client, job["uuid"])["state"] == "error"
    (unit,) = client.get(f"/jobs/{job['uuid']}/units").json()["units"]
    assert "up to 60000 may be read (FRAMEDEX_MEDIA_LONGEST_SCAN_BYTES)" in unit["error"]
    assert client.get(f"/items/{item}").json()["facts"].get("frame_count") is None
    never = client.get(f"/items/{item}/frames")
    assert (never.status_code, never.json()["code"]) == (422, "unreadable_media")
    assert "FRAMEDEX_MEDIA_LONGEST_SCAN_BYTES" in never.json()["detail"]


def test_make_frames__of_a_large_remote_video_without_a_table(
    sparing: Live, remote: tuple[httpx.Client, FolderId], web: WebServer
) -> None:
    client, folder = remote
    web.answers["/later.mkv"] = ranged(media_files.video("matroska"))
    item_id, user_id = ItemId(new_id()), sparing.workspace.person(f"other-{new_id()}@example.org").id
    with sparing.workspace.catalog.write() as unit:
        new = NewItem(
            item_id, folder, ItemType.VIDEO, "v", user_id, MediaFacts(), url=web.url("/later.mkv"),
            integration_id=sparing.integration_id,
        )  # fmt: skip
        unit.items.add_many([new], user_id=user_id, now_us=now_us())
    waiting = client.get(f"/items/{item_id}/frames")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "conflict")
    assert f"POST /items/{item_id}/frames" in waiting.json()["detail"]
    started = client.post(f"/items/{item_id}/frames")
    assert started.status_code == 202
    assert int(started.headers["x-framedex-seq"]) > 0
    assert _ended(client, started.json()["job"])["state"] == "done"
    assert client.get(f"/items/{item_id}/frames").json()["frame_count"] == 24


def test_list_frames__of_an_object_that_is_gone(
    sparing: Live, remote: tuple[httpx.Client, FolderId], web: WebServer
) -> None:
    """What was found stays, whatever becomes of the object."""
    client, folder = remote
    web.answers["/gone.mp4"] = ranged(media_files.video())
    (item,) = _registered(client, folder, sparing.integration_id, {"videos": [{"objectUrl": web.url("/gone.mp4")}]})
    web.answers["/gone.mp4"] = status(404)
    assert client.get(f"/items/{item}/frames").json()["frame_count"] == 24
