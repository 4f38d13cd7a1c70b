"""The `SyncWrites` port, and what ends with items and folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, ItemId, UserId, new_id
from framedex.core.items import Item
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog import Catalog, WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_sync import DueSidecar, SyncedObject
from tests.builders.databases import open_catalog

OWNER = UserId(new_id())


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def folder(catalog: Catalog) -> FolderId:
    folder_id = FolderId(new_id())
    with catalog.write() as unit:
        unit.people.add_user(User(OWNER, f"{folder_id}@x", WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1))
        unit.folders.add(NewFolder(folder_id, None, "folder", OWNER, 1))
    return folder_id


def item(unit: WriteUnit, folder: FolderId, key: str) -> ItemId:
    """An item of an object, and what is known of the object."""
    new = NewItem(ItemId(new_id()), folder, ItemType.IMAGE, key, OWNER, MediaFacts(file_size=1, width=5), url=key)
    unit.items.add_many([new], user_id=OWNER, now_us=1)
    unit.syncs.put(folder, [SyncedObject(key, '"e"', 1, new.id)])
    return new.id


def sidecar(key: str, etag: str = '"s"') -> SyncedObject:
    return SyncedObject(key, etag, 7, media_key=key.removesuffix(".meta"))


def read(catalog: Catalog, item_id: ItemId) -> Item:
    with catalog.read() as unit:
        return unit.items.get_many([item_id])[item_id]


def test_between__by_code_points_and_bounds(catalog: Catalog, folder: FolderId) -> None:
    keys = ["Z", "a", "a b", "a-", "a/b", "é", "\uff21", "\U0001f600"]
    with catalog.write() as unit:
        unit.syncs.put(folder, [SyncedObject(key, None, 1) for key in reversed(keys)])
    with catalog.read() as unit:
        assert list(unit.syncs.between(folder, None, None)) == sorted(keys)
        assert list(unit.syncs.between(folder, "a", "a/b")) == ["a b", "a-", "a/b"]
        assert list(unit.syncs.between(folder, "é", None)) == ["\uff21", "\U0001f600"]
        assert dict(unit.syncs.between(FolderId(new_id()), None, None)) == {}


def test_due_sidecars__whichever_comes_first_until_it_is_given(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        unit.syncs.put(folder, [sidecar("a.meta"), sidecar("b.meta"), sidecar("c.meta")])
        assert unit.syncs.due_sidecars(folder, None, 10) == [], "nothing that they are about is there"
        a, b = item(unit, folder, "a"), item(unit, folder, "b")
        due = unit.syncs.due_sidecars(folder, None, 10)
        assert due == [DueSidecar("a.meta", '"s"', 7, a), DueSidecar("b.meta", '"s"', 7, b)]
        assert unit.syncs.due_sidecars(folder, "a.meta", 10) == due[1:]
        assert unit.syncs.due_sidecars(folder, None, 1) == due[:1]
        unit.syncs.given(folder, due[0], 3)
        assert unit.syncs.due_sidecars(folder, None, 10) == due[1:]
        unit.syncs.put(folder, [sidecar("a.meta", '"changed"')])
        kept = unit.syncs.get(folder, "a.meta")
        assert kept is not None
        assert (kept.item_id, kept.given_version) == (a, 3), "what it gave stays known"
        assert [d.key for d in unit.syncs.due_sidecars(folder, None, 10)] == ["a.meta", "b.meta"]
        unit.syncs.set_gone(folder, ["b"], is_gone=True)
        assert [d.key for d in unit.syncs.due_sidecars(folder, None, 10)] == ["a.meta"]


def test_put__an_object_that_becomes_a_sidecar_belongs_to_no_item(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        item(unit, folder, "a.meta")
        unit.syncs.put(folder, [sidecar("a.meta")])
        found = unit.syncs.get(folder, "a.meta")
    assert found is not None
    assert (found.item_id, found.is_sidecar) == (None, True)


def test_delete__of_an_item_forgets_its_object_and_what_its_sidecar_gave(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        a = item(unit, folder, "a")
        item(unit, folder, "b")
        unit.syncs.put(folder, [sidecar("a.meta")])
        unit.syncs.given(folder, DueSidecar("a.meta", '"s"', 7, a), 1)
        unit.items.delete([a])
        assert list(unit.syncs.between(folder, None, None)) == ["b"]


def test_delete__of_a_folder_forgets_all(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        unit.syncs.put(folder, [sidecar("a.meta")])
        unit.folders.delete([folder])
        assert dict(unit.syncs.between(folder, None, None)) == {}


def test_forget__names_alone(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        unit.syncs.put(folder, [sidecar("a.meta"), sidecar("b.meta")])
        unit.syncs.forget(folder, ["a.meta", "no such"])
        assert list(unit.syncs.between(folder, None, None)) == ["b.meta"]


def test_refresh__new_facts_and_the_rest_stays(catalog: Catalog, folder: FolderId) -> None:
    with catalog.write() as unit:
        a = item(unit, folder, "a")
        unit.items.set_tombstones([a], is_tombstone=True, now_us=2)
        unit.items.mark_changed(a, 2)
    assert read(catalog, a).is_tombstone
    with catalog.write() as unit:
        unit.items.refresh(a, MediaFacts(file_size=9, height=6), ObjectInfo(9, '"new"'), now_us=3)
    found = read(catalog, a)
    assert (found.file_size, found.width, found.height, found.remote_etag) == (9, None, 6, '"new"')
    assert (found.name, found.url, found.item_type, found.created_at, found.edited_at) == (
        "a",
        "a",
        ItemType.IMAGE,
        1,
        3,
    )
    assert (found.is_tombstone, found.object_changed_at) == (False, None)
