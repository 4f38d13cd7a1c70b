"""Pictures over HTTP, of real files registered through the own API. Witness: PyAV decoding a file as a whole."""

from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image

from framedex.auth.openssh import generate_key_pair
from framedex.client.server import Server
from framedex.client.verification import frames_to_verify, verify
from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.ids import ItemId, new_id
from framedex.core.people import UserKey
from framedex.core.ports.catalog import Entity, Op
from tests.builders import media_files
from tests.builders.living import Person, run
from tests.medium.webapi.conftest import Live

_VIDEO = media_files.video("mp4", frames=40)


class Shelf:
    """A folder with items of real files."""

    def __init__(self, live: Live, client: httpx.Client, owner: Person) -> None:
        self._live = live
        self._client = client
        self.folder = live.workspace.folder(owner, "pictures")
        self._files = live.media / new_id()
        self._files.mkdir()

    def put(self, name: str, data: bytes) -> str:
        (self._files / name).write_bytes(data)
        return (self._files / name).as_uri()

    def register(self, kind: str, entry: dict[str, object]) -> str:
        query = {"folder": self.folder, "integration": self._live.integration_id}
        started = self._client.post("/imports", params=query, json={kind: [entry]})
        assert started.status_code == 200, started.text
        job = self._client.get(f"/jobs/{started.json()['job']}").json()
        deadline = time.monotonic() + 60
        while job["state"] not in ("done", "error", "cancelled") and time.monotonic() < deadline:
            time.sleep(0.02)
            job = self._client.get(f"/jobs/{job['uuid']}").json()
        units = self._client.get(f"/jobs/{job['uuid']}/units").json()["units"]
        assert job["state"] == "done", units
        return str(units[0]["items"][0]["uuid"])

    def one(self, kind: str, name: str, data: bytes, **more: object) -> str:
        return self.register(kind, {"objectUrl": self.put(name, data), **more})


@pytest.fixture
def shelf(live: Live, admin_client: httpx.Client, admin: Person) -> Shelf:
    return Shelf(live, admin_client, admin)


def _decoded(data: bytes) -> list[tuple[int, str]]:
    with av.open(io.BytesIO(data), "r") as media:
        frames = [(int(f.pts or 0), f.to_ndarray().tobytes()) for f in media.decode(video=0)]
    return sorted((pts, hashlib.sha256(planes).hexdigest()) for pts, planes in frames)


def _pixels(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image)


def test_get_frame__is_certified(shelf: Shelf, admin_client: httpx.Client) -> None:
    item = shelf.one("videos", "a.mp4", _VIDEO)
    truth = _decoded(_VIDEO)
    for index in (17, 0, 39):
        answer = admin_client.get(f"/items/{item}/frames/{index}/image", params={"format": "png"})
        assert _pixels(answer).shape == (48, 64, 3)
        named = {k.removeprefix("x-framedex-"): v for k, v in answer.headers.items() if k.startswith("x-framedex-")}
        assert named == {
            "frame": str(index),
            "frame-count": "40",
            "object-uuid": item,
            "object-index": str(index),
            "pts": str(truth[index][0]),
            "time-base": "1/12288",
            "time": str(index / 24),
            "key": str(index % 12 == 0).lower(),
            "pixel-format": "yuv420p",
            "sha256": truth[index][1],
            "width": "64",
            "height": "48",
            "rotation": "0",
        }


def test_get_frame__headers_that_keep_browsers_safe_and_quick(shelf: Shelf, admin_client: httpx.Client) -> None:
    item = shelf.one("videos", "a.mp4", _VIDEO)
    first = admin_client.get(f"/items/{item}/frames/3/image")
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["content-disposition"] == "inline"
    again = admin_client.get(f"/items/{item}/frames/3/image", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = admin_client.get(f"/items/{item}/frames/3/image", params={"width": 20})
    assert other.headers["etag"] != first.headers["etag"]
    assert _pixels(other).shape == (15, 20, 3)


def test_get_frame__stepping_decodes_a_run(shelf: Shelf, admin_client: httpx.Client) -> None:
    item = shelf.one("videos", "a.mp4", _VIDEO)
    truth = _decoded(_VIDEO)
    for index in (*range(10, 30), *range(29, 5, -1)):
        answer = admin_client.get(f"/items/{item}/frames/{index}/image")
        assert (answer.headers["x-framedex-frame"], answer.headers["x-framedex-sha256"]) == (
            str(index),
            truth[index][1],
        )


def test_get_frame_at__what_is_on_screen(shelf: Shelf, admin_client: httpx.Client) -> None:
    times = [0, 40, 45, 180, 181, 400, 777, 800, 2000, 2001]
    item = shelf.one("videos", "v.mkv", media_files.video("matroska", times_ms=times))
    for moment, index in ((0, 0), (0.044, 1), (0.045, 2), (1.9, 7), (60, 9)):
        answer = admin_client.get(f"/items/{item}/frame-at/image", params={"time": moment, "width": 16})
        assert answer.headers["x-framedex-frame"] == str(index)
        assert answer.headers["x-framedex-time"] == str(times[index] / 1000)
    assert admin_client.get(f"/items/{item}/frame-at/image", params={"time": -1}).status_code == 400


def test_get_frame_at__without_a_table_has_no_index(shelf: Shelf, admin_client: httpx.Client) -> None:
    """An item with supplied facts has no frame table until somebody asks for a frame by its number."""
    data = media_files.video("matroska", frames=40)
    truth = _decoded(data)
    facts = {"fps": 24, "duration": 1.7, "width": 64, "height": 48, "file_size": 1, "mime_type": "video/x-matroska"}
    item = shelf.one("videos", "v.mkv", data, videoMetadata=facts)
    first = admin_client.get(f"/items/{item}/frames/0/image")
    assert (first.headers["x-framedex-frame"], first.headers["x-framedex-sha256"]) == ("0", truth[0][1])
    assert "x-framedex-frame-count" not in first.headers
    unnamed = admin_client.get(f"/items/{item}/frame-at/image", params={"time": 1.0})
    assert "x-framedex-frame" not in unnamed.headers
    assert unnamed.headers["x-framedex-sha256"] == truth[24][1]
    assert admin_client.get(f"/items/{item}/frames/5/image").headers["x-framedex-sha256"] == truth[5][1]
    named = admin_client.get(f"/items/{item}/frame-at/image", params={"time": 1.0})
    assert (named.headers["x-framedex-frame"], named.headers["x-framedex-sha256"]) == ("24", truth[24][1])
    assert named.headers["x-framedex-pts"] == unnamed.headers["x-framedex-pts"]


def test_list_certificates__ranges(shelf: Shelf, admin_client: httpx.Client) -> None:
    item = shelf.one("videos", "a.ts", media_files.video("mpegts", frames=60))
    truth = _decoded(media_files.video("mpegts", frames=60))
    answer = admin_client.get(f"/items/{item}/frames/certificates", params={"frames": "50,0-5,7"})
    assert answer.status_code == 200, answer.text
    found = answer.json()["certificates"]
    order = [50, 0, 1, 2, 3, 4, 5, 7]
    assert [(one["frame"], one["pts"], one["sha256"]) for one in found] == [(i, *truth[i]) for i in order]
    for wrong in ("", "a", "5-2", "0-100000", "1,,2"):
        assert admin_client.get(f"/items/{item}/frames/certificates", params={"frames": wrong}).status_code == 400


def test_get_frame__images_and_their_groups(shelf: Shelf, admin_client: httpx.Client) -> None:
    colours = [media_files.jpeg(20, 10, seed=seed) for seed in range(3)]
    entry = {f"objectUrl_{i}": shelf.put(f"{i}.jpg", data) for i, data in enumerate(colours)}
    group = shelf.register("image_groups", {"title": "g", **entry})
    hashes = []
    for data in colours:
        with Image.open(io.BytesIO(data)) as image:
            hashes.append(hashlib.sha256(np.asarray(image).tobytes()).hexdigest())
    found = admin_client.get(f"/items/{group}/frames/certificates", params={"frames": "2,0-1"}).json()["certificates"]
    assert [(one["frame"], one["pts"], one["sha256"]) for one in found] == [(i, None, hashes[i]) for i in (2, 0, 1)]
    child = found[0]["object_uuid"]
    assert child != group
    alone = admin_client.get(f"/items/{child}/frames/0/image")
    assert alone.headers["x-framedex-sha256"] == hashes[2]
    assert "x-framedex-pts" not in alone.headers


def test_get_frame__a_child_in_a_folder_of_others_stays_theirs(
    shelf: Shelf, live: Live, admin_client: httpx.Client, admin: Person, other: httpx.Client, stranger: Person
) -> None:
    entry = {f"objectUrl_{i}": shelf.put(f"{i}.jpg", media_files.jpeg(20, 10, seed=i)) for i in range(2)}
    group = shelf.register("image_groups", {"title": "g", **entry})
    found = admin_client.get(f"/items/{group}/frames/certificates", params={"frames": "0-1"}).json()["certificates"]
    elsewhere = live.workspace.folder(admin, "elsewhere")
    with live.workspace.catalog.write() as unit:
        unit.items.move([ItemId(found[1]["object_uuid"])], elsewhere, now_us())
        unit.folders.set_role(shelf.folder, stranger.id, Role.USER)
    assert other.get(f"/items/{group}/frames/0/image").status_code == 200
    hidden = other.get(f"/items/{group}/frames/1/image")
    assert (hidden.status_code, hidden.json()["code"]) == (403, "not_permitted")
    assert other.get(f"/items/{group}/frames/certificates", params={"frames": "0-1"}).status_code == 403
    assert admin_client.get(f"/items/{group}/frames/1/image").status_code == 200


def test_query__frames_of_a_group_say_nothing_of_a_child_in_a_folder_of_others(
    shelf: Shelf, live: Live, admin_client: httpx.Client, admin: Person, other: httpx.Client, stranger: Person
) -> None:
    entry = {f"objectUrl_{i}": shelf.put(f"{i}.jpg", media_files.jpeg(20, 10, seed=i)) for i in range(2)}
    group = shelf.register("image_groups", {"title": "g", **entry})
    found = admin_client.get(f"/items/{group}/frames/certificates", params={"frames": "0-1"}).json()["certificates"]
    key = f"k{new_id().replace('-', '')}"
    for number, one in enumerate(found):
        answer = admin_client.patch(f"/items/{one['object_uuid']}/metadata", json={key: f"value-{number}"})
        assert answer.status_code == 200, answer.text
    with live.workspace.catalog.write() as unit:
        unit.folders.set_role(shelf.folder, stranger.id, Role.USER)

    def seen() -> tuple[list[str], list[str], int]:
        more = {"view": "frames", "min_seq": other.get("/status").json()["seq"], "scope": {"folder": shelf.folder}}
        body = {"filter": f"{key} is not null", "fields": [key], **more}
        rows = other.post("/query", json=body).json()["rows"]
        facets = other.post("/facets", json={"fields": [{"field": key}], **more}).json()["facets"]
        inside = {**more, "view": "items", "filter": f"frames({key} = 'value-1')"}
        count = other.post("/query", json=inside).json()["count"]["value"]
        return [row[key] for row in rows], [b["value"] for b in facets[key]["buckets"]], count

    assert seen() == (["value-0", "value-1"], ["value-0", "value-1"], 1)
    elsewhere = live.workspace.folder(admin, "elsewhere")
    with live.workspace.catalog.write() as unit:
        moved = [ItemId(found[1]["object_uuid"])]
        unit.items.move(moved, elsewhere, now_us())
        unit.log(Entity.ITEM, Op.UPDATE, moved)
    assert seen() == (["value-0"], ["value-0"], 0)


def test_get_frame__is_in_the_audit_log(shelf: Shelf, live: Live, admin_client: httpx.Client, admin: Person) -> None:
    item = shelf.one("images", "a.png", media_files.png())
    admin_client.get(f"/items/{item}/frames/0/image")
    admin_client.get(f"/items/{item}/frames/0/image", params={"width": 4})
    shown = run("audit", "--data", live.workspace.data).stdout
    assert [line for line in shown.splitlines() if "item.picture" in line and item in line] != []


def test_get_frame__slices_of_a_series_in_its_order(shelf: Shelf, admin_client: httpx.Client) -> None:
    series = media_files.dicom_series(5)
    entry = {f"objectUrl_{i}": shelf.put(name, data) for i, (name, data) in enumerate(series)}
    item = shelf.register("dicom_series", {"title": "s", **entry})
    found = admin_client.get(f"/items/{item}/frames/certificates", params={"frames": "0-4"}).json()["certificates"]
    expected = [
        hashlib.sha256(pydicom.dcmread(io.BytesIO(d)).pixel_array.tobytes()).hexdigest() for _, d in sorted(series)
    ]
    assert [one["sha256"] for one in found] == expected
    assert {one["frame_count"] for one in found} == {5}


def test_get_page__and_get_slice(shelf: Shelf, admin_client: httpx.Client) -> None:
    pdf = shelf.one("pdfs", "a.pdf", media_files.pdf(3))
    page = admin_client.get(f"/items/{pdf}/pages/2/image", params={"width": 300})
    assert _pixels(page).shape == (150, 300, 3)
    same = admin_client.get(f"/items/{pdf}/frames/2/image", params={"width": 300})
    assert same.headers["x-framedex-sha256"] == page.headers["x-framedex-sha256"]
    gone = admin_client.get(f"/items/{pdf}/pages/3/image")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert "has 3 pages, counted from 0" in gone.json()["detail"]
    nifti = shelf.one("nifti", "v.nii.gz", media_files.nifti((7, 5, 4)))
    volume = np.arange(7 * 5 * 4, dtype="<i2").reshape(7, 5, 4)
    cut = admin_client.get(f"/items/{nifti}/frames/3/image")
    assert cut.headers["x-framedex-sha256"] == hashlib.sha256(volume[:, :, 3].T.tobytes()).hexdigest()
    assert admin_client.get(f"/items/{nifti}/pages/0/image").status_code == 404


def test_get_frame__refusals(
    shelf: Shelf, live: Live, admin_client: httpx.Client, client: httpx.Client, other: httpx.Client
) -> None:
    item = shelf.one("videos", "a.mp4", _VIDEO)
    gone = admin_client.get(f"/items/{item}/frames/40/image")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert "has 40 frames, counted from 0; there is no number 40" in gone.json()["detail"]
    for wrong in ({"width": 0}, {"width": 100_000}, {"format": "bmp"}):
        assert admin_client.get(f"/items/{item}/frames/0/image", params=wrong).status_code == 400
    assert other.get(f"/items/{item}/frames/0/image").status_code == 403
    assert other.get(f"/items/{item}/frame-at/image", params={"time": 0}).status_code == 403
    assert other.get(f"/items/{item}/frames/certificates", params={"frames": "0"}).status_code == 403
    text = shelf.one("text", "a.txt", b"words")
    assert admin_client.get(f"/items/{text}/frames/0/image").status_code == 404


def test_get_frame__too_large_is_422_and_names_the_setting(shelf: Shelf, admin_client: httpx.Client) -> None:
    item = shelf.one("images", "huge.png", media_files.huge_png())
    answer = admin_client.get(f"/items/{item}/frames/0/image", params={"width": 100})
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_media")
    assert "at most 64000000 are decoded (FRAMEDEX_MEDIA_DECODED_PIXELS)" in answer.json()["detail"]


def test_get_frame__damaged_in_the_middle_is_422_there_alone(shelf: Shelf, admin_client: httpx.Client) -> None:
    """A frame that cannot be decoded has no picture; it never gets its neighbour's."""
    whole = bytearray(media_files.video("mp4", frames=48, width=320, height=240))
    middle = whole.index(b"mdat") + (len(whole) - whole.index(b"mdat")) // 2
    whole[middle : middle + 200] = bytes(200)
    item = shelf.one("videos", "damaged.mp4", bytes(whole))
    answers = [admin_client.get(f"/items/{item}/frames/{i}/image", params={"width": 32}) for i in range(48)]
    assert {answer.status_code for answer in answers} <= {200, 422}
    shown = [answer.headers["x-framedex-frame"] for answer in answers if answer.status_code == 200]
    assert len(shown) > 12
    assert shown == [str(i) for i, answer in enumerate(answers) if answer.status_code == 200]


def _key_of(live: Live, person: Person, path: Path) -> Path:
    pair = generate_key_pair("verify")
    path.write_bytes(pair.private_pem)
    with live.workspace.catalog.write() as unit:
        unit.people.add_key(UserKey(pair.key_hex, person.id, "", now_us()))
    return path


def test_verify__same_and_different(shelf: Shelf, live: Live, admin: Person, tmp_path: Path) -> None:
    item = shelf.one("videos", "a.mp4", _VIDEO)
    common = ("frames", "verify", item, "--server", live.url, "--key", _key_of(live, admin, tmp_path / "key"))
    fetched = run(*common, "--sample", "10")
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    assert "10 frames compared, 0 differ" in fetched.stdout
    (tmp_path / "other.mp4").write_bytes(media_files.video("mp4", frames=40, fps=12))
    different = run(*common, "--frames", "0-39", "--file", tmp_path / "other.mp4")
    assert different.returncode == 1
    assert "DIFFERS: pts" in different.stdout


def test_verify__every_kind(shelf: Shelf, live: Live, admin: Person, tmp_path: Path) -> None:
    series = {f"objectUrl_{i}": shelf.put(n, d) for i, (n, d) in enumerate(media_files.dicom_series(3))}
    video = media_files.video("mpegts", frames=30)
    copy = tmp_path / "copy.ts"
    copy.write_bytes(video)
    items = {
        shelf.one("videos", "a.ts", video): (range(30), copy),
        shelf.one("images", "a.jpg", media_files.jpeg(33, 21, orientation=6)): (range(1), None),
        shelf.register("dicom_series", {"title": "s", **series}): (range(3), None),
        shelf.one("nifti", "v.nii.gz", media_files.nifti()): (range(4), None),
        shelf.one("pdfs", "a.pdf", media_files.pdf(2)): (range(2), None),
    }
    with Server(live.url, admin.token) as server:
        for item, (frames, file) in items.items():
            assert list(frames_to_verify(server, item, sample=99)) == list(frames)
            found = list(verify(server, item, list(frames), file=file))
            assert [comparison.frame for comparison in found] == list(frames)
            assert all(comparison.is_same for comparison in found), found
