"""An object that is another than the one that was registered is marked, and not read as if it were that (issue 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import obstore
import pytest
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.storage import StorageFolder, StorageItem
from encord.utilities.storage.cloud_data_migration import update_storage_item_cloud_info

from tests.builders import media_files
from tests.builders.living import run
from tests.builders.peers import Seaweed, seaweed
from tests.protocol.conftest import LiveServer
from tests.protocol.curated import Server
from tests.protocol.people import a_name
from tests.protocol.registered import Media, register

pytestmark = pytest.mark.protocol

BUCKET = "changing"


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as peer:
        peer.make_bucket(BUCKET)
        yield peer


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


def _content(item: StorageItem) -> httpx.Response:
    url = item.get_signed_url(refetch=True)
    assert url is not None
    return httpx.get(url, timeout=30)


def _own(server: Server, client: EncordUserClient, item: StorageItem, part: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
    return httpx.get(f"{server.url}/api/v1/items/{item.uuid}{part}", headers=headers, timeout=60)


def _changed_at(server: Server, client: EncordUserClient, item: StorageItem) -> str | None:
    found: str | None = _own(server, client, item).json()["object_changed_at"]
    return found


def _registered(folder: StorageFolder, integration_id: UUID, url: str, **more: object) -> StorageItem:
    result = register(folder, integration_id, {"images": [{"objectUrl": url, "title": "a", **more}]})
    assert result.status is LongPollingStatus.DONE
    return next(iter(folder.list_items()))


def test_local__replaced_then_put_back(
    server: Server, folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    url = media.put("a.png", media_files.png(8, 6))
    path = media.folder / "a.png"
    kept = path.stat()
    item = _registered(folder, integration_id, url)
    assert _content(item).status_code == 200
    assert _changed_at(server, second, item) is None
    path.rename(media.folder / "kept.png")
    path.write_bytes(media_files.png(8, 6, seed=1))
    for _ in range(2):
        answer = _content(item)
        assert (answer.status_code, "was replaced since it was registered" in answer.text) == (409, True), answer.text
    assert _changed_at(server, second, item) is not None
    for part in ("content", "thumbnail"):
        own = _own(server, second, item, f"/{part}")
        assert (own.status_code, own.json()["code"]) == (409, "conflict"), own.text
    (media.folder / "kept.png").rename(path)
    assert path.stat().st_mtime_ns == kept.st_mtime_ns
    assert _content(item).content == media_files.png(8, 6)
    assert _changed_at(server, second, item) is None


def test_local__another_size_same_name(folder: StorageFolder, integration_id: UUID, media: Media) -> None:
    item = _registered(folder, integration_id, media.put("a.png", media_files.png(8, 6)))
    media.put("a.png", media_files.png(9, 6))
    answer = _content(item)
    assert answer.status_code == 409
    assert str(item.uuid) in answer.json()["message"]


def test_supplied_facts__never_read_nothing_to_compare(
    server: Server, folder: StorageFolder, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    facts = {"mimeType": "image/png", "fileSize": 1, "width": 8, "height": 6}
    item = _registered(folder, integration_id, media.put("a.png", b"first"), imageMetadata=facts)
    media.put("a.png", b"second")
    assert _content(item).content == b"second"
    assert _changed_at(server, second, item) is None


def test_migrated__what_is_there_now_counts(
    server: Server,
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    integration_id: UUID,
    media: Media,
) -> None:
    item = _registered(folder, integration_id, media.put("a.png", media_files.png(8, 6)))
    (media.folder / "a.png").rename(media.folder / "gone.png")
    media.put("a.png", media_files.png(8, 6))  # Copied: the same bytes with another time.
    assert _content(item).status_code == 409
    update_storage_item_cloud_info(client, item.uuid, new_url=media.address("a.png"))
    assert _changed_at(server, second, item) is None
    assert _content(item).content == media_files.png(8, 6)


def test_image_group__of_an_image_that_was_replaced(folder: StorageFolder, integration_id: UUID, media: Media) -> None:
    item = _registered(folder, integration_id, media.put("a.png", media_files.png(8, 6)))
    media.put("a.png", media_files.png(8, 6, seed=4))
    sequence = {"imageGroupsFromItems": [{"title": "seq", "createVideo": True, "image_items": [str(item.uuid)]}]}
    result = register(folder, integration_id, sequence, ignore_errors=True)
    assert "was replaced since it was registered" in str(result.errors)


def test_bucket__replaced_in_place(
    server: LiveServer, folder: StorageFolder, second: EncordUserClient, weed: Seaweed, tmp_path: Path
) -> None:
    (tmp_path / "credentials.json").write_bytes(weed.credentials)
    added = run(
        "integrations", "add", a_name("bucket"), "--data", server.data, "--kind", "s3", "--root", f"s3://{BUCKET}",
        "--endpoint", weed.endpoint, "--allow-private-addresses", "--credentials", tmp_path / "credentials.json",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    store = weed.store(BUCKET)
    obstore.put(store, "a.png", media_files.png(8, 6))
    item = _registered(folder, UUID(added.stdout.strip()), f"s3://{BUCKET}/a.png")
    direct = str(second.get_storage_item(item.uuid, sign_url=True).get_signed_url())
    assert direct.startswith(weed.endpoint)  # Nobody of us is asked there, so nothing is compared.
    obstore.put(store, "a.png", media_files.png(8, 6, seed=1))
    # A read of the server's own: the group's frames are read to make a video.
    sequence = {"imageGroupsFromItems": [{"title": "seq", "createVideo": True, "image_items": [str(item.uuid)]}]}
    result = register(folder, UUID(added.stdout.strip()), sequence, ignore_errors=True)
    assert "was replaced since it was registered" in str(result.errors)
    assert _changed_at(server, second, item) is not None
    # From now on its address is the server's, which says what is wrong.
    address = str(second.get_storage_item(item.uuid, sign_url=True).get_signed_url())
    assert address.startswith(server.url)
    assert httpx.get(address).status_code == 409
    obstore.put(store, "a.png", media_files.png(8, 6))
    assert httpx.get(address).content == media_files.png(8, 6)
    assert str(second.get_storage_item(item.uuid, sign_url=True).get_signed_url()).startswith(weed.endpoint)
