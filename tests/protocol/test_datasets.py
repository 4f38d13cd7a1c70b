"""Datasets through the SDK: create, list, get, users, groups (sequences 41 and 46)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from encord import EncordUserClient
from encord.dataset import Dataset
from encord.exceptions import DatasetError, InvalidArgumentsError, ResourceNotFoundError
from encord.group import Group
from encord.orm.dataset import DatasetAccessSettings, DatasetInfo, DatasetUserRole, StorageLocation

from tests.protocol.curated import Server, register
from tests.protocol.people import a_name, added_email

pytestmark = pytest.mark.protocol

CORD = StorageLocation.CORD_STORAGE


@pytest.fixture
def dataset(client: EncordUserClient) -> Dataset:
    """A new dataset of `client`, without a folder."""
    made = client.create_dataset(a_name("dataset"), CORD, create_backing_folder=False)
    return client.get_dataset(made.dataset_hash)


@pytest.fixture
def group(client: EncordUserClient) -> Iterator[Group]:
    made = client.create_group(a_name("group"), "Readers")
    yield made
    client.delete_group(made.group_hash)


def _infos(client: EncordUserClient, **filters: object) -> list[DatasetInfo]:
    return [found["dataset"] for found in client.get_datasets(**filters)]  # type: ignore[arg-type]  # forwarded


def _hashes(client: EncordUserClient, **filters: object) -> list[str]:
    return [info.dataset_hash for info in _infos(client, **filters)]


@pytest.mark.works("POST datasets", "v1 GET dataset")
def test_create_dataset__with_a_mirror_folder(client: EncordUserClient, second: EncordUserClient) -> None:
    title = a_name("mirrored")
    made = client.create_dataset(title, CORD, "Größe 🚗")
    found = second.get_dataset(made.dataset_hash)
    assert (found.title, found.description, found.dataset_hash) == (title, "Größe 🚗", made.dataset_hash)
    assert found.backing_folder_uuid == made.backing_folder_uuid is not None
    assert found.storage_location is CORD
    assert found.data_rows == []
    synced = {folder.uuid: folder.name for folder in second.list_storage_folders(search=title, dataset_synced=True)}
    assert synced == {made.backing_folder_uuid: title}


def test_create_dataset__without_a_folder(client: EncordUserClient, second: EncordUserClient) -> None:
    title = a_name("plain")
    made = client.create_dataset(title, CORD, create_backing_folder=False)
    found = second.get_dataset(UUID(made.dataset_hash))
    assert made.backing_folder_uuid is found.backing_folder_uuid is None
    assert found.description == ""
    assert list(second.list_storage_folders(search=title)) == []


def test_create_dataset__by_the_deprecated_call(client: EncordUserClient, second: EncordUserClient) -> None:
    with pytest.deprecated_call():
        made = client.create_private_dataset(a_name("private"), StorageLocation.AWS)
    assert second.get_dataset(made.dataset_hash).backing_folder_uuid == made.backing_folder_uuid is not None


def test_create_dataset__needs_a_title(client: EncordUserClient) -> None:
    with pytest.raises(InvalidArgumentsError, match="title"):
        client.create_dataset("  ", CORD)


def test_get_dataset__without_rows_does_not_pretend_to_have_none(dataset: Dataset, second: EncordUserClient) -> None:
    found = second.get_dataset(dataset.dataset_hash, include_data_rows=False)
    assert found.title == dataset.title
    with pytest.raises(DatasetError):
        _ = found.data_rows


def test_get_dataset__unknown(client: EncordUserClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.get_dataset(uuid4())


@pytest.mark.works("GET datasets/list")
def test_get_datasets__by_title_and_description(client: EncordUserClient, second: EncordUserClient) -> None:
    stem = a_name("list")
    first = client.create_dataset(f"{stem} One", CORD, f"{stem}/é").dataset_hash
    other = client.create_dataset(f"{stem} two", CORD, f"{stem}/ü", create_backing_folder=False).dataset_hash
    assert _hashes(second, title_like=f"{stem}%") == [first, other]
    assert _hashes(second, title_eq=f"{stem} One") == [first]
    assert _hashes(second, title_like=f"{stem} T%") == []
    assert _hashes(second, title_like=f"{stem} t__") == [other]
    assert _hashes(second, desc_eq=f"{stem}/ü") == [other]
    assert _hashes(second, desc_like=f"{stem}/%", title_like="%One") == [first]
    entry = second.get_datasets(title_eq=f"{stem} One")[0]
    assert entry["user_role"] is DatasetUserRole.ADMIN
    assert entry["dataset"].backing_folder_uuid == second.get_dataset(first).backing_folder_uuid


def test_get_datasets__by_time(client: EncordUserClient, second: EncordUserClient) -> None:
    title = a_name("timed")
    made = client.create_dataset(title, CORD).dataset_hash
    created = _infos(second, title_eq=title)[0].created_at
    before, after = created - timedelta(seconds=1), created + timedelta(seconds=1)
    assert _hashes(second, title_eq=title, created_after=before, created_before=after) == [made]
    assert _hashes(second, title_eq=title, created_after=created) == []
    assert _hashes(second, title_eq=title, created_before=created) == []
    assert _hashes(second, title_eq=title, edited_after=before.isoformat(), edited_before=after.isoformat()) == [made]
    assert _hashes(second, title_eq=title, edited_after=after) == []


def test_get_datasets__edited_moves_when_rows_come_and_go(
    client: EncordUserClient, second: EncordUserClient, server: Server
) -> None:
    made = client.create_dataset(a_name("edited"), CORD)
    assert made.backing_folder_uuid is not None
    created = _infos(second, title_eq=made.title)[0].last_edited_at
    register(server, client.get_storage_folder(made.backing_folder_uuid), [("one", {})])
    info = _infos(second, title_eq=made.title)[0]
    assert info.last_edited_at > created == info.created_at


def test_get_datasets__of_the_workspace_for_its_admin(client: EncordUserClient, other: EncordUserClient) -> None:
    title = a_name("hidden")
    made = other.create_dataset(title, CORD).dataset_hash
    assert _hashes(client, title_eq=title) == []
    found = client.get_datasets(title_eq=title, include_org_access=True)
    assert [(f["dataset"].dataset_hash, f["user_role"]) for f in found] == [(made, None)]
    theirs = client.create_dataset(a_name("not theirs"), CORD).title
    assert other.get_datasets(title_eq=theirs, include_org_access=True) == []


def test_set_access_settings__refetches(dataset: Dataset) -> None:
    dataset.set_access_settings(DatasetAccessSettings(fetch_client_metadata=True))
    assert dataset.data_rows == []


@pytest.mark.works("v1 POST datasetusers", "GET datasets/{}/users", "POST datasets/{}/users/bulk-delete")
def test_users__added_listed_removed(dataset: Dataset, client: EncordUserClient, second: EncordUserClient) -> None:
    emails = sorted([added_email(client), added_email(client)])
    added = dataset.add_users(emails, DatasetUserRole.USER)
    assert {(u.user_email, u.user_role, u.dataset_hash) for u in added} == {
        (email, DatasetUserRole.USER, dataset.dataset_hash) for email in emails
    }
    read = second.get_dataset(dataset.dataset_hash)
    roles = {u.user_email: u.user_role for u in read.list_users()}
    assert roles == dict.fromkeys(emails, DatasetUserRole.USER) | {"owner@example.org": DatasetUserRole.ADMIN}
    dataset.remove_users([emails[0], "nobody@example.org"])
    assert {u.user_email for u in read.list_users()} == {emails[1], "owner@example.org"}


def test_users__who_has_a_role_keeps_it(dataset: Dataset, client: EncordUserClient) -> None:
    email = added_email(client)
    dataset.add_users([email], DatasetUserRole.USER)
    again = dataset.add_users([email.upper()], DatasetUserRole.ADMIN)
    assert [(u.user_email, u.user_role) for u in again] == [(email, DatasetUserRole.USER)]


def test_users__strangers_are_refused_all_together(dataset: Dataset, client: EncordUserClient) -> None:
    email = added_email(client)
    with pytest.raises(InvalidArgumentsError, match=r"stranger@example\.com"):
        dataset.add_users([email, "stranger@example.com"], DatasetUserRole.USER)
    assert email not in {u.user_email for u in dataset.list_users()}


def test_users__the_last_admin_stays(dataset: Dataset, client: EncordUserClient) -> None:
    with pytest.raises(InvalidArgumentsError, match="nobody with the role ADMIN"):
        dataset.remove_users(["owner@example.org"])
    email = added_email(client)
    dataset.add_users([email], DatasetUserRole.ADMIN)
    dataset.remove_users(["owner@example.org"])
    with pytest.raises(ResourceNotFoundError):
        client.get_dataset(dataset.dataset_hash)


@pytest.mark.works("GET datasets/{}/groups", "POST datasets/{}/groups", "DELETE datasets/{}/groups")
def test_groups__added_listed_removed(dataset: Dataset, second: EncordUserClient, group: Group) -> None:
    read = second.get_dataset(dataset.dataset_hash)
    dataset.add_group(group.group_hash, DatasetUserRole.USER)
    listed = list(read.list_groups())
    assert [(g.group_hash, g.name, g.description, g.user_role) for g in listed] == [
        (group.group_hash, group.name, "Readers", DatasetUserRole.USER)
    ]
    assert listed[0].is_same_organisation
    dataset.add_group([group.group_hash], DatasetUserRole.ADMIN)
    assert [g.user_role for g in read.list_groups()] == [DatasetUserRole.ADMIN]
    dataset.remove_group(group.group_hash)
    assert list(read.list_groups()) == []


def test_groups__unknown_ones_are_refused(dataset: Dataset, group: Group) -> None:
    with pytest.raises(InvalidArgumentsError, match="no group"):
        dataset.add_group([group.group_hash, uuid4()], DatasetUserRole.USER)
    assert list(dataset.list_groups()) == []


def test_get_cloud_integrations__of_a_dataset(dataset: Dataset, server: Server) -> None:
    with pytest.deprecated_call():
        found = dataset.get_cloud_integrations()
    assert server.integration_id in {integration.id for integration in found}


def test_created_at__is_an_instant_with_its_zone(client: EncordUserClient) -> None:
    made = client.create_dataset(a_name("zone"), CORD)
    created = _infos(client, title_eq=made.title)[0].created_at
    assert abs(datetime.now(tz=created.tzinfo) - created) < timedelta(minutes=1)
    assert created.tzinfo is not None
