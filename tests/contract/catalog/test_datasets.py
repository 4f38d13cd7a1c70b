"""The `DatasetWrites` port: datasets, roles on them, rows in order and in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from framedex.core.access import Caller, Role, Standing
from framedex.core.datasets import DataRow, DataRowQuery, DatasetQuery, NewDataset, url_digest
from framedex.core.folders import NewFolder
from framedex.core.ids import DataRowId, DatasetId, FolderId, GroupId, ItemId, UserId, new_id
from framedex.core.items import ItemPatch
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import Group, MemberType, User, WorkspaceRole
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.catalog_items import NewItem
from tests.builders.databases import open_catalog

ALL = DataRowQuery()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


class House:
    """Puts people, folders, items and datasets into a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.owner = self.person("owner")
        self.folder = self.folder_of(self.owner)

    def person(self, name: str) -> Caller:
        user_id, email = UserId(new_id()), f"{name}@example.org"
        with self.catalog.write() as unit:
            unit.people.add_user(User(user_id, email, WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1))
        return Caller(user_id, email, (user_id,))

    def folder_of(self, owner: Caller) -> FolderId:
        folder_id = FolderId(new_id())
        with self.catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, None, "folder", owner.user_id, 1))
        return folder_id

    def dataset(
        self, title: str = "title", *, description: str = "", at: int = 1, of: Caller | None = None
    ) -> DatasetId:
        made = NewDataset(DatasetId(new_id()), title, description, (of or self.owner).user_id, at)
        with self.catalog.write() as unit:
            unit.datasets.add(made)
        return made.id

    def item(
        self,
        name: str,
        kind: ItemType = ItemType.IMAGE,
        *,
        metadata: str | None = None,
        children: Sequence[ItemId] = (),
        folder: FolderId | None = None,
    ) -> ItemId:
        url = None if children else f"file:///{name}"
        new = NewItem(
            ItemId(new_id()), folder or self.folder, kind, name, self.owner.user_id, MediaFacts(file_size=5, width=2),
            url=url, metadata=metadata, children=tuple(children),
        )  # fmt: skip
        with self.catalog.write() as unit:
            unit.items.add_many([new], user_id=self.owner.user_id, now_us=1)
        return new.id

    def link(
        self, dataset_id: DatasetId, item_ids: Sequence[ItemId], *, skip: bool = False, at: int = 10
    ) -> Sequence[DataRowId]:
        with self.catalog.write() as unit:
            return unit.datasets.link(dataset_id, item_ids, skip_linked=skip, now_us=at)

    def rows(
        self,
        dataset_id: DatasetId,
        query: DataRowQuery = ALL,
        *,
        after: DataRowId | None = None,
        limit: int = 1000,
        with_metadata: bool = False,
    ) -> Sequence[DataRow]:
        with self.catalog.read() as unit:
            return unit.datasets.rows_after(dataset_id, query, after, limit, with_metadata=with_metadata)


@pytest.fixture
def house(catalog: Catalog) -> House:
    return House(catalog)


def _titles(rows: Sequence[DataRow]) -> list[str]:
    return [row.title for row in rows]


def test_standing__is_the_best_role_of_the_caller_and_their_groups(house: House) -> None:
    dataset_id, member, group_id = house.dataset(), house.person("member"), GroupId(new_id())
    grouped = replace(member, subjects=(member.user_id, group_id))
    with house.catalog.write() as unit:
        unit.people.add_group(Group(group_id, "group", "", 1))
        assert unit.datasets.standing(house.owner, dataset_id) == Standing(role=Role.ADMIN)
        assert unit.datasets.standing(grouped, dataset_id) == Standing(role=None)
        assert unit.datasets.standing(grouped, DatasetId(new_id())) is None
        unit.datasets.set_role(dataset_id, member.user_id, Role.USER)
        unit.datasets.set_role(dataset_id, group_id, Role.ADMIN)
        assert unit.datasets.standing(grouped, dataset_id) == Standing(role=Role.ADMIN)
        assert unit.datasets.standing(member, dataset_id) == Standing(role=Role.USER)
        unit.datasets.remove_roles(dataset_id, [group_id])
        assert unit.datasets.standing(grouped, dataset_id) == Standing(role=Role.USER)
        assert [(u.email, r) for u, r in unit.datasets.user_roles(dataset_id)] == [
            ("member@example.org", Role.USER),
            ("owner@example.org", Role.ADMIN),
        ]
        assert unit.datasets.group_roles(dataset_id) == []


def test_list_after__only_what_the_caller_may_read_oldest_first(house: House) -> None:
    other = house.person("other")
    mine = [house.dataset(f"d{n}", at=n) for n in range(5)]
    theirs = house.dataset("theirs", of=other)
    with house.catalog.read() as unit:
        first = unit.datasets.list_after(house.owner, DatasetQuery(), None, 3)
        rest = unit.datasets.list_after(house.owner, DatasetQuery(), first[-1].id, 3)
        everything = unit.datasets.list_after(replace(other, sees_workspace=True), DatasetQuery(), None, 10)
    assert [d.id for d in [*first, *rest]] == mine
    assert {d.role for d in first} == {Role.ADMIN}
    assert [(d.id, d.role) for d in everything] == [(d, None) for d in mine] + [(theirs, Role.ADMIN)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (DatasetQuery(title_eq="One"), ["One"]),
        (DatasetQuery(title_eq="one"), []),
        (DatasetQuery(title_like="%o%"), ["two"]),
        (DatasetQuery(title_like="_ne"), ["One"]),
        (DatasetQuery(title_like=r"100\%"), ["100%"]),
        (DatasetQuery(title_like="100%"), ["100%", "1000"]),
        (DatasetQuery(description_eq="x"), ["two"]),
        (DatasetQuery(description_like="%"), ["One", "two", "100%", "1000"]),
        (DatasetQuery(created_before=3, created_after=1), ["two"]),
        (DatasetQuery(edited_after=50), ["1000"]),
        (DatasetQuery(edited_before=2), ["One"]),
    ],
)
def test_list_after__filters(house: House, query: DatasetQuery, expected: list[str]) -> None:
    named = [("One", ""), ("two", "x"), ("100%", ""), ("1000", "")]
    made = [house.dataset(title, description=text, at=at) for at, (title, text) in enumerate(named, 1)]
    house.link(made[-1], [house.item("a")], at=51)
    with house.catalog.read() as unit:
        assert [d.title for d in unit.datasets.list_after(house.owner, query, None, 10)] == expected


def test_link__keeps_the_order_of_the_request(house: House) -> None:
    dataset_id = house.dataset()
    items = [house.item(f"{n:03}") for n in range(200)]
    made = house.link(dataset_id, list(reversed(items)))
    rows = house.rows(dataset_id)
    assert [row.id for row in rows] == list(made)
    assert _titles(rows) == [f"{n:03}" for n in reversed(range(200))]


def test_link__skips_or_repeats(house: House) -> None:
    dataset_id = house.dataset()
    a, b = house.item("a"), house.item("b")
    assert len(house.link(dataset_id, [a, a])) == 2
    assert house.link(dataset_id, [a], skip=True) == []
    (added,) = house.link(dataset_id, [b, a, b], skip=True)
    with house.catalog.read() as unit:
        newest = unit.datasets.row_ids(dataset_id, [a, b])
        assert newest[b] == added
        assert set(unit.datasets.rows_of([a, b])) == {row.id for row in house.rows(dataset_id)}
    assert newest[a] == house.rows(dataset_id)[1].id


def test_link__touches_the_dataset_and_unlink_does(house: House) -> None:
    dataset_id = house.dataset(at=1)
    (row,) = house.link(dataset_id, [house.item("a")], at=20)
    with house.catalog.write() as unit:
        found = unit.datasets.get(house.owner, dataset_id)
        assert found is not None
        assert (found.created_at, found.edited_at) == (1, 20)
        unit.datasets.unlink(dataset_id, [row], 30)
        found = unit.datasets.get(house.owner, dataset_id)
        assert found is not None
        assert found.edited_at == 30
    assert house.rows(dataset_id) == []


def test_unlink__leaves_rows_of_other_datasets(house: House) -> None:
    one, two, item = house.dataset(), house.dataset(), house.item("a")
    (row,) = house.link(one, [item])
    with house.catalog.write() as unit:
        unit.datasets.unlink(two, [row], 2)
        assert dict(unit.datasets.rows(two, [row], with_metadata=False)) == {}
        assert [*unit.datasets.rows(one, [row], with_metadata=False)] == [row]


def test_rows_after__goes_on_behind_the_last(house: House) -> None:
    dataset_id, other = house.dataset(), house.dataset()
    items = [house.item(f"{n}") for n in range(7)]
    house.link(dataset_id, items)
    house.link(other, items)
    seen: list[DataRow] = []
    while piece := house.rows(dataset_id, after=seen[-1].id if seen else None, limit=3):
        seen.extend(piece)
    assert _titles(seen) == [str(n) for n in range(7)]


def test_rows_after__ends_a_piece_early_when_metadata_is_large(house: House) -> None:
    dataset_id = house.dataset()
    large = '{"text": "' + "x" * 5_000_000 + '"}'
    house.link(dataset_id, [house.item(f"{n}", metadata=large) for n in range(5)])
    piece = house.rows(dataset_id, with_metadata=True)
    assert _titles(piece) == ["0", "1"]
    assert piece[0].metadata == large
    assert _titles(house.rows(dataset_id, after=piece[-1].id, with_metadata=True)) == ["2", "3"]
    assert len(house.rows(dataset_id)) == 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (DataRowQuery(title_eq="cat"), ["cat"]),
        (DataRowQuery(title_like="c%"), ["cat", "cow"]),
        (DataRowQuery(title_like="C%"), ["Cat"]),
        (DataRowQuery(item_types=[ItemType.VIDEO]), ["cow"]),
        (DataRowQuery(item_types=[]), []),
        (DataRowQuery(ids=[]), []),
        (DataRowQuery(created_after=10), ["cow"]),
        (DataRowQuery(created_before=20), ["cat", "Cat"]),
        (DataRowQuery(created_after=9, created_before=20, title_like="_at"), ["cat", "Cat"]),
    ],
)
def test_rows_after__filters(house: House, query: DataRowQuery, expected: list[str]) -> None:
    dataset_id = house.dataset()
    house.link(dataset_id, [house.item("cat"), house.item("Cat")], at=10)
    house.link(dataset_id, [house.item("cow", ItemType.VIDEO)], at=20)
    assert _titles(house.rows(dataset_id, query)) == expected


def test_rows_after__shows_what_the_item_is_now(house: House) -> None:
    dataset_id, item = house.dataset(), house.item("old", metadata='{"a": 1.0}')
    (row_id,) = house.link(dataset_id, [item])
    with house.catalog.write() as unit:
        unit.items.patch(item, ItemPatch(name="new", metadata='{"a":  2e0}'), user_id=house.owner.user_id, now_us=99)
    (row,) = house.rows(dataset_id, with_metadata=True)
    assert (row.id, row.title, row.metadata, row.created_at, row.edited_at) == (row_id, "new", '{"a":  2e0}', 10, 99)
    assert (row.url, row.file_size, row.width, row.integration_kind) == ("file:///old", 5, 2, None)


def test_linked_holders__by_kind_and_addresses(house: House) -> None:
    dataset_id, other = house.dataset(), house.dataset()
    a, b = house.item("a"), house.item("b")
    group = house.item("g", ItemType.IMAGE_GROUP, children=[a, b])
    series = house.item("s", ItemType.DICOM_SERIES, children=[b, a])
    data_group = house.item("d", ItemType.GROUP, children=[a, b])
    house.link(dataset_id, [a, group, series, data_group])
    urls = ["file:///a", "file:///b"]
    wanted = {
        "image": url_digest(ItemType.IMAGE, urls[:1]),
        "not linked": url_digest(ItemType.IMAGE, urls[1:]),
        "video": url_digest(ItemType.VIDEO, urls[:1]),
        "group": url_digest(ItemType.IMAGE_GROUP, urls),
        "turned group": url_digest(ItemType.IMAGE_GROUP, urls[::-1]),
        "sequence": url_digest(ItemType.IMAGE_SEQUENCE, urls),
        "series": url_digest(ItemType.DICOM_SERIES, urls),
        "data group": url_digest(ItemType.GROUP, urls),
    }
    with house.catalog.read() as unit:
        found = unit.datasets.linked_holders(dataset_id, list(wanted.values()))
        assert unit.datasets.linked_holders(other, list(wanted.values())) == {}
    assert {name: found[d] for name, d in wanted.items() if d in found} == {
        "image": a,
        "group": group,
        "series": series,
    }
    assert url_digest(ItemType.DICOM_SERIES, urls) == url_digest(ItemType.DICOM_SERIES, urls[::-1])


def test_foreign_children__live_in_another_folder_than_their_parent(house: House) -> None:
    here, there = house.item("here"), house.item("there", folder=house.folder_of(house.owner))
    group = house.item("g", ItemType.GROUP, children=[here, there])
    with house.catalog.read() as unit:
        assert unit.datasets.foreign_children([group, here]) == [there]
        assert unit.datasets.foreign_children([here]) == []


def test_datasets_of__rows_that_are_there(house: House) -> None:
    one, two, item = house.dataset(), house.dataset(), house.item("a")
    (first,), (second,) = house.link(one, [item]), house.link(two, [item])
    with house.catalog.read() as unit:
        found = unit.datasets.datasets_of([first, second, DataRowId(new_id())])
    assert found == {first: one, second: two}


def test_detach_folders__answers_the_datasets(house: House) -> None:
    made = NewDataset(DatasetId(new_id()), "mirrored", "", house.owner.user_id, 1, backing_folder_id=house.folder)
    plain = house.dataset()
    with house.catalog.write() as unit:
        unit.datasets.add(made)
        assert unit.datasets.detach_folders([FolderId(new_id())]) == []
        assert unit.datasets.detach_folders([house.folder]) == [made.id]
        found = [unit.datasets.get(house.owner, d) for d in (made.id, plain)]
    assert [d is not None and d.backing_folder_id for d in found] == [None, None]


def test_delete_item__takes_its_rows(house: House) -> None:
    dataset_id, a, b = house.dataset(), house.item("a"), house.item("b")
    house.link(dataset_id, [a, b, a])
    with house.catalog.write() as unit:
        unit.items.delete([a])
    assert _titles(house.rows(dataset_id)) == ["b"]
