"""Lists of items through the SDK: pages, filters, order, metadata (sdk-protocol 2.3; sequences 23, 24 and 27)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest
import requests
from encord import EncordUserClient
from encord.orm.storage import FoldersSortBy, StorageItemType
from encord.storage import StorageFolder, StorageItem

from tests.protocol.curated import Server, register
from tests.protocol.people import a_name, an_email, client_of
from tests.protocol.signing import call
from tests.protocol.wire import recorded

pytestmark = [pytest.mark.protocol, pytest.mark.filterwarnings("ignore:find_storage_items is deprecated")]

#: In one folder, with every answer of the filters known.
NAMED: list[tuple[str, dict[str, object]]] = [
    ("b", {"n": 1}),
    ("Ä", {}),
    ("a", {"n": None}),
    ("Z", {"text": "ü"}),
    ("10%", {}),
    ("1_0", {}),
]


def _names(items: Iterable[StorageItem]) -> list[str]:
    return [item.name for item in items]


def _uuids(items: Iterable[StorageItem]) -> list[UUID]:
    return [item.uuid for item in items]


@pytest.fixture
def named(server: Server, folder: StorageFolder) -> list[UUID]:
    return register(server, folder, NAMED)


@pytest.mark.works("GET storage/folders/{}/items")
def test_list_items__pages_of_a_hundred(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    register(server, folder, [(f"item {number:03}", {"n": number}) for number in range(250)])
    seen = second.get_storage_folder(folder.uuid)
    with recorded() as exchanges:
        items = list(seen.list_items(page_size=100))
    assert _names(items) == [f"item {number:03}" for number in range(250)]
    assert [item.client_metadata for item in items] == [{"n": number} for number in range(250)]
    assert [e.endpoint for e in exchanges] == ["GET storage/folders/{}/items"] * 3


@pytest.mark.parametrize("page_size", [1, 2, 6, 1000])
def test_list_items__in_code_point_order(
    named: list[UUID], folder: StorageFolder, second: EncordUserClient, page_size: int
) -> None:
    seen = second.get_storage_folder(folder.uuid)
    ordered = ["10%", "1_0", "Z", "a", "b", "Ä"]
    assert _names(seen.list_items(page_size=page_size)) == ordered
    assert _names(seen.list_items(page_size=page_size, desc=True)) == ordered[::-1]
    assert len(named) == len(ordered)


def test_list_items__in_order_of_creation(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    made = [item for name in ("c", "a", "b") for item in _registered_alone(server, folder, name)]
    seen = second.get_storage_folder(folder.uuid)
    assert _uuids(seen.list_items(order=FoldersSortBy.CREATED_AT, page_size=1)) == made
    assert _uuids(seen.list_items(order=FoldersSortBy.CREATED_AT, desc=True, page_size=1)) == made[::-1]


def _registered_alone(server: Server, folder: StorageFolder, name: str) -> list[UUID]:
    facts = {"fileSize": 1, "width": 1, "height": 1, "mimeType": "image/png"}
    image = {"objectUrl": f"file://{server.media}/{name}-{folder.uuid}.png", "title": name, "imageMetadata": facts}
    job = folder.add_private_data_to_folder_start(str(server.integration_id), {"images": [image]})
    return [item.item_uuid for item in folder.add_private_data_to_folder_get_result(job, 60).items_with_names]


@pytest.mark.parametrize(
    ("search", "found"),
    [("ä", ["Ä"]), ("B", ["b"]), ("%", ["10%"]), ("_", ["1_0"]), ("1", ["10%", "1_0"]), ("nothing", [])],
)
def test_list_items__search(
    named: list[UUID], folder: StorageFolder, second: EncordUserClient, search: str, found: list[str]
) -> None:
    assert named
    assert _names(second.get_storage_folder(folder.uuid).list_items(search=search)) == found


def test_list_items__by_types(named: list[UUID], folder: StorageFolder, second: EncordUserClient) -> None:
    group = folder.create_data_group(named[:2])
    seen = second.get_storage_folder(folder.uuid)
    assert _uuids(seen.list_items(item_types=[StorageItemType.GROUP])) == [group]
    assert set(_uuids(seen.list_items(item_types=[StorageItemType.IMAGE]))) == set(named)
    both = [StorageItemType.GROUP, StorageItemType.IMAGE]
    assert set(_uuids(seen.list_items(item_types=both))) == {group, *named}
    assert _uuids(seen.list_items(item_types=[StorageItemType.VIDEO])) == []


def test_list_items__linked_to_a_dataset(
    client: EncordUserClient, named: list[UUID], folder: StorageFolder, second: EncordUserClient
) -> None:
    dataset = client.get_dataset(client.create_dataset(a_name("set"), 0).dataset_hash)  # type: ignore[arg-type] # CORD_STORAGE
    dataset.link_items(named[:2])
    seen = second.get_storage_folder(folder.uuid)
    assert set(_uuids(seen.list_items(is_in_dataset=True))) == set(named[:2])
    assert set(_uuids(seen.list_items(is_in_dataset=False))) == set(named[2:])


def test_list_items__a_change_between_pages_loses_and_repeats_nothing(
    server: Server, named: list[UUID], folder: StorageFolder, second: EncordUserClient
) -> None:
    walk = iter(second.get_storage_folder(folder.uuid).list_items(page_size=2))
    seen = [next(walk).name, next(walk).name]
    folder.delete_storage_items([named[0]])
    second.get_storage_item(named[4]).update(name="0 renamed")
    _registered_alone(server, folder, "0 before")
    _registered_alone(server, folder, "aa after")
    assert seen + _names(walk) == ["10%", "1_0", "Z", "a", "aa after", "Ä"]


def test_list_items__signed_urls_serve_the_bytes(
    server: Server, folder: StorageFolder, second: EncordUserClient
) -> None:
    (item_id,) = register(server, folder, [("real", {})])
    (item,) = second.get_storage_folder(folder.uuid).list_items(get_signed_urls=True)
    (server.media / f"{folder.uuid}-0.png").write_bytes(b"0123456789")
    assert item.uuid == item_id
    address = item.get_signed_url()
    assert address is not None
    assert address.startswith(server.url)
    assert requests.get(address, timeout=10).content == b"0123456789"


def test_list_items__without_metadata_it_is_empty_and_not_broken(
    named: list[UUID], folder: StorageFolder, second: EncordUserClient
) -> None:
    assert named
    items = list(second.get_storage_folder(folder.uuid).list_items(include_client_metadata=False))
    assert [item.client_metadata for item in items] == [{}] * len(NAMED)


def test_list_items__metadata_behind_signed_addresses_is_the_same(
    named: list[UUID], folder: StorageFolder, second: EncordUserClient
) -> None:
    assert named
    seen = second.get_storage_folder(folder.uuid)
    inline = {item.name: item.client_metadata for item in seen.list_items()}
    resolved = {item.name: item.client_metadata for item in seen.list_items(resolve_client_metadata_locally=True)}
    assert inline == resolved == dict(NAMED)


def test_list_items__of_the_folder_alone(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    (here,) = register(server, folder, [("here", {})])
    register(server, folder.create_subfolder("below"), [("there", {})])
    assert _uuids(second.get_storage_folder(folder.uuid).list_items()) == [here]


def test_find_items__below_too(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    (here,) = register(server, folder, [("match here", {"a": 1})])
    below = folder.create_subfolder("x").create_subfolder("y")
    there, _ = register(server, below, [("MATCH there", {}), ("no", {})])
    seen = second.get_storage_folder(folder.uuid)
    found = list(seen.find_items(search="match", page_size=1))
    assert _uuids(found) == [there, here]
    assert [item.client_metadata for item in found] == [{}, {"a": 1}]
    assert len(list(seen.find_items(item_types=[StorageItemType.IMAGE]))) == 3
    with pytest.raises(ValueError, match="At least one"):
        list(seen.find_items())


@pytest.mark.works("GET storage/search/items")
def test_find_storage_items__in_all_that_one_may_read(
    server: Server,
    client: EncordUserClient,
    folder: StorageFolder,
    second: EncordUserClient,
    other: EncordUserClient,
) -> None:
    name = a_name("needle")
    (first,) = register(server, folder, [(f"{name} 1", {"n": 1})])
    (deeper,) = register(server, folder.create_subfolder("below"), [(f"{name} 2", {"n": 2})])
    found = list(second.find_storage_items(search=name, page_size=1))
    assert [(item.uuid, item.client_metadata) for item in found] == [(first, {"n": 1}), (deeper, {"n": 2})]
    images = second.find_storage_items(search=name, item_types=[StorageItemType.IMAGE, StorageItemType.VIDEO])
    assert _uuids(images) == [first, deeper]
    assert list(second.find_storage_items(search=name, item_types=[StorageItemType.VIDEO])) == []
    assert list(other.find_storage_items(search=name)) == []
    assert client.get_storage_item(first).name == f"{name} 1"


def test_find_storage_items__org_access_is_for_admins(
    server: Server, folder: StorageFolder, other: EncordUserClient
) -> None:
    name = a_name("hidden")
    found = register(server, folder, [(name, {})])
    admin = client_of(server, an_email(), is_admin=True)
    assert list(admin.find_storage_items(search=name)) == []
    assert _uuids(admin.find_storage_items(search=name, org_access=True)) == found
    assert list(other.find_storage_items(search=name, org_access=True)) == []


def test_list_items__unknown_type_is_refused(server: Server, client: EncordUserClient, folder: StorageFolder) -> None:
    answer = call(server, client, "GET", f"storage/folders/{folder.uuid}/items", query=[("itemTypes", "movie")])
    assert answer.status_code == 400
    assert "itemTypes" in answer.json()["message"]
