"""Lists of folders through the SDK: pages, order, search (sdk-protocol 2.1; sequences 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest
import sqlalchemy as sa
from encord import EncordUserClient
from encord.exceptions import ResourceExistsError, ResourceNotFoundError
from encord.orm.project import OrganisationTag
from encord.orm.storage import (
    FoldersSortBy,
)
from encord.storage import StorageFolder

from framedex.stores.catalog.tables import folder_tags
from tests.builders.databases import open_catalog
from tests.protocol.curated import Server
from tests.protocol.people import a_name
from tests.protocol.signing import call

pytestmark = pytest.mark.protocol


def _names(folders: Iterable[StorageFolder]) -> list[str]:
    return [folder.name for folder in folders]


def _uuids(folders: Iterable[StorageFolder]) -> list[UUID]:
    return [folder.uuid for folder in folders]


@pytest.fixture
def five(client: EncordUserClient) -> tuple[str, list[StorageFolder]]:
    """A unique stem, and five top-level folders named after it, in the order of their creation."""
    stem = a_name("page")
    return stem, [client.create_storage_folder(f"{stem} {letter}") for letter in "bAücZ"]


@pytest.mark.works("GET storage/folders")
@pytest.mark.parametrize("page_size", [1, 2, 5, 1000])
def test_list_storage_folders__pages(
    five: tuple[str, list[StorageFolder]], client: EncordUserClient, second: EncordUserClient, page_size: int
) -> None:
    stem, folders = five
    folders[0].update(description="first")
    found = list(second.list_storage_folders(search=stem, page_size=page_size))
    assert _names(found) == [f"{stem} {letter}" for letter in "AZbcü"], "the order is by code point"
    assert [folder.description for folder in found] == ["", "", "first", "", ""]


@pytest.mark.parametrize("descending", [False, True])
def test_list_storage_folders__in_order_of_creation(
    five: tuple[str, list[StorageFolder]], second: EncordUserClient, *, descending: bool
) -> None:
    stem, folders = five
    found = second.list_storage_folders(search=stem, page_size=2, order=FoldersSortBy.CREATED_AT, desc=descending)
    expected = _uuids(folders)
    assert _uuids(found) == (expected[::-1] if descending else expected)


def test_list_storage_folders__descending_names(
    five: tuple[str, list[StorageFolder]], second: EncordUserClient
) -> None:
    stem, _ = five
    found = second.list_storage_folders(search=stem, page_size=2, desc=True)
    assert _names(found) == [f"{stem} {letter}" for letter in "ücbZA"]


def test_list_storage_folders__equal_names_are_each_told_once(
    client: EncordUserClient, second: EncordUserClient
) -> None:
    name = a_name("same")
    made = [client.create_storage_folder(name).uuid for _ in range(5)]
    assert sorted(_uuids(second.list_storage_folders(search=name, page_size=2))) == sorted(made)


def test_list_storage_folders__a_change_between_pages_loses_and_repeats_nothing(
    five: tuple[str, list[StorageFolder]], client: EncordUserClient, second: EncordUserClient
) -> None:
    stem, folders = five
    walk = iter(second.list_storage_folders(search=stem, page_size=2))
    seen = [next(walk).name, next(walk).name]
    client.create_storage_folder(f"{stem} 0 before")
    client.create_storage_folder(f"{stem} a after")
    folders[1].delete()
    seen += _names(walk)
    assert seen == [f"{stem} {rest}" for rest in ("A", "Z", "a after", "b", "c", "ü")]


@pytest.mark.parametrize("size", [0, 1001, -1])
def test_list_storage_folders__page_sizes_are_limited(server: Server, client: EncordUserClient, size: int) -> None:
    answer = call(server, client, "GET", "storage/folders", query=[("pageSize", str(size))])
    assert (answer.status_code, answer.json()["message"]) == (400, f"pageSize must be from 1 to 1000; this is {size}")


@pytest.mark.parametrize("token", ["x", "e30", "", "0" * 2000])
def test_list_storage_folders__foreign_page_tokens_are_refused(
    server: Server, client: EncordUserClient, token: str
) -> None:
    assert call(server, client, "GET", "storage/folders", query=[("pageToken", token)]).status_code == 400


def test_list_storage_folders__a_token_of_another_query_is_refused(
    server: Server, client: EncordUserClient, five: tuple[str, list[StorageFolder]]
) -> None:
    query = [("search", five[0]), ("pageSize", "2")]
    token = call(server, client, "GET", "storage/folders", query=query).json()["nextPageToken"]
    again = [*query[1:], ("search", "other"), ("pageToken", token)]
    answer = call(server, client, "GET", "storage/folders", query=again)
    assert (answer.status_code, "another query" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "finds"),
    [("STRASSE", False), ("straße", True), ("STRAßE", True), ("É", True), ("é_", False), ("%", False), ("\\", True)],
)
def test_search__is_a_substring_without_case(
    client: EncordUserClient, second: EncordUserClient, text: str, *, finds: bool
) -> None:
    mark = a_name("")
    made = client.create_storage_folder(f"Straße caf\u00e9\\ {mark}")
    found = [f for f in second.list_storage_folders(search=text, page_size=1000) if f.name.endswith(mark)]
    assert _uuids(found) == ([made.uuid] if finds else [])


def test_list_storage_folders__are_the_top_level_alone(client: EncordUserClient, second: EncordUserClient) -> None:
    name = a_name("level")
    top = client.create_storage_folder(name)
    top.create_subfolder(name)
    assert _uuids(second.list_storage_folders(search=name)) == [top.uuid]


@pytest.mark.works("GET storage/search/folders")
def test_find_storage_folders__look_everywhere(client: EncordUserClient, second: EncordUserClient) -> None:
    stem = a_name("find")
    top = client.create_storage_folder(f"{stem} 1")
    leaf = top.create_subfolder("between").create_subfolder(f"{stem} 2")
    assert _uuids(second.find_storage_folders(search=stem, page_size=1)) == [top.uuid, leaf.uuid]


@pytest.mark.works("GET storage/folders/{}/folders")
def test_subfolders__listed_and_found(client: EncordUserClient, second: EncordUserClient) -> None:
    top = client.create_storage_folder(a_name("top"))
    children = [top.create_subfolder(name) for name in ("c", "a", "b")]
    leaf = children[0].create_subfolder("a leaf")
    seen = second.get_storage_folder(top.uuid)
    assert _names(seen.list_subfolders(page_size=2)) == ["a", "b", "c"]
    assert _names(seen.list_subfolders(search="B")) == ["b"]
    assert _names(seen.find_subfolders(page_size=2)) == ["a", "a leaf", "b", "c"]
    assert _uuids(seen.find_subfolders(search="LEAF")) == [leaf.uuid]
    assert _uuids(seen.list_subfolders(search="leaf")) == []


def test_list_storage_folders__synced_with_a_dataset(client: EncordUserClient, folder: StorageFolder) -> None:
    assert folder.uuid in _uuids(client.list_storage_folders(search=folder.name, dataset_synced=False))
    assert _uuids(client.list_storage_folders(search=folder.name, dataset_synced=True)) == []


def _tag(server: Server, folder: StorageFolder, tag: OrganisationTag) -> None:
    """The SDK can filter folders by tags, but not tag one."""
    catalog = open_catalog(server.data)
    with catalog.write() as unit:
        unit.connection.execute(sa.insert(folder_tags).values(folder_id=str(folder.uuid), tag_id=str(tag.uuid)))
    catalog.close()


@pytest.mark.works(
    "GET organisation/organisation-tags",
    "POST organisation/organisation-tags",
    "DELETE organisation/organisation-tags/{}",
)
def test_tags__filter_folders(
    server: Server, client: EncordUserClient, second: EncordUserClient, folder: StorageFolder
) -> None:
    name, more = a_name("tag"), a_name("tag")
    tag, _ = client.create_organisation_tag(name), client.create_organisation_tag(more)
    with pytest.raises(ResourceExistsError):
        client.create_organisation_tag(name)
    assert [t.uuid for t in second.list_organisation_tags() if t.name == name] == [tag.uuid]
    assert _uuids(second.list_storage_folders(organisation_tags_allof=[name])) == []
    _tag(server, folder, tag)
    assert _uuids(second.list_storage_folders(organisation_tags_allof=[name])) == [folder.uuid]
    assert _uuids(second.list_storage_folders(organisation_tags_allof=[name, more])) == []
    assert _uuids(second.find_storage_folders(organisation_tags_allof=[tag])) == [folder.uuid]
    with pytest.raises(ResourceNotFoundError):
        list(client.list_storage_folders(organisation_tags_allof=[a_name("unknown")]))
    client.delete_organisation_tag(tag_name=name)
    client.delete_organisation_tag(tag_name=more)
    assert {name, more}.isdisjoint(t.name for t in second.list_organisation_tags())
