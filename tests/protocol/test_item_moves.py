"""Moves and deletes of items, and retries of creators, through the SDK (sdk-protocol 2.3, 8.23; sequence 29)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder

from framedex.core.access import Role
from tests.protocol.curated import Server, register, share
from tests.protocol.people import a_name, added_email
from tests.protocol.signing import send, signed
from tests.protocol.test_items import registered_group

pytestmark = pytest.mark.protocol


@pytest.fixture
def images(server: Server, folder: StorageFolder) -> list[UUID]:
    return register(server, folder, [(f"image {number}", {"n": number}) for number in range(4)])


@pytest.fixture
def target(client: EncordUserClient) -> StorageFolder:
    return client.create_storage_folder(a_name("target"))


def _in(client: EncordUserClient, folder: StorageFolder) -> set[UUID]:
    return {item.uuid for item in client.get_storage_folder(folder.uuid).list_items(page_size=1000)}


def _is_gone(client: EncordUserClient, item_id: UUID) -> bool:
    try:
        client.get_storage_item(item_id)
    except AuthorisationError:
        return True
    return False


# ------------------------------------------------------------------------------------------------------------- moves


@pytest.mark.works("POST storage/folders/{}/items/move")
def test_move_items_to_folder__several(
    images: list[UUID], folder: StorageFolder, target: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    folder.move_items_to_folder(target, [images[0], client.get_storage_item(images[1])])
    assert (_in(second, folder), _in(second, target)) == (set(images[2:]), set(images[:2]))
    item = second.get_storage_item(images[0])
    assert (item.parent_folder_uuid, item.client_metadata) == (target.uuid, {"n": 0})


def test_move_to_folder__one(
    images: list[UUID], folder: StorageFolder, target: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    item = client.get_storage_item(images[0])
    item.move_to_folder(target)
    assert item.parent_folder_uuid == target.uuid
    item.move_to_folder(target)
    assert _in(second, target) == {images[0]}
    item.move_to_folder(folder.uuid)
    assert _in(second, target) == set()


def test_move_items_to_folder__one_from_elsewhere_moves_none(
    server: Server, images: list[UUID], folder: StorageFolder, target: StorageFolder, client: EncordUserClient
) -> None:
    (elsewhere,) = register(server, client.create_storage_folder(a_name("third")), [("x", {})])
    for foreign in (elsewhere, uuid4()):
        with pytest.raises(InvalidArgumentsError, match=f"item {foreign} is not in folder {folder.uuid}"):
            folder.move_items_to_folder(target, [images[0], foreign])
    assert _in(client, folder) == set(images)


def test_move_items_to_folder__takes_frames_along(
    server: Server, folder: StorageFolder, target: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    group = registered_group(server, folder, client, "group")
    frames = {child.uuid for child in group.get_child_items()}
    folder.move_items_to_folder(target, [group])
    assert (_in(second, folder), _in(second, target)) == (set(), {group.uuid, *frames})


def test_move_items_to_folder__needs_admin_here_and_user_there(
    server: Server,
    client: EncordUserClient,
    images: list[UUID],
    folder: StorageFolder,
    target: StorageFolder,
    new_client: Callable[[str], EncordUserClient],
) -> None:
    email = added_email(client)
    member = new_client(email)
    share(server, folder, email, Role.USER)
    share(server, target, email, Role.USER)
    mine = member.get_storage_folder(folder.uuid)
    with pytest.raises(AuthorisationError, match="needs the role ADMIN"):
        mine.move_items_to_folder(target.uuid, images)
    share(server, folder, email, Role.ADMIN)
    mine.move_items_to_folder(target.uuid, images)
    assert _in(client, target) == set(images)
    with pytest.raises(AuthorisationError, match="needs the role ADMIN"):
        member.get_storage_folder(target.uuid).delete_storage_items(images)


def test_move_items_to_folder__out_of_a_mirrored_dataset(
    server: Server, client: EncordUserClient, second: EncordUserClient, target: StorageFolder
) -> None:
    created = client.create_dataset(a_name("mirror"), 0, create_backing_folder=True)  # type: ignore[arg-type] # CORD_STORAGE
    assert created.backing_folder_uuid is not None
    backing = client.get_storage_folder(created.backing_folder_uuid)
    items = register(server, backing, [("linked", {}), ("free", {})])
    dataset = second.get_dataset(created.dataset_hash)
    if not dataset.list_data_rows():
        dataset.link_items(items[:1])
    linked = {row.backing_item_uuid for row in dataset.list_data_rows()}
    assert items[0] in linked
    with pytest.raises(InvalidArgumentsError, match="mirrors the dataset"):
        backing.move_items_to_folder(target, items)
    assert _in(client, backing) == set(items)
    backing.move_items_to_folder(target, items, allow_mirror_dataset_changes=True)
    assert _in(client, target) == set(items)
    assert dataset.list_data_rows() == []


# ----------------------------------------------------------------------------------------------------------- deletes


@pytest.mark.works("POST storage/folders/{}/items/delete")
def test_delete_storage_items__several(
    images: list[UUID], folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    folder.delete_storage_items(images[:2])
    client.get_storage_item(images[2]).delete()
    assert _in(second, folder) == {images[3]}
    assert [_is_gone(second, image) for image in images] == [True, True, True, False]


def test_delete_storage_items__one_from_elsewhere_deletes_none(
    images: list[UUID], folder: StorageFolder, client: EncordUserClient
) -> None:
    with pytest.raises(InvalidArgumentsError, match="is not in folder"):
        folder.delete_storage_items([*images, uuid4()])
    assert _in(client, folder) == set(images)


def test_delete_storage_items__of_thousands(server: Server, folder: StorageFolder, second: EncordUserClient) -> None:
    items = register(server, folder, [(f"{number}", {}) for number in range(3001)])
    folder.delete_storage_items(items)
    assert _in(second, folder) == set()


@pytest.mark.parametrize("removes_frames", [True, False])
def test_delete_storage_items__frames_of_a_group(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient, *, removes_frames: bool
) -> None:
    group = registered_group(server, folder, client, "group")
    frames = {child.uuid for child in group.get_child_items()}
    folder.delete_storage_items([group.uuid], remove_unused_frames=removes_frames)
    assert _in(second, folder) == (set() if removes_frames else frames)


def test_delete_storage_items__frames_in_use_stay(
    server: Server, folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    group = registered_group(server, folder, client, "group")
    frames = [child.uuid for child in group.get_child_items()]
    user = folder.create_data_group([frames[0]])
    dataset = client.get_dataset(client.create_dataset(a_name("set"), 0).dataset_hash)  # type: ignore[arg-type] # CORD_STORAGE
    dataset.link_items([frames[1]])
    folder.delete_storage_items([group.uuid])
    assert _in(second, folder) == {user, frames[0], frames[1]}


def test_delete_storage_items__frames_moved_elsewhere_stay(
    server: Server, folder: StorageFolder, target: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    group = registered_group(server, folder, client, "group")
    moved, *_ = (child.uuid for child in group.get_child_items())
    folder.move_items_to_folder(target, [moved])
    folder.delete_storage_items([group.uuid])
    assert (_in(second, folder), _in(second, target)) == (set(), {moved})


def test_delete_storage_items__takes_what_hangs_on_them(
    images: list[UUID], folder: StorageFolder, client: EncordUserClient, second: EncordUserClient
) -> None:
    collection = client.create_collection(folder.uuid, a_name("c"), "")
    collection.add_items(images)
    group = folder.create_data_group(images)
    dataset = client.get_dataset(client.create_dataset(a_name("set"), 0).dataset_hash)  # type: ignore[arg-type] # CORD_STORAGE
    dataset.link_items(images)
    folder.delete_storage_items(images[1:])
    assert {item.uuid for item in second.get_collection(collection.uuid).list_items()} == {images[0]}
    assert [child.uuid for child in second.get_storage_item(group).get_child_items()] == [images[0]]
    rows = second.get_dataset(dataset.dataset_hash).list_data_rows()
    assert [row.backing_item_uuid for row in rows] == [images[0]]


# ----------------------------------------------------------------------------------------------------------- retries


def _twice(server: Server, client: EncordUserClient, path: str, body: object) -> tuple[requests.Response, ...]:
    """The very same signed request, as the SDK's retry sends it after a lost answer."""
    request = signed(server, client, "POST", path, body=body)
    return send(request), send(request)


def _same(answers: tuple[requests.Response, ...]) -> object:
    first, again = answers
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert first.content == again.content
    return first.json()


def test_retry__a_folder_is_made_once(server: Server, client: EncordUserClient, second: EncordUserClient) -> None:
    name = a_name("once")
    made = _same(_twice(server, client, "storage/folders", {"name": name}))
    assert isinstance(made, dict)
    assert [str(f.uuid) for f in second.list_storage_folders(search=name)] == [made["uuid"]]


def test_retry__another_trace_is_another_request(server: Server, client: EncordUserClient) -> None:
    name = a_name("twice")
    request = signed(server, client, "POST", "storage/folders", body={"name": name})
    send(request)
    request.headers["X-Cloud-Trace-Context"] = "0" * 32 + "/1;o=1"
    send(request)
    assert len(list(client.list_storage_folders(search=name))) == 2


def test_retry__jobs_groups_and_addresses(
    server: Server, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, images: list[UUID]
) -> None:
    at = f"storage/folders/{folder.uuid}"
    groups = [{"layoutType": "default-list", "layoutContents": [str(image) for image in images]}]
    made = _same(_twice(server, client, f"{at}/create-group-items", groups))
    found = second.get_storage_folder(folder.uuid).list_items(item_types=[StorageItemType.GROUP])
    assert [str(item.uuid) for item in found] == made
    _same(_twice(server, client, f"{at}/upload-signed-urls", {"itemType": "image", "count": 2}))
    from_items = [{"imageItems": [str(i) for i in images], "title": "t", "createVideo": False}]
    manifest = {"externalFiles": {"image_groups_from_items": from_items}}
    job = _same(_twice(server, client, f"{at}/data-upload-jobs", manifest))
    folder.add_private_data_to_folder_get_result(UUID(str(job)), timeout_seconds=60)
    assert len(list(folder.list_items(item_types=[StorageItemType.IMAGE_GROUP]))) == 1
    _same(_twice(server, client, f"{at}/data-upload-jobs/{job}/cancel", None))


def test_retry__a_move_and_a_delete_answer_as_the_first_time(
    server: Server, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder, target: StorageFolder
) -> None:
    items = register(server, folder, [("a", {}), ("b", {})])
    at = f"storage/folders/{folder.uuid}/items"
    move = {"itemUuids": [str(items[0])], "newParentUuid": str(target.uuid), "allowSyncedDatasetMove": False}
    assert _same(_twice(server, client, f"{at}/move", move)) is None
    delete = {"childUuids": [str(items[1])], "removeUnusedFrames": True}
    assert _same(_twice(server, client, f"{at}/delete", delete)) == {"removedItemsCount": 1, "removedFoldersCount": 0}
    assert (_in(second, folder), _in(second, target)) == (set(), {items[0]})


def test_retry__groups_users_and_tags(server: Server, client: EncordUserClient, second: EncordUserClient) -> None:
    name = a_name("once")
    group = _same(_twice(server, client, "organisation/groups", {"name": name, "description": ""}))
    assert isinstance(group, dict)
    assert [str(g.group_hash) for g in second.list_groups() if g.name == name] == [group["groupHash"]]
    tag = _same(_twice(server, client, "organisation/organisation-tags", {"name": name}))
    assert isinstance(tag, dict)
    assert [str(t.uuid) for t in second.list_organisation_tags() if t.name == name] == [tag["uuid"]]
    email = f"{uuid4()}@example.org"
    user = {"email": email, "roleMnemonicName": "MEMBER", "memberType": "internal"}
    assert _same(_twice(server, client, "organisation/users", user)) is None
    assert [u.email for u in second.list_organisation_users() if u.email == email] == [email]


def test_retry__a_preset_is_made_once(server: Server, client: EncordUserClient, second: EncordUserClient) -> None:
    name, anywhere = a_name("once"), str(UUID(int=0))
    filters = {"filters": [{"key": "k", "include": True, "values": ["v"], "type": "varchar"}]}
    definition = {"local_filters": {anywhere: filters}, "global_filters": {"filters": []}}
    preset = _same(_twice(server, client, "index/presets", {"name": name, "filterPresetJson": definition}))
    assert [str(p.uuid) for p in second.list_presets() if p.name == name] == [preset]


def test_retry__a_refusal_is_not_remembered(server: Server, client: EncordUserClient, folder: StorageFolder) -> None:
    name = a_name("later")
    request = signed(server, client, "POST", "storage/folders/move", body={"folderUuids": [str(uuid4())]})
    assert [send(request).status_code for _ in range(2)] == [403, 403]
    assert name not in [f.name for f in folder.list_subfolders()]
