"""Collections through the SDK (sdk-protocol 2.7, sequences 48 and 49)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.collection import Collection
from encord.exceptions import AuthorisationError, EncordException
from encord.orm.collection import CollectionDataTitleResponse
from encord.storage import StorageFolder, StorageItem, StorageItemInaccessible

from framedex.core.access import Role
from tests.protocol.curated import Server, raw, register, share

pytestmark = pytest.mark.protocol

NewClient = Callable[[str], EncordUserClient]


@pytest.fixture
def collection(client: EncordUserClient, folder: StorageFolder) -> Collection:
    return client.create_collection(folder.uuid, "finds", "what we found")


def _members(collection: Collection, page_size: int | None = None) -> list[UUID]:
    return [item.uuid for item in collection.list_items(page_size=page_size)]


def test_create_collection__is_read_back(collection: Collection, folder: StorageFolder) -> None:
    assert collection.name == "finds"
    assert collection.description == "what we found"
    assert collection.top_level_folder_uuid == folder.uuid
    assert collection.created_at is not None
    assert collection.created_at == collection.last_edited_at
    assert _members(collection) == []


def test_create_collection__in_a_folder_below_another(client: EncordUserClient, folder: StorageFolder) -> None:
    below = folder.create_subfolder("below")
    with pytest.raises(EncordException, match=f"top-level folder {folder.uuid}"):
        client.create_collection(below.uuid, "finds")


def test_create_collection__without_a_name(client: EncordUserClient, folder: StorageFolder) -> None:
    with pytest.raises(EncordException, match="must not be empty"):
        client.create_collection(folder.uuid, " ")


def test_create_collection__in_an_unknown_folder(client: EncordUserClient) -> None:
    with pytest.raises(AuthorisationError):
        client.create_collection(uuid4(), "finds")


@pytest.mark.works("POST index/collections", "GET index/collections")
def test_list_collections__pages_of_two(
    client: EncordUserClient, second: EncordUserClient, folder: StorageFolder
) -> None:
    made = [client.create_collection(folder.uuid, f"c{number}", f"text {number}").uuid for number in range(5)]
    listed = list(second.list_collections(top_level_folder_uuid=folder.uuid, page_size=2))
    assert [found.uuid for found in listed] == made
    assert [(found.name, found.description) for found in listed] == [(f"c{n}", f"text {n}") for n in range(5)]


def test_list_collections__by_ids_and_folder(client: EncordUserClient, folder: StorageFolder) -> None:
    elsewhere = client.create_storage_folder(f"elsewhere-{uuid4()}")
    here, there = client.create_collection(folder.uuid, "here"), client.create_collection(elsewhere.uuid, "there")
    both = client.list_collections(collection_uuids=[there.uuid, here.uuid, uuid4()])
    assert [found.uuid for found in both] == [here.uuid, there.uuid]
    one = client.list_collections(top_level_folder_uuid=folder.uuid, collection_uuids=[there.uuid, here.uuid])
    assert [found.uuid for found in one] == [here.uuid]


@pytest.mark.works("PATCH index/collections/{}")
def test_update_collection__leaves_the_rest(
    client: EncordUserClient, second: EncordUserClient, collection: Collection
) -> None:
    collection.update_collection(name="better")
    again = second.get_collection(collection.uuid)
    assert (again.name, again.description) == ("better", "what we found")
    again.update_collection(description="other words")
    last = client.get_collection(collection.uuid)
    assert (last.name, last.description) == ("better", "other words")
    assert last.last_edited_at is not None
    assert collection.created_at is not None
    assert last.last_edited_at > collection.created_at


@pytest.mark.works("DELETE index/collections/{}")
def test_delete_collection__keeps_the_items(
    client: EncordUserClient, second: EncordUserClient, server: Server, folder: StorageFolder, collection: Collection
) -> None:
    ids = register(server, folder, [("a", {})])
    collection.add_items(ids)
    client.delete_collection(collection.uuid)
    with pytest.raises(AuthorisationError):
        second.get_collection(collection.uuid)
    assert second.get_storage_item(ids[0]).name == "a"


def test_delete_folder__takes_its_collections(client: EncordUserClient) -> None:
    folder = client.create_storage_folder(f"short-lived-{uuid4()}")
    collection = client.create_collection(folder.uuid, "finds")
    folder.delete()
    with pytest.raises(AuthorisationError):
        client.get_collection(collection.uuid)


@pytest.mark.works("POST index/collections/{}/add-items", "GET index/collections/{}/accessible-items")
def test_add_items__unknown_ids_fail_and_nothing_else(
    server: Server, second: EncordUserClient, folder: StorageFolder, collection: Collection
) -> None:
    ids = register(server, folder, [("a", {}), ("b", {}), ("c", {})])
    unknown = uuid4()
    assert collection.add_items([ids[0], unknown, ids[2], unknown]).failed_items == [unknown]
    assert collection.add_items([str(ids[0]), str(ids[1])]).failed_items == []
    assert set(_members(second.get_collection(collection.uuid))) == set(ids)


@pytest.mark.works("POST index/collections/{}/remove-items")
def test_remove_items__those_that_are_no_members_do_not_fail(
    server: Server, second: EncordUserClient, folder: StorageFolder, collection: Collection
) -> None:
    ids = register(server, folder, [("a", {}), ("b", {})])
    collection.add_items(ids[:1])
    unknown = uuid4()
    assert collection.remove_items([*ids, unknown]).failed_items == [unknown]
    assert _members(second.get_collection(collection.uuid)) == []


def test_delete_item__leaves_the_collection(server: Server, folder: StorageFolder, collection: Collection) -> None:
    ids = register(server, folder, [("a", {}), ("b", {})])
    collection.add_items(ids)
    folder.delete_storage_items([ids[0]])
    assert _members(collection) == [ids[1]]


def test_list_items__pages_and_metadata(server: Server, folder: StorageFolder, collection: Collection) -> None:
    ids = register(server, folder, [(f"i{number}", {"number": number}) for number in range(7)])
    assert collection.add_items(ids).failed_items == []
    for size in (1, 3, 7, 1000):
        assert sorted(_members(collection, size)) == sorted(ids)
    with_metadata = {item.name: item.client_metadata for item in collection.list_items(include_client_metadata=True)}
    assert with_metadata["i3"] == {"number": 3}
    without = [item.client_metadata for item in collection.list_items(include_client_metadata=False)]
    assert without == [{}] * 7


@pytest.mark.works("GET index/collections/{}/all-items")
def test_list_items_include_inaccessible__stubs_for_others(
    client: EncordUserClient, server: Server, folder: StorageFolder, new_client: NewClient
) -> None:
    email = f"reader-{uuid4()}@example.org"
    reader = new_client(email)
    hidden_folder = client.create_storage_folder(f"hidden-{uuid4()}")
    shown, hidden = register(server, folder, [("shown", {})]), register(server, hidden_folder, [("hidden", {})])
    collection = client.create_collection(folder.uuid, "mixed")
    assert collection.add_items(shown + hidden).failed_items == []
    with pytest.raises(AuthorisationError):
        reader.get_collection(collection.uuid)

    share(server, folder, email, Role.USER)
    seen = reader.get_collection(collection.uuid)
    assert _members(seen) == shown
    everything = list(seen.list_items_include_inaccessible(page_size=1))
    assert {item.uuid: type(item) for item in everything} == {
        shown[0]: StorageItem,
        hidden[0]: StorageItemInaccessible,
    }
    assert seen.add_items(hidden).failed_items == hidden
    assert seen.remove_items(hidden).failed_items == hidden


def test_collections__are_nothing_to_strangers(
    client: EncordUserClient, other: EncordUserClient, folder: StorageFolder, collection: Collection
) -> None:
    with pytest.raises(AuthorisationError):
        other.create_collection(folder.uuid, "mine")
    with pytest.raises(AuthorisationError):
        list(other.list_collections(top_level_folder_uuid=folder.uuid))
    assert collection.uuid not in [found.uuid for found in other.list_collections()]
    with pytest.raises(AuthorisationError):
        other.delete_collection(collection.uuid)
    assert client.get_collection(collection.uuid).name == "finds"


def _totals(response: CollectionDataTitleResponse) -> tuple[int, int, int, int]:
    return response.matched_titles, response.items_added, len(response.ambiguous_titles), len(response.unmatched_titles)


@pytest.mark.works("POST index/collections/{}/add-data-title-items")
def test_add_items_by_title__2500_titles(
    client: EncordUserClient, second: EncordUserClient, server: Server, folder: StorageFolder, collection: Collection
) -> None:
    below = folder.create_subfolder("below")
    single = [f"single {number}" for number in range(2000)]
    double = [f"double {number}" for number in range(100)]
    register(server, folder, [(title, {}) for title in [*single[:1000], *double]])
    register(server, below, [(title, {}) for title in [*single[1000:], *double]])
    elsewhere = client.create_storage_folder(f"elsewhere-{uuid4()}")
    absent = [f"absent {number}" for number in range(400)]
    register(server, elsewhere, [(title, {}) for title in [*absent[:3], *single[:3]]])

    titles = [*single, *double, *absent]
    response = collection.add_items_by_title([*titles, *titles[:50]])
    assert response.requested == 2500
    assert _totals(response) == (2000, 2000, 100, 400)
    assert set(response.ambiguous_titles) == set(double)
    assert set(response.unmatched_titles) == set(absent)
    assert response.failed_items == []
    seen = second.get_collection(collection.uuid)
    assert sorted(item.name for item in seen.list_items(page_size=1000)) == sorted(single)

    again = collection.add_items_by_title(["single 1", "double 1", "absent 1", "SINGLE 1"])
    assert again.requested == 4
    assert _totals(again) == (1, 0, 1, 2)


def test_collections__shapes_on_the_wire(
    client: EncordUserClient, server: Server, folder: StorageFolder, collection: Collection
) -> None:
    ids = register(server, folder, [("a", {}), ("b", {})])
    base = f"index/collections/{collection.uuid}"
    with raw(server, client) as http:
        added = http.post(f"{base}/add-items", json={"itemUuids": [str(i).upper() for i in ids]})
        first = http.get(f"{base}/all-items", params={"pageSize": 1}).json()
        second = http.get(f"{base}/all-items", params={"pageSize": 1, "pageToken": first["nextPageToken"]}).json()
        foreign = http.get(f"{base}/accessible-items", params={"pageSize": 1, "pageToken": first["nextPageToken"]})
        patched = http.patch(base, json={"name": "other"})
        listed = http.get("index/collections", params={"uuids": str(collection.uuid)}).json()
        homeless = http.post("index/collections", json={"name": "homeless"})
        gone = http.delete(base)
    assert added.json() == {"failedItems": []}
    assert [len(page["results"]) for page in (first, second)] == [1, 1]
    assert second["nextPageToken"] is None
    assert foreign.status_code == 400
    assert (patched.status_code, patched.text) == (200, "null")
    assert set(listed["results"][0]) == {
        "uuid", "topLevelFolderUuid", "name", "description", "createdAt", "lastEditedAt",
    }  # fmt: skip
    assert (homeless.status_code, "topLevelFolderUuid" in homeless.json()["message"]) == (400, True)
    assert (gone.status_code, gone.text) == (200, "null")


def test_add_items_by_title__limits(client: EncordUserClient, server: Server, collection: Collection) -> None:
    path = f"index/collections/{collection.uuid}/add-data-title-items"
    with raw(server, client) as http:
        many = http.post(path, json={"dataTitles": [str(n) for n in range(1001)]})
        long = http.post(path, json={"dataTitles": ["x" * 200_001]})
        none = http.post(path, json={"dataTitles": []})
        odd = http.post(path, json={"dataTitles": ["nul\u0000", "twice", "twice"]})
    assert (many.status_code, long.status_code) == (400, 400)
    assert none.json()["requested"] == 0
    assert odd.json()["requested"] == 2
    assert odd.json()["unmatchedTitles"] == ["nul\u0000", "twice"]
