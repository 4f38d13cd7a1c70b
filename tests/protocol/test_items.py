"""Items through the SDK: read, update, children, summary (sdk-protocol 2.3; sequences 11, 25 and 26)."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID, uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.http.bundle import Bundle
from encord.orm.storage import StorageItemType, StorageLocationName
from encord.storage import StorageFolder, StorageItem

from tests.builders.living import png_files
from tests.protocol.curated import Server, register
from tests.protocol.people import a_name
from tests.protocol.signing import call
from tests.protocol.wire import recorded

pytestmark = pytest.mark.protocol

METADATA = {"Zähler": 1.50, "nested": {"null": None, "list": [1, "ü", True]}, "日本": "\U0001f30d"}


@pytest.fixture
def images(server: Server, folder: StorageFolder) -> list[UUID]:
    return register(server, folder, [(f"image {number}", {"n": number}) for number in range(5)])


def registered_group(server: Server, folder: StorageFolder, client: EncordUserClient, title: str) -> StorageItem:
    """An image group of three real files."""
    names = [f"{uuid4()}.png" for _ in range(3)]
    png_files(server.media, names)
    addresses = {f"objectUrl_{n}": f"file://{server.media}/{name}" for n, name in enumerate(names)}
    manifest = {"image_groups": [{"title": title, "createVideo": False, **addresses}]}
    job = folder.add_private_data_to_folder_start(str(server.integration_id), manifest)
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    assert result.unit_errors == []
    (group,) = (i.item_uuid for i in result.items_with_names if i.name == title)
    return client.get_storage_item(group)


# -------------------------------------------------------------------------------------------------------------- read


@pytest.mark.works("GET storage/items/{}")
def test_get_storage_item__has_all_facts(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    (item_id,) = register(server, folder, [("Bild ü.png", METADATA)])
    item = second.get_storage_item(str(item_id))
    assert (item.uuid, item.name, item.item_type) == (item_id, "Bild ü.png", StorageItemType.IMAGE)
    assert item.client_metadata == METADATA
    assert (item.file_size, item.width, item.height, item.mime_type) == (10, 4, 3, "image/png")
    assert (item.parent_folder_uuid, item._orm_item.description, item.frame_count) == (folder.uuid, "", None)
    assert item.storage_location is StorageLocationName.DIRECT_ACCESS
    assert item.url == f"file://{server.media}/{folder.uuid}-0.png"
    assert item.integration_hash == UUID(server.integration_id)
    assert client.get_storage_item(item_id).created_at == item.created_at


def test_get_storage_item__missing_and_hidden_are_told_alike(
    images: list[UUID], client: EncordUserClient, other: EncordUserClient
) -> None:
    for who, item_id in ((client, uuid4()), (other, images[0])):
        with pytest.raises(AuthorisationError, match=f"There is no item {item_id} that you may use"):
            who.get_storage_item(item_id)


def test_get_storage_item__signed_when_asked(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    (item_id,) = register(server, folder, [("signed", {})])
    (server.media / f"{folder.uuid}-0.png").write_bytes(b"the bytes")
    assert client.get_storage_item(item_id)._orm_item.signed_url is None
    first = second.get_storage_item(item_id, sign_url=True).get_signed_url()
    later = client.get_storage_item(item_id).get_signed_url()
    assert first is not None
    assert later is not None
    assert requests.get(first, timeout=10).content == requests.get(later, timeout=10).content == b"the bytes"


@pytest.mark.works("POST storage/items/get-bulk")
def test_get_storage_items__in_the_order_asked_for(
    images: list[UUID], client: EncordUserClient, second: EncordUserClient
) -> None:
    client.get_storage_item(images[3]).update(name="renamed")
    wanted = [images[3], images[0], images[4], images[0]]
    found = second.get_storage_items(wanted, sign_url=True)
    assert [item.uuid for item in found] == wanted
    assert [item.name for item in found] == ["renamed", "image 0", "image 4", "image 0"]
    assert [item.client_metadata for item in found] == [{"n": n} for n in (3, 0, 4, 0)]
    assert all(item._orm_item.signed_url for item in found)


def test_get_storage_items__one_missing_refuses_all(images: list[UUID], client: EncordUserClient) -> None:
    with pytest.raises(AuthorisationError, match="There is no item"):
        client.get_storage_items([images[0], uuid4()])


def test_get_bulk__over_a_thousand_is_refused(server: Server, client: EncordUserClient) -> None:
    body = {"itemUuids": [str(uuid4())] * 1001, "signUrls": False}
    answer = call(server, client, "POST", "storage/items/get-bulk", body=body)
    assert answer.status_code == 400
    assert answer.json()["message"] == "at most 1000 items in one request; this has 1001"


def test_item__has_every_key_of_its_dto(server: Server, client: EncordUserClient, images: list[UUID]) -> None:
    found = call(server, client, "GET", f"storage/items/{images[0]}").json()
    assert set(found) == {
        "uuid", "parent", "itemType", "name", "description", "clientMetadata", "owner", "createdAt", "lastEditedAt",
        "isTombstone", "isPlaceholder", "backedDataUnitsCount", "storageLocation", "integrationHash", "url",
        "signedUrl", "fileSize", "mimeType", "duration", "fps", "height", "width", "dicomInstanceUid",
        "dicomStudyUid", "dicomSeriesUid", "frameCount", "audioSampleRate", "audioBitDepth", "audioCodec",
        "audioNumChannels", "timeseriesSettings",
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ update


@pytest.mark.works("PATCH storage/folders/{}/items/{}")
def test_update__name_and_metadata(images: list[UUID], client: EncordUserClient, second: EncordUserClient) -> None:
    item = client.get_storage_item(images[0])
    item.update(name="neu ü", description="items have none", client_metadata=METADATA)
    found = second.get_storage_item(images[0])
    assert (found.name, found._orm_item.description, found.client_metadata) == ("neu ü", "", METADATA)
    assert (item.name, item.client_metadata) == ("neu ü", METADATA), "the answer is the item as it is now"
    assert found.last_edited_at > found.created_at
    item.update(name="again")
    assert second.get_storage_item(images[0]).client_metadata == METADATA
    item.update(client_metadata={})
    found = second.get_storage_item(images[0])
    assert (found.name, found.client_metadata) == ("again", {})


def test_update__keeps_the_exact_text(server: Server, client: EncordUserClient, images: list[UUID]) -> None:
    text = '{"big": 123456789012345678901234567890, "f": 1.50, "e": 1e2, "\\u00fc": null, "b": 1, "a": 2}'
    parent = client.get_storage_item(images[0]).parent_folder_uuid
    path = f"storage/folders/{parent}/items/{images[0]}"
    answer = call(server, client, "PATCH", path, body=('{"clientMetadata": ' + text + "}").encode())
    assert answer.json()["clientMetadata"] == text
    assert call(server, client, "GET", f"storage/items/{images[0]}").json()["clientMetadata"] == text


@pytest.mark.parametrize("name", ["", "x" * 1001, "nul\x00"])
def test_update__bad_names_are_refused(images: list[UUID], client: EncordUserClient, name: str) -> None:
    item = client.get_storage_item(images[0])
    with pytest.raises(InvalidArgumentsError, match=r"\$\.name: "):
        item.update(name=name)
    assert client.get_storage_item(images[0]).name == "image 0"


def test_update__under_the_wrong_folder_is_refused(
    server: Server, client: EncordUserClient, images: list[UUID]
) -> None:
    elsewhere = client.create_storage_folder(a_name("elsewhere"))
    path = f"storage/folders/{elsewhere.uuid}/items/{images[0]}"
    answer = call(server, client, "PATCH", path, body={"name": "moved?"})
    assert answer.status_code == 400
    assert answer.json()["message"] == f"item {images[0]} is not in folder {elsewhere.uuid}"


@pytest.mark.works("PATCH storage/items/patch-bulk")
def test_update__a_bundle_of_more_than_a_thousand(
    server: Server, folder: StorageFolder, second: EncordUserClient
) -> None:
    count = 2105
    register(server, folder, [(f"{number:04}", {"old": True}) for number in range(count)])
    items = list(folder.list_items(page_size=1000))
    with recorded() as exchanges, Bundle() as bundle:
        for number, item in enumerate(items):
            item.update(client_metadata={"n": number, "f": number / 4}, bundle=bundle)
    assert [e.endpoint for e in exchanges] == ["PATCH storage/items/patch-bulk"] * 3
    assert items[-1].client_metadata == {"n": count - 1, "f": (count - 1) / 4}
    found = second.get_storage_folder(folder.uuid).list_items(page_size=1000)
    assert [item.client_metadata for item in found] == [{"n": n, "f": n / 4} for n in range(count)]


def test_update__a_bundle_with_one_bad_item_changes_nothing(
    images: list[UUID], client: EncordUserClient, second: EncordUserClient, folder: StorageFolder
) -> None:
    items = client.get_storage_items(images)
    folder.delete_storage_items([images[2]])

    def all_of_them() -> None:
        with Bundle() as bundle:
            for item in items:
                item.update(client_metadata={"changed": True}, bundle=bundle)

    with pytest.raises(AuthorisationError, match=str(images[2])):
        all_of_them()
    left = [image for image in images if image != images[2]]
    assert [item.client_metadata for item in second.get_storage_items(left)] == [{"n": n} for n in (0, 1, 3, 4)]


def test_patch_bulk__over_a_thousand_is_refused(server: Server, client: EncordUserClient) -> None:
    patches = {str(uuid4()): {"name": "x"} for _ in range(1001)}
    answer = call(server, client, "PATCH", "storage/items/patch-bulk", body={"itemPatches": patches})
    assert answer.status_code == 400
    assert answer.json()["message"] == "at most 1000 items in one request; this has 1001"


# ---------------------------------------------------------------------------------------------- children and summary


@pytest.mark.works("GET storage/folders/{}/items/{}/child-items")
def test_get_child_items__in_order_with_signed_addresses(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    group = second.get_storage_item(registered_group(server, folder, client, "group").uuid)
    assert group.item_type is StorageItemType.IMAGE_GROUP
    children = list(group.get_child_items(get_signed_urls=True))
    assert [child.item_type for child in children] == [StorageItemType.IMAGE] * 3
    assert [child.url for child in children] == [
        child.url for child in client.get_storage_item(group.uuid).get_child_items()
    ]
    bodies = [requests.get(child.get_signed_url() or "", timeout=10).content for child in children]
    assert bodies == [(server.media / str(child.url).rsplit("/", 1)[1]).read_bytes() for child in children]
    assert len(set(bodies)) == 3


def test_get_child_items__of_thousands_come_in_one_answer(
    server: Server, folder: StorageFolder, second: EncordUserClient
) -> None:
    """The SDK reads the first page alone: it has to hold all; it is written in pieces."""
    items = register(server, folder, [(f"{number}", {"n": number}) for number in range(4500)])
    job = folder.add_private_data_to_folder_start(
        None,  # type: ignore[arg-type] # no integration: the images are there
        {"image_groups_from_items": [{"imageItems": [str(i) for i in items], "title": "big", "createVideo": False}]},
    )
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    (group,) = (i.item_uuid for i in result.items_with_names)
    path = f"storage/folders/{folder.uuid}/items/{group}/child-items"
    assert "content-length" not in call(server, second, "GET", path).headers
    assert [child.uuid for child in second.get_storage_item(group).get_child_items()] == items


def test_get_child_items__of_one_object_are_none(
    server: Server, images: list[UUID], client: EncordUserClient, folder: StorageFolder
) -> None:
    answer = call(server, client, "GET", f"storage/folders/{folder.uuid}/items/{images[0]}/child-items")
    assert answer.json() == {"results": [], "nextPageToken": None}


@pytest.mark.works("GET storage/folders/{}/items/{}/summary")
def test_get_summary__names_groups_and_datasets(
    client: EncordUserClient, folder: StorageFolder, images: list[UUID], second: EncordUserClient
) -> None:
    groups = sorted([folder.create_data_group(images[:2]), folder.create_data_group(images[:1])])
    created = client.create_dataset(a_name("set"), 0)  # type: ignore[arg-type] # CORD_STORAGE
    (row,) = client.get_dataset(created.dataset_hash).link_items([images[0]])
    found = second.get_storage_item(images[0]).get_summary()
    assert (found.frame_in_groups, found.used_in_datasets) == (2, 1)
    shown = [(g.uuid, g.parent_uuid, g.parent_name, g.item_type) for g in found.accessible_group_items]
    assert sorted(shown) == [(group, folder.uuid, folder.name, StorageItemType.GROUP) for group in groups]
    (dataset,) = found.accessible_datasets
    assert (dataset.dataset_hash, dataset.title) == (created.dataset_hash, created.title)
    assert [str(data_hash) for data_hash in dataset.data_hashes] == [row.uid]
    assert dataset.backing_folder_uuid == created.backing_folder_uuid
    nothing = second.get_storage_item(images[4]).get_summary()
    assert (nothing.frame_in_groups, nothing.used_in_datasets, nothing.accessible_datasets) == (0, 0, [])


def test_ids__sort_by_time(images: list[UUID], folder: StorageFolder) -> None:
    """UUIDv7: rows of one time lie together in the catalog."""
    assert all(first.version == 7 for first in [*images, folder.uuid])
    assert all(first.time_low <= later.time_low for first, later in pairwise(sorted(images)))
