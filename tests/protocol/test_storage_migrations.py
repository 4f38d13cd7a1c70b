"""Items whose objects moved, through `update_storage_item_cloud_info` (sdk-protocol 2.3, A38)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.http.bundle import Bundle
from encord.orm.dataset import StorageLocation
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder, StorageItem
from encord.utilities.storage.cloud_data_migration import update_storage_item_cloud_info

from framedex.core.access import Role
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.protocol.curated import Server, raw, share
from tests.protocol.people import a_name, an_email
from tests.protocol.registered import Media, add_integration, items_of, register
from tests.protocol.synced import held, sync, synced_folder

pytestmark = pytest.mark.protocol


@pytest.fixture
def media(server: Server) -> Media:
    return Media(server)


@pytest.fixture
def elsewhere(server: Server, tmp_path: Path) -> UUID:
    """An integration on another folder."""
    return add_integration(server, IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path.resolve())))


class Images:
    """Registered images, by name; each was read."""

    def __init__(self, media: Media, folder: StorageFolder, integration_id: UUID, count: int) -> None:
        self.data = {f"{n}.png": media_files.png(8 + n, 6, seed=n) for n in range(count)}
        self.urls = {name: media.put(name, data) for name, data in self.data.items()}
        images = [{"objectUrl": url, "title": name} for name, url in self.urls.items()]
        assert register(folder, integration_id, {"images": images}).errors == []

    def moved(self, media: Media, name: str) -> str:
        """Moves the file; answers its new address."""
        path = media.folder / name
        (media.folder / "moved").mkdir(exist_ok=True)
        path.rename(media.folder / "moved" / name)
        return media.address(f"moved/{name}")


@pytest.fixture
def images(media: Media, folder: StorageFolder, integration_id: UUID) -> Images:
    return Images(media, folder, integration_id, 4)


def _group(title: str, urls: Sequence[str], **options: object) -> dict[str, Any]:
    objects = {f"objectUrl_{number}": url for number, url in enumerate(urls)}
    return {"imageGroups": [{"title": title, "createVideo": False, **objects}], **options}


def _read(item: StorageItem) -> requests.Response:
    url = item.get_signed_url(refetch=True)
    assert url is not None
    return requests.get(url, timeout=30)


# --------------------------------------------------------------------------------------------------- what is migrated
@pytest.mark.works("POST storage/items/migrate-storage")
def test_by_uuid__an_object_that_moved(
    client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, images: Images, media: Media
) -> None:
    item = items_of(client, folder)["0.png"]
    new_url = images.moved(media, "0.png")
    assert _read(item).status_code == 404
    update_storage_item_cloud_info(client, item.uuid, new_url=new_url)
    found = second.get_storage_item(item.uuid)
    assert (found.url, found.name, found.width) == (new_url, "0.png", 8)
    assert _read(found).content == images.data["0.png"]


@pytest.mark.works("POST storage/items/migrate-storage")
def test_by_item_and_by_url__in_one_bundle(
    client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, images: Images, media: Media
) -> None:
    before = items_of(client, folder)
    new = {name: images.moved(media, name) for name in images.data}
    with Bundle() as bundle:
        update_storage_item_cloud_info(client, before["0.png"], new_url=new["0.png"], bundle=bundle)
        update_storage_item_cloud_info(client, before["1.png"].uuid, new_url=new["1.png"], bundle=bundle)
        update_storage_item_cloud_info(client, images.urls["2.png"], new_url=new["2.png"], bundle=bundle)
        update_storage_item_cloud_info(
            client, images.urls["3.png"], new_url=new["3.png"], verify_access=False, bundle=bundle
        )
    after = items_of(second, folder)
    assert {name: item.url for name, item in after.items()} == new
    assert {name: item.uuid for name, item in after.items()} == {name: item.uuid for name, item in before.items()}
    assert all(_read(item).content == images.data[name] for name, item in after.items())


@pytest.mark.works("POST storage/items/migrate-storage")
def test_new_integration__the_address_stays_or_changes(
    client: EncordUserClient,
    second: EncordUserClient,
    server: Server,
    folder: StorageFolder,
    images: Images,
    elsewhere: UUID,
    integration_id: UUID,
    tmp_path: Path,
) -> None:
    before = items_of(client, folder)
    wider = add_integration(server, IntegrationConfig(IntegrationKind.LOCAL, str(server.media)))
    update_storage_item_cloud_info(client, before["0.png"], new_cloud_integration=wider)
    (tmp_path / "1.png").write_bytes(images.data["1.png"])
    update_storage_item_cloud_info(
        client,
        before["1.png"],
        new_url=(tmp_path.resolve() / "1.png").as_uri(),
        new_cloud_integration=elsewhere,
        from_cloud_integration=integration_id,
    )
    after = items_of(second, folder)
    assert (after["0.png"].url, after["0.png"].integration_hash) == (images.urls["0.png"], wider)
    assert (after["1.png"].url, after["1.png"].integration_hash) == ((tmp_path.resolve() / "1.png").as_uri(), elsewhere)
    assert after["2.png"].integration_hash == integration_id
    assert _read(after["1.png"]).content == images.data["1.png"]


@pytest.mark.works("POST storage/items/migrate-storage")
def test_by_url__every_item_with_the_address_that_the_caller_may_edit(
    client: EncordUserClient,
    second: EncordUserClient,
    new_client: Callable[[str], EncordUserClient],
    server: Server,
    folder: StorageFolder,
    images: Images,
    media: Media,
    integration_id: UUID,
) -> None:
    again = client.create_storage_folder(a_name("again"))
    register(again, integration_id, {"images": [{"objectUrl": images.urls["0.png"], "title": "0.png"}]})
    new_url = images.moved(media, "0.png")
    update_storage_item_cloud_info(client, images.urls["0.png"], new_url=new_url)
    assert [items_of(second, place)["0.png"].url for place in (folder, again)] == [new_url, new_url]
    email = an_email()
    stranger = new_client(email)
    with pytest.raises(AuthorisationError, match="no item with this address"):
        update_storage_item_cloud_info(stranger, new_url, new_url=images.urls["0.png"])


@pytest.mark.works("POST storage/items/migrate-storage")
def test_skip_missing__and_the_integration_that_is_meant(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    images: Images,
    media: Media,
    elsewhere: UUID,
) -> None:
    item = items_of(client, folder)["0.png"]
    new_url = images.moved(media, "0.png")
    with Bundle() as bundle:
        for named in (uuid4(), item.uuid, "file:///nobody/has/this.png"):
            update_storage_item_cloud_info(client, named, new_url=new_url, skip_missing=True, bundle=bundle)
    assert second.get_storage_item(item.uuid).url == new_url
    # "No update will be performed" where the integration is another one: then the item is one that is missing.
    update_storage_item_cloud_info(
        client,
        item.uuid,
        new_url=images.urls["0.png"],
        from_cloud_integration=elsewhere,
        verify_access=False,
        skip_missing=True,
    )
    assert second.get_storage_item(item.uuid).url == new_url
    with pytest.raises(InvalidArgumentsError, match=f"is none of the integration {elsewhere}"):
        update_storage_item_cloud_info(
            client, item.uuid, new_url=images.urls["0.png"], from_cloud_integration=elsewhere, verify_access=False
        )
    with pytest.raises(AuthorisationError, match=f"of the integration {elsewhere}"):
        update_storage_item_cloud_info(client, new_url, new_url=new_url, from_cloud_integration=elsewhere)


# ---------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize("wrong", ["missing item", "missing file", "other file", "outside", "group"])
def test_all_or_none__one_of_a_bundle_cannot_be_migrated(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    images: Images,
    media: Media,
    integration_id: UUID,
    wrong: str,
) -> None:
    register(folder, integration_id, _group("group", [images.urls["2.png"], images.urls["3.png"]]))
    found = {i.name: i for i in folder.list_items(page_size=100) if i.url != images.urls["2.png"]}
    media.put("larger.png", media_files.png(90, 90))
    named, new_url, message = {
        "missing item": (uuid4(), media.address("1.png"), "not shared with you"),
        "missing file": (found["1.png"].uuid, media.address("nowhere.png"), "cannot be read"),
        "other file": (found["1.png"].uuid, media.address("larger.png"), "another object"),
        "outside": (found["1.png"].uuid, "file:///etc/hostname", "outside"),
        "group": (found["group"].uuid, media.address("1.png"), "name its child items"),
    }[wrong]
    good = images.moved(media, "0.png")
    bundle = Bundle()
    update_storage_item_cloud_info(client, found["0.png"], new_url=good, bundle=bundle)
    update_storage_item_cloud_info(client, named, new_url=new_url, bundle=bundle)
    with pytest.raises((InvalidArgumentsError, AuthorisationError), match=message):
        bundle.execute()
    assert second.get_storage_item(found["0.png"].uuid).url == images.urls["0.png"]


def test_uploads__are_not_in_an_integration(client: EncordUserClient, folder: StorageFolder, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(media_files.png())
    item = folder.upload_image(tmp_path / "a.png")
    with pytest.raises(InvalidArgumentsError, match="its bytes are our own"):
        update_storage_item_cloud_info(client, item, new_url="file:///x.png")


def test_synced_folder__its_items_follow_the_bucket(
    client: EncordUserClient, second: EncordUserClient, integration_id: UUID, media: Media
) -> None:
    url = media.put("a.png", media_files.png())
    followed = synced_folder(client, integration_id, media.folder.as_uri() + "/")
    sync(followed)
    item = held(client, followed)["a.png"]
    with pytest.raises(InvalidArgumentsError, match="sync the folder"):
        update_storage_item_cloud_info(client, item, new_url=media.address("b.png"), verify_access=False)
    assert second.get_storage_item(item.uuid).url == url


def test_rights__the_folder_and_the_integration(
    client: EncordUserClient,
    second: EncordUserClient,
    new_client: Callable[[str], EncordUserClient],
    server: Server,
    folder: StorageFolder,
    images: Images,
) -> None:
    item = items_of(client, folder)["0.png"]
    email = an_email()
    member = new_client(email)
    with pytest.raises(AuthorisationError, match="not shared with you"):
        update_storage_item_cloud_info(member, item.uuid, new_url=images.urls["1.png"])
    share(server, folder, email, Role.USER)
    # They may edit the item, but register nothing with the integration.
    with pytest.raises(AuthorisationError, match="integration"):
        update_storage_item_cloud_info(member, item.uuid, new_url=images.urls["1.png"])
    assert second.get_storage_item(item.uuid).url == images.urls["0.png"]


def test_raw__nothing_to_change_and_too_many(
    client: EncordUserClient, server: Server, folder: StorageFolder, images: Images
) -> None:
    item = items_of(client, folder)["0.png"]
    with raw(server, client) as http:
        for body, message in (
            ({"itemsMap": {str(item.uuid): None}, "urlsMap": {}}, "$.itemsMap"),
            ({"itemsMap": {}, "urlsMap": {f"file:///{n}": "file:///x" for n in range(1001)}}, "1000"),
            ({"itemsMap": {"not-an-id": "file:///x"}}, "$.itemsMap"),
        ):
            answer = http.post("/storage/items/migrate-storage", json=body)
            assert (answer.status_code, message in answer.text) == (400, True), answer.text
        empty = http.post("/storage/items/migrate-storage", json={"itemsMap": {}, "urlsMap": {}})
        assert empty.status_code == 200
        target = {"itemsMap": {str(item.uuid): images.urls["0.png"]}, "urlsMap": {}, "validateAccess": True}
        moved = http.post("/storage/items/migrate-storage", json=target)
        assert (moved.status_code, moved.text) == (200, "null")
        assert int(moved.headers["X-Framedex-Seq"]) > 0


# ------------------------------------------------------------------------------------------------- duplicates follow
@pytest.mark.works("POST storage/items/migrate-storage")
def test_duplicates__are_those_of_the_new_address(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    images: Images,
    media: Media,
    integration_id: UUID,
) -> None:
    item = items_of(client, folder)["0.png"]
    new_url = images.moved(media, "0.png")
    update_storage_item_cloud_info(client, item, new_url=new_url)
    media.put("0.png", media_files.png(50, 50, seed=9))
    wanted = {"images": [{"objectUrl": new_url}, {"objectUrl": images.urls["0.png"], "title": "new"}]}
    result = register(folder, integration_id, {**wanted, "skip_duplicate_urls": True})
    assert result.items_with_names[0].item_uuid == item.uuid
    after = items_of(second, folder)
    assert set(after) == {*images.data, "new"}


@pytest.mark.works("POST storage/items/migrate-storage")
def test_duplicates__groups_and_dataset_links_follow_their_children(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    images: Images,
    media: Media,
    integration_id: UUID,
) -> None:
    made = register(folder, integration_id, _group("group", list(images.urls.values())))
    group = made.items_with_names[0].item_uuid
    dataset = client.create_dataset(a_name("set"), StorageLocation.CORD_STORAGE)
    linked = client.get_dataset(dataset.dataset_hash)
    linked.link_items([group])
    children = client.get_storage_item(group).get_child_items()
    new = [images.moved(media, name) for name in images.data]
    with Bundle() as bundle:
        for child, url in zip(children, new, strict=True):
            update_storage_item_cloud_info(client, child.uuid, new_url=url, bundle=bundle)
    assert [child.url for child in second.get_storage_item(group).get_child_items()] == new
    sent = _group("same", new, skip_duplicate_urls=True)
    again = register(folder, integration_id, sent)
    assert [i.item_uuid for i in again.items_with_names] == [group]
    job = linked.add_private_data_to_dataset_start(str(integration_id), sent)
    linked.add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    assert len(second.get_dataset(dataset.dataset_hash).list_data_rows()) == 1
    kinds = [i.item_type for i in second.get_storage_folder(folder.uuid).list_items(page_size=100)]
    assert kinds.count(StorageItemType.IMAGE_GROUP) == 1


def test_swap__two_items_take_each_others_address(
    client: EncordUserClient,
    second: EncordUserClient,
    folder: StorageFolder,
    images: Images,
    integration_id: UUID,
) -> None:
    before = items_of(client, folder)
    with Bundle() as bundle:
        for name, other in (("0.png", "1.png"), ("1.png", "0.png")):
            update_storage_item_cloud_info(
                client, before[name], new_url=images.urls[other], verify_access=False, bundle=bundle
            )
    after = items_of(second, folder)
    assert [after[n].url for n in ("0.png", "1.png")] == [images.urls["1.png"], images.urls["0.png"]]
    wanted = {"images": [{"objectUrl": images.urls["0.png"]}], "skip_duplicate_urls": True}
    assert register(folder, integration_id, wanted).items_with_names[0].item_uuid == before["1.png"].uuid


# ---------------------------------------------------------------------------------- integrations that are never read
@pytest.mark.works("POST storage/items/migrate-storage")
def test_strict_client_only__the_address_is_checked_and_nothing_is_read(
    client: EncordUserClient,
    second: EncordUserClient,
    server: Server,
    folder: StorageFolder,
    images: Images,
    tmp_path: Path,
) -> None:
    strict = add_integration(
        server, IntegrationConfig(IntegrationKind.LOCAL, str(tmp_path.resolve()), strict_client_only=True)
    )
    item = items_of(client, folder)["0.png"]
    absent = (tmp_path.resolve() / "nobody reads this.png").as_uri()
    with pytest.raises(InvalidArgumentsError, match="outside"):
        update_storage_item_cloud_info(client, item, new_cloud_integration=strict)
    update_storage_item_cloud_info(client, item, new_url=absent, new_cloud_integration=strict)
    assert second.get_storage_item(item.uuid).url == absent
