"""Cloud-synced folders through the SDK, over the files of a `local` integration."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, EncordException, InvalidArgumentsError
from encord.orm.storage import CloudSyncedFolderParams, StorageFolderType, StorageItemType
from encord.storage import StorageFolder

from framedex.core.access import Role
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.protocol.conftest import LiveServer
from tests.protocol.curated import share
from tests.protocol.own_api import own_api
from tests.protocol.people import a_name, added_email
from tests.protocol.registered import Media, add_integration
from tests.protocol.synced import Status, held, is_gone, state, sync, synced_folder

pytestmark = pytest.mark.protocol

_SYNC = (
    "POST storage/folders/{}/cloud-synced-folder-syncs",
    "GET storage/folders/{}/cloud-linked-folder-syncs/{}/long-polling",
)


@pytest.fixture
def media(server: LiveServer) -> Media:
    return Media(server)


@pytest.fixture
def synced(client: EncordUserClient, integration_id: UUID, media: Media) -> StorageFolder:
    return synced_folder(client, integration_id, media.folder.as_uri() + "/")


@pytest.mark.works("POST storage/folders")
def test_create_storage_folder__synced_says_what_it_follows(
    client: EncordUserClient, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    url = media.folder.as_uri() + "/"
    made = synced_folder(client, integration_id, url)
    found = second.get_storage_folder(made.uuid)
    assert (found.folder_type, found.is_cloud_synced) == (StorageFolderType.CLOUD_LINKED, True)
    assert (found.integration_hash, found.remote_url) == (integration_id, url)
    assert list(found.list_items()) == []


def test_create_storage_folder__synced_needs_a_place_of_an_integration_that_is_theirs(
    server: LiveServer, client: EncordUserClient, other: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    url = media.folder.as_uri()
    name = a_name("refused")

    def create(who: EncordUserClient, integration: UUID, remote: str) -> None:
        params = CloudSyncedFolderParams(integration_uuid=integration, remote_url=remote)
        who.create_storage_folder(name, cloud_synced_folder_params=params)

    with pytest.raises(InvalidArgumentsError, match=r"\$\.cloudSyncedFolderParams\.remoteUrl: "):
        create(client, integration_id, "s3://bucket/prefix/")
    with pytest.raises(InvalidArgumentsError, match="remoteUrl"):
        create(client, integration_id, "file:///etc")
    with pytest.raises(AuthorisationError):
        create(client, uuid4(), url)
    with pytest.raises(AuthorisationError):
        create(other, integration_id, url)
    web = add_integration(server, IntegrationConfig(IntegrationKind.HTTP, "https://example.org"))
    with pytest.raises(InvalidArgumentsError, match="a web server cannot be listed"):
        create(client, web, "https://example.org/a/")
    assert list(client.list_storage_folders(search=name)) == []


@pytest.mark.works(*_SYNC)
def test_sync__registers_every_kind_and_leaves_out_what_has_none(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    media.put("a.png", media_files.png(8, 6))
    media.put("deep/er/b c+d%.jpg", media_files.jpeg(32, 24))
    media.put("e.wav", media_files.audio("wav", seconds=0.5))
    media.put("f.pdf", media_files.pdf(2))
    media.put("g.txt", b"rain\n")
    media.put("h.mp4", media_files.video(frames=10, fps=10))
    media.put("unknown.xyz", b"?")
    media.put("slice.dcm", media_files.dicom())
    result = sync(synced)
    found = held(second, synced)
    assert {name: item.item_type for name, item in found.items()} == {
        "a.png": StorageItemType.IMAGE,
        "deep/er/b c+d%.jpg": StorageItemType.IMAGE,
        "e.wav": StorageItemType.AUDIO,
        "f.pdf": StorageItemType.PDF,
        "g.txt": StorageItemType.PLAIN_TEXT,
        "h.mp4": StorageItemType.VIDEO,
    }
    assert (found["a.png"].width, found["h.mp4"].frame_count) == (8, 10)
    assert result.model_dump() == {
        "status": Status.DONE,
        "scan_pages_processing_pending": 0, "scan_pages_processing_done": 1, "scan_pages_processing_error": 0,
        "scan_pages_processing_cancelled": 0, "upload_jobs_pending": 0, "upload_jobs_done": 1, "upload_jobs_error": 0,
        "upload_jobs_units_pending": 0, "upload_jobs_units_done": 6, "upload_jobs_units_error": 0,
        "upload_jobs_units_cancelled": 0,
    }  # fmt: skip


@pytest.mark.works(*_SYNC)
def test_sync__does_exactly_what_changed(
    synced: StorageFolder, client: EncordUserClient, second: EncordUserClient, media: Media
) -> None:
    for name in ("kept.png", "changed.png", "gone.png"):
        media.put(name, media_files.png(8, 6))
    sync(synced)
    first = held(second, synced)
    for name, item in first.items():
        item.update(client_metadata={"of": name})
    before = state(held(second, synced))

    assert sync(synced).upload_jobs_units_done == 0, "nothing changed"
    assert state(held(second, synced)) == before

    media.put("changed.png", media_files.png(64, 48, seed=2))
    media.put("new.png", media_files.png(9, 6))
    (media.folder / "gone.png").unlink()
    assert sync(synced).upload_jobs_units_done == 2
    after = held(second, synced)
    assert {n: (i.uuid, i.client_metadata) for n, i in after.items() if n != "new.png"} == {
        n: (i.uuid, {"of": n}) for n, i in first.items()
    }, "items keep their ids and metadata"
    assert {n: (is_gone(i), i.width) for n, i in after.items()} == {
        "kept.png": (False, 8), "changed.png": (False, 64), "gone.png": (True, 8), "new.png": (False, 9)
    }  # fmt: skip
    assert second.get_storage_folder(synced.uuid).get_summary().tombstones == 1

    media.put("gone.png", media_files.png(8, 6))
    sync(synced)
    back = held(second, synced)["gone.png"]
    assert (back.uuid, is_gone(back), back.client_metadata) == (first["gone.png"].uuid, False, {"of": "gone.png"})
    assert client.get_storage_item(back.uuid, sign_url=True).get_signed_url() is not None


def test_sync__an_item_deleted_by_hand_comes_back_as_a_new_one(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    media.put("a.png", media_files.png())
    sync(synced)
    old = held(second, synced)["a.png"]
    synced.delete_storage_items([old.uuid])
    sync(synced)
    assert held(second, synced)["a.png"].uuid != old.uuid


def test_sync__a_broken_file_is_named_and_the_others_go_on(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    media.put("broken.png", b"no picture")
    media.put("good.png", media_files.png())
    job = synced.sync_private_data_with_cloud_synced_folder_start()
    result = synced.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=60)
    assert (result.status, result.upload_jobs_units_done, result.upload_jobs_units_error) == (Status.DONE, 1, 1)
    assert list(held(second, synced)) == ["good.png"]
    with own_api(server, client) as api:
        units = api.get(f"/jobs/{job}/units", params={"state": "error"}).json()["units"]
    assert [unit["urls"] for unit in units] == [[media.address("broken.png")]]
    assert units[0]["error"].startswith("broken.png: ")
    media.put("broken.png", media_files.png(5, 5))
    assert sync(synced).upload_jobs_units_done == 1, "mended, it is tried again"
    assert held(second, synced)["broken.png"].width == 5


def test_sync__a_folder_that_is_not_there_is_an_error_and_takes_nothing(
    server: LiveServer, client: EncordUserClient, synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    media.put("a.png", media_files.png())
    sync(synced)
    media.folder.rename(media.folder.with_suffix(".away"))
    job = synced.sync_private_data_with_cloud_synced_folder_start()
    result = synced.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=60)
    assert (result.status, result.scan_pages_processing_error) == (Status.ERROR, 1)
    assert not is_gone(held(second, synced)["a.png"])
    with own_api(server, client) as api:
        assert len(api.get(f"/jobs/{job}").json()["problems"]) == 1


def test_sync__more_than_a_stretch_of_the_listing(
    synced: StorageFolder, second: EncordUserClient, media: Media
) -> None:
    for number in range(1010):
        media.put(f"{number % 7}/{number}.txt", b"%d" % number)
    assert sync(synced).scan_pages_processing_done == 2
    found = held(second, synced)
    assert len(found) == 1010
    (media.folder / "0/1001.txt").unlink()
    (media.folder / "3/3.txt").unlink()
    sync(synced)
    gone = [name for name, item in held(second, synced).items() if is_gone(item)]
    assert gone == ["0/1001.txt", "3/3.txt"]


@pytest.mark.works(*_SYNC)
def test_sync__strict_client_only_registers_names_and_sizes(
    server: LiveServer, client: EncordUserClient, second: EncordUserClient, media: Media
) -> None:
    config = IntegrationConfig(IntegrationKind.LOCAL, str(server.media), strict_client_only=True)
    synced = synced_folder(client, add_integration(server, config), media.folder.as_uri())
    media.put("broken.png", b"no picture")
    media.put("a.mp4", b"1234")
    assert sync(synced).upload_jobs_units_done == 2
    assert {n: (i.file_size, i.width) for n, i in held(second, synced).items()} == {
        "broken.png": (10, None), "a.mp4": (4, None)
    }  # fmt: skip
    media.put("a.mp4", b"12345")
    (media.folder / "broken.png").unlink()
    sync(synced)
    assert {n: (i.file_size, is_gone(i)) for n, i in held(second, synced).items()} == {
        "broken.png": (10, True), "a.mp4": (5, False)
    }  # fmt: skip


def test_sync__needs_a_synced_folder_and_the_rights(
    server: LiveServer, client: EncordUserClient, folder: StorageFolder, synced: StorageFolder,
    new_client: Callable[[str], EncordUserClient],
) -> None:  # fmt: skip
    with pytest.raises(InvalidArgumentsError, match="is not cloud-synced"):
        folder.sync_private_data_with_cloud_synced_folder_start()
    job = synced.sync_private_data_with_cloud_synced_folder_start()
    synced.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=60)
    with pytest.raises(InvalidArgumentsError, match="there is no sync"):
        folder.sync_private_data_with_cloud_synced_folder_get_result(job, timeout_seconds=1)
    email = added_email(client)
    member = new_client(email)
    with pytest.raises(AuthorisationError):
        member.get_storage_folder(synced.uuid)
    share(server, synced, email, Role.USER)
    with pytest.raises(AuthorisationError, match="integration"):
        member.get_storage_folder(synced.uuid).sync_private_data_with_cloud_synced_folder_start()


def test_synced_folder__takes_nothing_by_hand(
    client: EncordUserClient, synced: StorageFolder, folder: StorageFolder, media: Media, integration_id: UUID
) -> None:
    url = media.put("a.png", media_files.png())
    local = media.folder / "a.png"
    with pytest.raises(InvalidArgumentsError, match="takes nothing by hand"):
        synced.add_private_data_to_folder_start(str(integration_id), {"images": [{"objectUrl": url}]})
    with pytest.raises(EncordException, match="takes nothing by hand"):
        synced.upload_image(local)
    sync(synced)
    mine = next(iter(synced.list_items()))
    with pytest.raises(InvalidArgumentsError, match="takes nothing by hand"):
        synced.move_items_to_folder(folder, [mine.uuid])
    theirs = folder.upload_image(local)
    with pytest.raises(InvalidArgumentsError, match="takes nothing by hand"):
        folder.move_items_to_folder(synced, [theirs])


def test_synced_folder__is_deleted_with_what_is_known_of_its_objects(
    client: EncordUserClient, synced: StorageFolder, integration_id: UUID, media: Media
) -> None:
    media.put("a.png", media_files.png())
    sync(synced)
    synced.delete()
    again = synced_folder(client, integration_id, media.folder.as_uri())
    sync(again)
    assert [item.name for item in again.list_items()] == ["a.png"]
