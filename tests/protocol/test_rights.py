"""Who may see and do what, through the SDK (design section 4; sequence 46 for folders)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthorisationError
from encord.group import Group
from encord.http.bundle import Bundle
from encord.orm.storage import FoldersSortBy, StorageUserRole
from encord.storage import StorageFolder

from tests.protocol.curated import Server
from tests.protocol.people import a_name, an_email, client_of

pytestmark = pytest.mark.protocol


@dataclass(frozen=True)
class Scene:
    """A chain of folders of `owner` (top, middle, leaf) and a second user in a group that has no role yet."""

    owner: EncordUserClient
    second: EncordUserClient
    group: Group
    second_email: str
    top: StorageFolder
    middle: StorageFolder
    leaf: StorageFolder


@pytest.fixture
def scene(client: EncordUserClient, server: Server) -> Iterator[Scene]:
    owner, second_email = client_of(server, an_email()), an_email()
    second = client_of(server, second_email)
    group = client.create_group(a_name("group"))
    group.add_users([second_email])
    top = owner.create_storage_folder(a_name("top"))
    middle = top.create_subfolder("middle")
    yield Scene(owner, second, group, second_email, top, middle, middle.create_subfolder("leaf"))
    client.delete_group(group.group_hash)


def _uuids(folders: Iterable[StorageFolder]) -> list[UUID]:
    return [folder.uuid for folder in folders]


def _refusal(call: Callable[[], object]) -> str:
    with pytest.raises(AuthorisationError) as refused:
        call()
    return str(refused.value).split(" timestamp=")[0]


def test_access__denied_then_granted_then_revoked(scene: Scene) -> None:
    def sees() -> bool:
        try:
            return scene.second.get_storage_folder(scene.top.uuid).uuid == scene.top.uuid
        except AuthorisationError:
            return False

    assert not sees()
    scene.top.add_group(scene.group.group_hash, StorageUserRole.USER)
    assert sees()
    assert _uuids(scene.second.list_storage_folders()) == [scene.top.uuid]
    scene.top.remove_group(scene.group.group_hash)
    assert not sees()
    assert _uuids(scene.second.list_storage_folders()) == []


def test_access__ends_with_the_membership(scene: Scene) -> None:
    scene.top.add_group(scene.group.group_hash, StorageUserRole.ADMIN)
    assert scene.second.get_storage_folder(scene.leaf.uuid).name == "leaf"
    scene.group.remove_users([scene.second_email])
    _refusal(lambda: scene.second.get_storage_folder(scene.leaf.uuid))


def test_access__to_one_below_hides_what_is_above(scene: Scene) -> None:
    scene.middle.add_group(scene.group.group_hash, StorageUserRole.USER)
    middle = scene.second.get_storage_folder(scene.middle.uuid)
    assert middle.parent is None
    assert middle.path_to_root == []
    leaf = scene.second.get_storage_folder(scene.leaf.uuid)
    assert leaf.parent is not None
    assert leaf.parent.uuid == scene.middle.uuid
    (element,) = leaf.path_to_root
    assert (element.uuid, element.parent_uuid, element.name) == (scene.middle.uuid, None, "middle")
    assert _uuids(scene.second.list_storage_folders()) == [scene.middle.uuid]
    assert set(_uuids(scene.second.find_storage_folders())) == {scene.middle.uuid, scene.leaf.uuid}
    assert _uuids(middle.list_subfolders()) == [scene.leaf.uuid]
    _refusal(lambda: scene.second.get_storage_folder(scene.top.uuid))


def test_path_to_root__whole_for_who_sees_the_top(scene: Scene) -> None:
    leaf = scene.owner.get_storage_folder(scene.leaf.uuid)
    path = [(element.uuid, element.parent_uuid) for element in leaf.path_to_root]
    assert path == [(scene.top.uuid, None), (scene.middle.uuid, scene.top.uuid)]


def test_search__finds_only_what_is_shared(scene: Scene) -> None:
    name = a_name("needle")
    hidden, shown = scene.top.create_subfolder(name), scene.leaf.create_subfolder(name)
    scene.middle.add_group(scene.group.group_hash, StorageUserRole.USER)
    assert set(_uuids(scene.owner.find_storage_folders(search=name))) == {hidden.uuid, shown.uuid}
    assert _uuids(scene.second.find_storage_folders(search=name)) == [shown.uuid]


def test_pages__never_show_hidden_folders(scene: Scene) -> None:
    shared = [scene.top.create_subfolder(f"{number}") for number in range(5)]
    for folder in shared[::2]:
        folder.add_group(scene.group.group_hash, StorageUserRole.USER)
    found = scene.second.find_storage_folders(page_size=1, order=FoldersSortBy.NAME, desc=True)
    assert _uuids(found) == _uuids(reversed(shared[::2]))


def test_refusal__hidden_and_missing_are_told_alike(scene: Scene) -> None:
    missing = uuid4()
    refused = _refusal(lambda: scene.second.get_storage_folder(scene.top.uuid))
    assert refused == _refusal(lambda: scene.second.get_storage_folder(missing)).replace(
        str(missing), str(scene.top.uuid)
    )


def test_user__may_edit_but_not_administer(scene: Scene) -> None:
    scene.top.add_group(scene.group.group_hash, StorageUserRole.USER)
    middle = scene.second.get_storage_folder(scene.middle.uuid)
    middle.update(name="edited")
    assert scene.owner.get_storage_folder(scene.middle.uuid).name == "edited"
    for attempt in (
        middle.delete,
        lambda: middle.move_to_folder(None),
        lambda: middle.add_group(scene.group.group_hash, StorageUserRole.ADMIN),
        lambda: middle.remove_group(scene.group.group_hash),
    ):
        assert "ADMIN" in _refusal(attempt)
    assert scene.owner.get_storage_folder(scene.middle.uuid).path_to_root[0].uuid == scene.top.uuid


def test_admin__by_group_may_administer_what_is_below(scene: Scene) -> None:
    scene.top.add_group(scene.group.group_hash, StorageUserRole.ADMIN)
    scene.second.get_storage_folder(scene.leaf.uuid).delete()
    _refusal(lambda: scene.owner.get_storage_folder(scene.leaf.uuid))


def test_group_role__the_better_of_two_counts(scene: Scene, client: EncordUserClient) -> None:
    better = client.create_group(a_name("better"))
    better.add_users([scene.second_email])
    scene.top.add_group(better.group_hash, StorageUserRole.ADMIN)
    scene.middle.add_group(scene.group.group_hash, StorageUserRole.USER)
    scene.second.get_storage_folder(scene.leaf.uuid).delete()
    client.delete_group(better.group_hash)
    assert "ADMIN" in _refusal(scene.second.get_storage_folder(scene.middle.uuid).delete)
    _refusal(lambda: scene.second.get_storage_folder(scene.top.uuid))


def test_bulk_update__one_hidden_folder_changes_nothing(scene: Scene) -> None:
    scene.middle.add_group(scene.group.group_hash, StorageUserRole.USER)
    middle = scene.second.get_storage_folder(scene.middle.uuid)
    mine = scene.second.create_storage_folder(a_name("mine"))
    scene.group.remove_users([scene.second_email])

    def rename_both() -> None:
        with Bundle() as bundle:
            mine.update(name="renamed", bundle=bundle)
            middle.update(name="renamed", bundle=bundle)

    _refusal(rename_both)
    assert scene.owner.get_storage_folder(scene.middle.uuid).name == "middle"
    assert scene.second.get_storage_folder(mine.uuid).name == mine.name


def test_include_org_access__for_admins_alone(scene: Scene, client: EncordUserClient) -> None:
    name = scene.top.name
    assert _uuids(client.list_storage_folders(search=name)) == []
    shown = list(client.list_storage_folders(search=name, org_access=True))
    assert _uuids(shown) == [scene.top.uuid]
    assert _uuids(scene.second.list_storage_folders(search=name, org_access=True)) == []
    _refusal(lambda: client.get_storage_folder(scene.top.uuid))
    _refusal(lambda: shown[0].update(name="taken"))


def test_move__below_a_shared_folder_shares(scene: Scene) -> None:
    scene.middle.add_group(scene.group.group_hash, StorageUserRole.USER)
    folder = scene.owner.create_storage_folder(a_name("moved"))
    below = folder.create_subfolder("below")
    _refusal(lambda: scene.second.get_storage_folder(below.uuid))
    folder.move_to_folder(scene.leaf.uuid)
    seen = scene.second.get_storage_folder(below.uuid)
    assert [e.uuid for e in seen.path_to_root] == [scene.middle.uuid, scene.leaf.uuid, folder.uuid]
    folder.move_to_folder(None)
    _refusal(lambda: scene.second.get_storage_folder(below.uuid))
