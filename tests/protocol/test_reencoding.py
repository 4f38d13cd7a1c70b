"""Videos encoded anew through the SDK: folders (v2) and datasets (v1); rights, cancel, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from encord import EncordUserClient
from encord.dataset import Dataset
from encord.exceptions import AuthorisationError, EncordException, InvalidArgumentsError
from encord.orm.dataset import ReEncodeVideoTask, StorageLocation
from encord.orm.storage import JobStatus, ReencodeVideoItemsResponse, StorageItemType
from encord.storage import StorageFolder, StorageItem

from framedex.core.access import Role
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.builders.numbered import numbers_by_ffmpeg, times_by_ffprobe, video_of_numbers
from tests.contract.blobs.web_server import ranged, running_server
from tests.protocol.curated import Server, share
from tests.protocol.own_api import own_api
from tests.protocol.people import a_name, an_email
from tests.protocol.registered import Media, add_integration, items_of, register

pytestmark = pytest.mark.protocol

_V2 = ("POST storage/items/reencode", "GET storage/items/reencode/{}")
_V1 = ("v1 PUT reencodevideotask", "v1 GET reencodevideotask")
_B_FRAMES = ("-c:v", "libx264", "-bf", "2", "-c:a", "aac")
_PATIENCE_S = 120


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


def _settled(folder: StorageFolder, process: UUID) -> ReencodeVideoItemsResponse:
    deadline = time.monotonic() + _PATIENCE_S
    while (found := folder.get_re_encoding_status(process)).status is JobStatus.SUBMITTED:
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.05)
    return found


def _results(found: ReencodeVideoItemsResponse) -> list[dict[str, Any]]:
    assert isinstance(found.result, list)
    return found.result


def _settled_task(dataset: Dataset, job: int) -> ReEncodeVideoTask:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = dataset.re_encode_data_status(job)
        assert isinstance(found, ReEncodeVideoTask)
        if found.status != "SUBMITTED":
            return found
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.05)


def _download(url: str | None, path: Path) -> Path:
    answer = httpx.get(str(url), timeout=60)
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path


def _registered(folder: StorageFolder, integration_id: UUID, **urls: str) -> dict[str, UUID]:
    files = {"videos": [{"objectUrl": url, "title": title} for title, url in urls.items()]}
    assert register(folder, integration_id, files).errors == []
    return {name: item.uuid for name, item in _items(folder).items()}


def _items(folder: StorageFolder) -> dict[str, StorageItem]:
    return {item.name: item for item in folder.list_items(page_size=1000)}


@pytest.mark.works(*_V2)
def test_re_encode_videos__makes_a_video_beside_the_original(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media, tmp_path: Path, server: Server
) -> None:
    kept = [n for n in range(50) if n % 5 != 2]
    uneven = ("-vf", "select='not(eq(mod(n,5),2))'", "-fps_mode", "vfr", *_B_FRAMES)
    old = media.put("uneven.mp4", video_of_numbers(tmp_path / "uneven.mp4", 50, *uneven, sound=True))
    before = (media.folder / "uneven.mp4").read_bytes()
    ids = _registered(folder, integration_id, uneven=old)
    process = folder.re_encode_videos([ids["uneven"]], "to a constant rate", force_full_reencoding=True)

    found = _settled(second.get_storage_folder(folder.uuid), process)
    assert found.status is JobStatus.DONE
    (result,) = _results(found)
    items = items_of(second, folder)
    assert sorted(items) == ["uneven", "uneven (re-encoded)"]
    new = second.get_storage_item(items["uneven (re-encoded)"].uuid, sign_url=True)
    assert result == {
        "storageItem": str(ids["uneven"]), "status": "done", "reencodedItem": str(new.uuid), "error": None,
        "title": "uneven (re-encoded)", "alreadyThere": False, "frameRate": "25", "frameCount": 50,
        "keepsFrameNumbers": False, "lostFrames": 0,
    }  # fmt: skip
    assert (new.item_type, new.mime_type, new.frame_count, new.fps) == (StorageItemType.VIDEO, "video/mp4", 50, 25)
    assert (new.width, new.height, new.storage_location.value) == (96, 64, "encord")
    video = _download(new.get_signed_url(), tmp_path / "new.mp4")
    shown = [max(k for k in kept if k <= n) for n in range(50)]
    assert numbers_by_ffmpeg(video) == shown
    assert times_by_ffprobe(video) == pytest.approx([n / 25 for n in range(50)])
    assert (media.folder / "uneven.mp4").read_bytes() == before
    assert items["uneven"].url == old

    with own_api(server, second) as api:
        answer = api.get(f"/items/{new.uuid}/frame-map").raise_for_status().json()
        assert api.get(f"/items/{ids['uneven']}/frame-map").status_code == 404
    assert (answer["source_uuid"], answer["rate"], answer["frame_count"]) == (str(ids["uneven"]), "25", 50)
    assert answer["starts"] == kept


@pytest.mark.works(*_V2)
def test_re_encode_videos__makes_nothing_twice_unless_forced(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media, tmp_path: Path
) -> None:
    old = media.put("a.mp4", video_of_numbers(tmp_path / "a.mp4", 10, *_B_FRAMES))
    (item_id,) = _registered(folder, integration_id, a=old).values()
    reader = second.get_storage_folder(folder.uuid)

    def again(wanted: UUID, *, forced: bool) -> dict[str, Any]:
        process = folder.re_encode_videos([wanted, wanted], "", force_full_reencoding=forced)
        (result,) = _results(_settled(reader, process))
        return result

    first = again(item_id, forced=False)
    assert (first["alreadyThere"], first["keepsFrameNumbers"]) == (False, True)
    known = again(item_id, forced=False)
    assert (known["alreadyThere"], known["reencodedItem"]) == (True, first["reencodedItem"])
    own = again(UUID(first["reencodedItem"]), forced=False)
    assert (own["alreadyThere"], own["reencodedItem"]) == (True, first["reencodedItem"])
    forced = again(item_id, forced=True)
    assert forced["alreadyThere"] is False
    assert forced["reencodedItem"] != first["reencodedItem"]
    folder.delete_storage_items([UUID(first["reencodedItem"]), UUID(forced["reencodedItem"])])
    assert again(item_id, forced=False)["alreadyThere"] is False


@pytest.mark.works(*_V2)
def test_re_encode_videos__uploads_and_web_servers(
    folder: StorageFolder, second: EncordUserClient, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "up.mkv"
    data = video_of_numbers(path, 15, *_B_FRAMES)
    ids = [folder.upload_video(path)]
    with running_server() as web:
        web.answers["/remote.mkv"] = ranged(data)
        config = IntegrationConfig(IntegrationKind.HTTP, web.url(""), allow_private_addresses=True)
        ids.append(_registered(folder, add_integration(server, config), remote=web.url("/remote.mkv"))["remote"])
        process = folder.re_encode_videos(ids, "both", force_full_reencoding=False)
        found = _settled(second.get_storage_folder(folder.uuid), process)
    assert found.status is JobStatus.DONE, found.result
    for number, result in enumerate(_results(found)):
        new = second.get_storage_item(UUID(result["reencodedItem"]), sign_url=True)
        assert numbers_by_ffmpeg(_download(new.get_signed_url(), tmp_path / f"{number}.mp4")) == list(range(15))


def test_re_encode_videos__one_that_fails_holds_up_no_other(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media, tmp_path: Path
) -> None:
    good = media.put("good.mp4", video_of_numbers(tmp_path / "a.mp4", 10, *_B_FRAMES))
    gone = media.put("gone.mp4", media_files.video())
    ids = _registered(folder, integration_id, good=good, gone=gone)
    (media.folder / "gone.mp4").unlink()
    process = folder.re_encode_videos([ids["gone"], ids["good"]], "two", force_full_reencoding=True)
    found = _settled(second.get_storage_folder(folder.uuid), process)
    assert found.status is JobStatus.ERROR
    bad, well = _results(found)
    assert (bad["status"], bad["reencodedItem"]) == ("error", None)
    assert "no such" in str(bad["error"]) or "not" in str(bad["error"])
    assert (well["status"], well["storageItem"]) == ("done", str(ids["good"]))


def test_re_encode_videos__what_is_refused(
    folder: StorageFolder, other: EncordUserClient, integration_id: UUID, media: Media, server: Server
) -> None:
    ids = _registered(folder, integration_id, v=media.put("v.mp4", media_files.video()))
    image = {"images": [{"objectUrl": media.put("i.png", media_files.png()), "title": "i"}]}
    register(folder, integration_id, image)
    picture = _items(folder)["i"].uuid
    with pytest.raises(InvalidArgumentsError, match=r"storageItems\[1\]: item .* is of type image; only videos"):
        folder.re_encode_videos([ids["v"], picture], "", force_full_reencoding=True)
    with pytest.raises(InvalidArgumentsError, match="from 1 to 1000 videos"):
        folder.re_encode_videos([], "", force_full_reencoding=True)
    with pytest.raises(AuthorisationError):
        folder.re_encode_videos([uuid4()], "", force_full_reencoding=True)
    with pytest.raises(AuthorisationError):
        folder.get_re_encoding_status(uuid4())

    facts = {"fps": 24.0, "duration": 1.0, "width": 64, "height": 48, "fileSize": 9, "mimeType": "video/mp4"}
    strict = add_integration(
        server, IntegrationConfig(IntegrationKind.LOCAL, str(server.media), strict_client_only=True)
    )
    files = {"videos": [{"objectUrl": media.address("v.mp4"), "title": "strict", "videoMetadata": facts}]}
    assert register(folder, strict, files).errors == []
    with pytest.raises(AuthorisationError, match="strict client-only integration"):
        folder.re_encode_videos([_items(folder)["strict"].uuid], "", force_full_reencoding=True)


def test_re_encode_videos__needs_a_role_on_the_folder(
    folder: StorageFolder,
    new_client: Callable[[str], EncordUserClient],
    other: EncordUserClient,
    integration_id: UUID,
    media: Media,
    server: Server,
) -> None:
    (item_id,) = _registered(folder, integration_id, v=media.put("v.mp4", media_files.video())).values()
    with pytest.raises(AuthorisationError):
        other.create_storage_folder(a_name("own")).re_encode_videos([item_id], "", force_full_reencoding=True)
    email = an_email()
    user = new_client(email)
    share(server, folder, email, Role.USER)
    theirs = user.get_storage_folder(folder.uuid)
    process = theirs.re_encode_videos([item_id], "", force_full_reencoding=True)
    assert _settled(theirs, process).status is JobStatus.DONE
    with pytest.raises(AuthorisationError):
        other.create_storage_folder(a_name("own")).get_re_encoding_status(process)


# ------------------------------------------------------------------------------------------------------ datasets


@pytest.fixture
def dataset(client: EncordUserClient) -> Dataset:
    made = client.create_dataset(a_name("videos"), StorageLocation.CORD_STORAGE)
    return client.get_dataset(made.dataset_hash)


@pytest.mark.works(*_V1)
def test_re_encode_data__answers_where_the_new_videos_are(
    dataset: Dataset, second: EncordUserClient, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    video_of_numbers(path, 12, *_B_FRAMES)
    dataset.upload_video(path, title="a")
    row = second.get_dataset(dataset.dataset_hash).data_rows[0]
    job = dataset.re_encode_data([row.uid, str(uuid4())])
    assert isinstance(job, int)
    task = _settled_task(second.get_dataset(dataset.dataset_hash), job)
    assert task.status == "DONE"
    assert task.result is not None
    (result,) = task.result
    assert result.data_hash == row.uid
    assert numbers_by_ffmpeg(_download(result.signed_url, tmp_path / "new.mp4")) == list(range(12))
    new = [r for r in second.get_dataset(dataset.dataset_hash).data_rows if r.uid != row.uid]
    # its folder is mirrored: what comes into it is linked
    assert [(r.title, r.frames_per_second) for r in new] == [("a (re-encoded)", 25)]
    assert second.get_storage_item(new[0].backing_item_uuid).url == result.bucket_path


def test_re_encode_data__what_is_refused(
    dataset: Dataset, client: EncordUserClient, second: EncordUserClient, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(media_files.png())
    dataset.upload_image(picture)
    row = second.get_dataset(dataset.dataset_hash).data_rows[0]
    with pytest.raises(EncordException, match="only videos are re-encoded"):
        dataset.re_encode_data([row.uid])
    with pytest.raises(EncordException, match="none of these is a data row"):
        dataset.re_encode_data([str(uuid4())])
    with pytest.raises(EncordException):
        dataset.re_encode_data_status(7)
    elsewhere = client.get_dataset(client.create_dataset(a_name("else"), StorageLocation.CORD_STORAGE).dataset_hash)
    with pytest.raises(EncordException, match="none of these is a data row"):
        elsewhere.re_encode_data([row.uid])


# ---------------------------------------------------------------------------------------------------------- jobs


def test_jobs__show_progress_and_cancel(
    folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media, tmp_path: Path, server: Server
) -> None:
    noise = ("-vf", "noise=alls=80:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
    long = video_of_numbers(tmp_path / "long.mp4", 400, *noise, width=640, height=360)
    ids = _registered(folder, integration_id, long=media.put("long.mp4", long), next=media.put("b.mp4", long))
    process = folder.re_encode_videos([ids["long"], ids["next"]], "for a while", force_full_reencoding=True)
    with own_api(server, second) as api:
        deadline = time.monotonic() + _PATIENCE_S
        while (first := api.get(f"/jobs/{process}/units").json()["units"][0])["progress"] is None:
            assert time.monotonic() < deadline
            assert first["state"] == "waiting"
            time.sleep(0.02)
        assert 0 <= first["progress"] < 1
        job = api.get(f"/jobs/{process}").json()
        assert (job["kind"], job["title"], job["state"]) == ("reencode", "for a while", "applying")
        assert api.post(f"/jobs/{process}/cancel").json() == {"units": 2}
        assert api.get(f"/jobs/{process}").json()["state"] == "cancelled"
    found = _settled(folder, process)
    assert found.status is JobStatus.ERROR
    assert [result["status"] for result in _results(found)] == ["cancelled", "cancelled"]
    # what was encoded in vain is not kept, and the next job is not held up by it
    short = _registered(folder, integration_id, s=media.put("s.mp4", media_files.video()))["s"]
    assert _settled(folder, folder.re_encode_videos([short], "", force_full_reencoding=True)).status is JobStatus.DONE
    assert sorted(items_of(second, folder)) == ["long", "next", "s", "s (re-encoded)"]
