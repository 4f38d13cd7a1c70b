"""The `CurationWrites` port: collections with members, titles, candidates of filters, and presets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from framedex.core.access import Caller, Role
from framedex.core.collections import Collection, CollectionPatch, CollectionQuery, TitleHolders
from framedex.core.folders import NewFolder
from framedex.core.ids import CollectionId, FolderId, ItemId, PresetId, UserId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.paging import PageRequest, Position, SortBy
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.catalog_items import NewItem
from framedex.core.presets import WORKSPACE, Preset, PresetPatch, PresetQuery
from tests.builders.databases import open_catalog

_PAGE = PageRequest(limit=2, sort_by=SortBy.CREATED_AT)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


class House:
    """Puts people, folders and items into a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def person(self, name: str) -> Caller:
        user_id, email = UserId(new_id()), f"{name}@example.org"
        with self.catalog.write() as unit:
            unit.people.add_user(User(user_id, email, WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1))
        return Caller(user_id, email, (user_id,))

    def folder(self, owner: Caller, parent: FolderId | None = None) -> FolderId:
        folder_id = FolderId(new_id())
        with self.catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, parent, "folder", owner.user_id, 1))
        return folder_id

    def share(self, folder_id: FolderId, caller: Caller) -> None:
        with self.catalog.write() as unit:
            unit.folders.set_role(folder_id, caller.user_id, Role.USER)

    def items(
        self, owner: Caller, folder_id: FolderId, names: Sequence[str], *, is_child: bool = False
    ) -> list[ItemId]:
        new = [
            NewItem(
                ItemId(new_id()), folder_id, ItemType.IMAGE, name, owner.user_id, MediaFacts(),
                is_child=is_child, metadata=f'{{"name": "{name}"}}',
            )
            for name in names
        ]  # fmt: skip
        with self.catalog.write() as unit:
            unit.items.add_many(new, user_id=owner.user_id, now_us=1)
        return [item.id for item in new]

    def collection(self, owner: Caller, folder_id: FolderId, *, at: int = 1) -> Collection:
        made = Collection(CollectionId(new_id()), folder_id, "name", "description", owner.user_id, at, at)
        with self.catalog.write() as unit:
            unit.curation.add_collection(made)
        return made

    def preset(self, owner: Caller, folder_id: FolderId = WORKSPACE, *, at: int = 1) -> Preset:
        made = Preset(PresetId(new_id()), folder_id, "name", "description", owner.user_id, at, at)
        with self.catalog.write() as unit:
            unit.curation.add_preset(made, '{"exact":  1.0}')
        return made


@pytest.fixture
def house(catalog: Catalog) -> House:
    return House(catalog)


@pytest.fixture
def ada(house: House) -> Caller:
    return house.person("ada")


@pytest.fixture
def bob(house: House) -> Caller:
    return house.person("bob")


def _members(catalog: Catalog, collection: Collection, visible_to: Caller | None = None) -> Sequence[ItemId]:
    with catalog.read() as unit:
        return unit.curation.member_ids(collection.id, after=None, limit=1000, visible_to=visible_to)


def _listed(catalog: Catalog, caller: Caller, query: CollectionQuery) -> list[CollectionId]:
    found: list[CollectionId] = []
    after: Position | None = None
    while True:
        with catalog.read() as unit:
            page = unit.curation.collections_page(caller, query, replace(_PAGE, after=after))
        found.extend(row.id for row in page.rows)
        after = page.after
        if after is None:
            return found


def test_collection__is_read_as_written(catalog: Catalog, house: House, ada: Caller) -> None:
    made = house.collection(ada, house.folder(ada))
    with catalog.read() as unit:
        assert unit.curation.collection(made.id) == made
        assert unit.curation.collection(CollectionId(new_id())) is None


def test_patch_collection__changes_what_is_named(catalog: Catalog, house: House, ada: Caller) -> None:
    made = house.collection(ada, house.folder(ada))
    with catalog.write() as unit:
        unit.curation.patch_collection(made.id, CollectionPatch(description=""), 7)
    with catalog.read() as unit:
        assert unit.curation.collection(made.id) == replace(made, description="", edited_at=7)


def test_collections_page__in_order_of_age_in_readable_folders(
    catalog: Catalog, house: House, ada: Caller, bob: Caller
) -> None:
    first, second = house.folder(ada), house.folder(ada)
    late = [house.collection(ada, first, at=9).id for _ in range(3)]
    early = [house.collection(ada, second, at=3).id for _ in range(2)]
    assert _listed(catalog, ada, CollectionQuery()) == sorted(early) + sorted(late)
    assert _listed(catalog, ada, CollectionQuery(folder_id=first)) == sorted(late)
    assert _listed(catalog, ada, CollectionQuery(first, [late[1], early[0]])) == [late[1]]
    assert _listed(catalog, bob, CollectionQuery()) == []
    house.share(second, bob)
    assert _listed(catalog, bob, CollectionQuery()) == sorted(early)
    assert _listed(catalog, replace(bob, sees_workspace=True), CollectionQuery()) == sorted(early) + sorted(late)


def test_add_members__answers_those_that_came(catalog: Catalog, house: House, ada: Caller) -> None:
    folder = house.folder(ada)
    ids = house.items(ada, folder, ["a", "b", "c"])
    made = house.collection(ada, folder)
    with catalog.write() as unit:
        assert set(unit.curation.add_members(made.id, ids[:2], 5)) == set(ids[:2])
        assert unit.curation.add_members(made.id, [*ids, ItemId(new_id())], 6) == [ids[2]]
        assert unit.curation.add_members(made.id, ids, 7) == []
    assert _members(catalog, made) == sorted(ids)
    with catalog.read() as unit:
        assert unit.curation.collection(made.id) == replace(made, edited_at=6)


def test_remove_members__answers_those_that_went(catalog: Catalog, house: House, ada: Caller) -> None:
    folder = house.folder(ada)
    ids = sorted(house.items(ada, folder, ["a", "b", "c"]))
    made, same = house.collection(ada, folder), house.collection(ada, folder)
    with catalog.write() as unit:
        unit.curation.add_members(made.id, ids[:2], 5)
        unit.curation.add_members(same.id, ids, 5)
        assert unit.curation.remove_members(made.id, ids[1:], 6) == [ids[1]]
    assert _members(catalog, made) == ids[:1]
    assert _members(catalog, same) == ids


def test_member_ids__pages_and_rights(catalog: Catalog, house: House, ada: Caller, bob: Caller) -> None:
    shared, hidden = house.folder(ada), house.folder(ada)
    seen = house.items(ada, shared, ["a", "b", "c"])
    ids = sorted([*seen, *house.items(ada, hidden, ["d", "e"])])
    made = house.collection(ada, shared)
    house.share(shared, bob)
    with catalog.write() as unit:
        unit.curation.add_members(made.id, ids, 5)
    with catalog.read() as unit:
        assert unit.curation.member_ids(made.id, after=None, limit=2) == ids[:2]
        assert unit.curation.member_ids(made.id, after=ids[1], limit=2) == ids[2:4]
        assert unit.curation.member_ids(made.id, after=ids[-1], limit=2) == []
    assert _members(catalog, made, visible_to=bob) == sorted(seen)


def test_delete_collections__takes_memberships_and_no_items(catalog: Catalog, house: House, ada: Caller) -> None:
    folder = house.folder(ada)
    ids = house.items(ada, folder, ["a"])
    gone, kept = house.collection(ada, folder), house.collection(ada, folder)
    with catalog.write() as unit:
        for each in (gone, kept):
            unit.curation.add_members(each.id, ids, 5)
        unit.curation.delete_collections([gone.id])
    assert _members(catalog, gone) == []
    assert _members(catalog, kept) == ids
    with catalog.read() as unit:
        assert list(unit.items.get_many(ids)) == ids


def test_title_holders__below_the_folder_without_frames(
    catalog: Catalog, house: House, ada: Caller, bob: Caller
) -> None:
    top = house.folder(ada)
    below, elsewhere = house.folder(ada, top), house.folder(ada)
    (one,) = house.items(ada, below, ["one"])
    two = sorted([*house.items(ada, top, ["two"]), *house.items(ada, below, ["two"])])
    house.items(ada, elsewhere, ["one", "elsewhere"])
    house.items(ada, top, ["one", "frame"], is_child=True)
    titles = ["one", "two", "ONE", "elsewhere", "frame", "o%"]
    with catalog.read() as unit:
        found = unit.curation.title_holders(ada, top, titles)
        assert found == {"one": TitleHolders(1, one), "two": TitleHolders(2, two[0])}
        assert unit.curation.title_holders(bob, top, titles) == {}


def test_candidates__below_the_folder_without_frames(catalog: Catalog, house: House, ada: Caller, bob: Caller) -> None:
    top = house.folder(ada)
    below = house.folder(ada, top)
    ids = [*house.items(ada, top, [f"n{i}" for i in range(40)]), *house.items(ada, below, ["deep"])]
    house.items(ada, house.folder(ada), ["elsewhere"])
    house.items(ada, top, ["frame"], is_child=True)
    with catalog.read() as unit:
        found = list(unit.curation.candidates(ada, top))
        assert list(unit.curation.candidates(bob, top)) == []
    assert {candidate.item.id for candidate in found} == set(ids)
    assert len(found) == len(ids)
    assert {c.item.name: c.item.metadata for c in found}["deep"] == '{"name": "deep"}'


def test_candidates__know_the_collections_that_the_caller_sees(
    catalog: Catalog, house: House, ada: Caller, bob: Caller
) -> None:
    shared, hidden = house.folder(ada), house.folder(ada)
    (item_id, _) = house.items(ada, shared, ["a", "b"])
    house.share(shared, bob)
    seen, unseen = house.collection(ada, shared), house.collection(ada, hidden)
    with catalog.write() as unit:
        for each in (seen, unseen):
            unit.curation.add_members(each.id, [item_id], 5)
    with catalog.read() as unit:
        of_ada = {c.item.name: c.collection_ids for c in unit.curation.candidates(ada, shared)}
        of_bob = {c.item.name: c.collection_ids for c in unit.curation.candidates(bob, shared)}
    assert of_ada == {"a": {seen.id, unseen.id}, "b": frozenset()}
    assert of_bob == {"a": {seen.id}, "b": frozenset()}


def test_candidates__are_of_one_moment(catalog: Catalog, house: House, ada: Caller) -> None:
    folder = house.folder(ada)
    names = [f"n{i}" for i in range(200)]
    house.items(ada, folder, names)
    with catalog.read() as unit:
        walk = unit.curation.candidates(ada, folder)
        first = next(walk)
        house.items(ada, folder, ["late"])
        assert sorted([first.item.name, *(c.item.name for c in walk)]) == sorted(names)


def test_preset__is_read_as_written(catalog: Catalog, house: House, ada: Caller) -> None:
    made = house.preset(ada)
    with catalog.read() as unit:
        assert unit.curation.preset(made.id) == made
        assert unit.curation.definition(made.id) == '{"exact":  1.0}'
        assert unit.curation.preset(PresetId(new_id())) is None


def test_patch_preset__changes_what_is_named(catalog: Catalog, house: House, ada: Caller) -> None:
    made = house.preset(ada)
    with catalog.write() as unit:
        unit.curation.patch_preset(made.id, PresetPatch(name="other"), 7)
    with catalog.read() as unit:
        assert unit.curation.preset(made.id) == replace(made, name="other", edited_at=7)
        assert unit.curation.definition(made.id) == '{"exact":  1.0}'
    with catalog.write() as unit:
        unit.curation.patch_preset(made.id, PresetPatch(definition="{}"), 8)
        assert unit.curation.definition(made.id) == "{}"


def test_presets_page__of_the_workspace_and_of_readable_folders(
    catalog: Catalog, house: House, ada: Caller, bob: Caller
) -> None:
    shared, hidden = house.folder(ada), house.folder(ada)
    house.share(shared, bob)
    common, here, there = house.preset(ada), house.preset(ada, shared, at=2), house.preset(ada, hidden, at=3)
    wide = replace(_PAGE, limit=100)
    with catalog.read() as unit:
        pages = {
            "ada": unit.curation.presets_page(ada, PresetQuery(), wide).rows,
            "bob": unit.curation.presets_page(bob, PresetQuery(), wide).rows,
            "bob here": unit.curation.presets_page(bob, PresetQuery(shared), wide).rows,
            "bob there": unit.curation.presets_page(bob, PresetQuery(hidden), wide).rows,
            "ada by ids": unit.curation.presets_page(ada, PresetQuery(ids=[there.id]), wide).rows,
        }
        first = unit.curation.presets_page(ada, PresetQuery(), _PAGE)
        rest = unit.curation.presets_page(ada, PresetQuery(), replace(_PAGE, after=first.after))
    assert pages == {
        "ada": [common, here, there],
        "bob": [common, here],
        "bob here": [common, here],
        "bob there": [common],
        "ada by ids": [there],
    }
    assert (first.rows, rest.rows, rest.after) == ([common, here], [there], None)


def test_of_folders__finds_what_lives_there(catalog: Catalog, house: House, ada: Caller) -> None:
    folder, another = house.folder(ada), house.folder(ada)
    collection, preset = house.collection(ada, folder), house.preset(ada, folder)
    house.collection(ada, another)
    house.preset(ada)
    with catalog.write() as unit:
        assert unit.curation.of_folders([folder]) == ([collection.id], [preset.id])
        unit.curation.delete_presets([preset.id])
        assert unit.curation.preset(preset.id) is None
