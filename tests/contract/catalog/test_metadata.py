"""The `MetadataWrites` port: schema versions, quarantine, vectors, and going through all metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.core.access import Caller, Role
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, ItemId, UserId, new_id
from framedex.core.items import ItemPatch
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.catalog import WriteUnit
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_metadata import CurrentText, Misfit, QuarantineCount, SchemaVersion, Vector
from tests.builders.databases import open_catalog


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[WriteUnit]:
    """A transaction on an empty catalog: what is written is read back inside it."""
    opened = open_catalog(tmp_path)
    with opened.write() as found:
        yield found
    opened.close()


def _person(unit: WriteUnit, name: str = "ada") -> Caller:
    user_id, email = UserId(new_id()), f"{name}@example.org"
    unit.people.add_user(User(user_id, email, WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1))
    return Caller(user_id, email, (user_id,))


def _folder(unit: WriteUnit, owner: Caller) -> FolderId:
    folder_id = FolderId(new_id())
    unit.folders.add(NewFolder(folder_id, None, "folder", owner.user_id, 1))
    return folder_id


def _item(unit: WriteUnit, owner: Caller, folder_id: FolderId, metadata: str | None = "{}") -> ItemId:
    item_id = ItemId(new_id())
    new = NewItem(item_id, folder_id, ItemType.IMAGE, "item", owner.user_id, MediaFacts(), metadata=metadata)
    unit.items.add_many([new], user_id=owner.user_id, now_us=1)
    return item_id


def _version(number: int, text: str = "{}") -> SchemaVersion:
    return SchemaVersion(number, text, "ada@example.org", number * 10)


def test_schema__every_version_is_kept(unit: WriteUnit) -> None:
    ada = _person(unit)
    assert (unit.metadata.schema(), unit.metadata.schema_number()) == (None, 0)
    for number in (1, 2, 3):
        unit.metadata.add_schema(_version(number, f'{{"k{number}": {{"ty": "text"}}}}'), ada.user_id)
    assert unit.metadata.schema_number() == 3
    assert unit.metadata.schema() == _version(3, '{"k3": {"ty": "text"}}')
    assert unit.metadata.schema(1) == _version(1, '{"k1": {"ty": "text"}}')
    assert unit.metadata.schema(4) is None
    assert [v.version for v in unit.metadata.schema_page(before=None, limit=2)] == [3, 2]
    assert [v.version for v in unit.metadata.schema_page(before=2, limit=2)] == [1]


def _misfit(item_id: ItemId, key: str, reason: str = "why", *, frame: str = "", sample: str = '"x"') -> Misfit:
    return Misfit(item_id, frame, key, reason, sample)


def test_quarantine__counts_by_key_and_reason_what_the_caller_may_read(unit: WriteUnit) -> None:
    ada, bob = _person(unit), _person(unit, "bob")
    own, foreign = _folder(unit, ada), _folder(unit, bob)
    items = [_item(unit, ada, own), _item(unit, ada, own), _item(unit, bob, foreign)]
    unit.metadata.add_derived(
        [
            _misfit(items[0], "b"),
            _misfit(items[0], "a", "one", sample="1"),
            _misfit(items[1], "a", "one", frame="3", sample="2"),
            _misfit(items[1], "a", "two"),
            _misfit(items[2], "a", "one", sample="secret"),
        ],
        [],
    )

    def page(
        caller: Caller, key: str | None = None, after: tuple[str, str] | None = None, limit: int = 10
    ) -> list[QuarantineCount]:
        return list(unit.metadata.quarantine_page(caller, key=key, after=after, limit=limit, samples=5))

    ones, twos = QuarantineCount("a", "one", 2, ["1", "2"]), QuarantineCount("a", "two", 1, ['"x"'])
    bs = QuarantineCount("b", "why", 1, ['"x"'])
    assert page(ada) == [ones, twos, bs]
    assert page(ada, limit=1) == [ones]
    assert page(ada, after=("a", "one")) == [twos, bs]
    assert page(ada, key="b") == [bs]
    assert page(bob) == [QuarantineCount("a", "one", 1, ["secret"])]
    unit.folders.set_role(foreign, ada.user_id, Role.USER)
    assert page(ada)[0].count == 3


def test_misfit_page__single_values_by_item_and_frame(unit: WriteUnit) -> None:
    ada, bob = _person(unit), _person(unit, "bob")
    folder = _folder(unit, ada)
    first, second = sorted(_item(unit, ada, folder) for _ in range(2))
    rows = [_misfit(first, "k"), _misfit(first, "k", frame="10"), _misfit(first, "k", frame="9"), _misfit(second, "k")]
    unit.metadata.add_derived([*reversed(rows), _misfit(second, "other")], [])
    assert unit.metadata.misfit_page(ada, key="k", after=None, limit=10) == rows
    assert unit.metadata.misfit_page(ada, key="k", after=(first, "10"), limit=1) == [rows[2]]
    assert unit.metadata.misfit_page(ada, key="k", after=(first, "9"), limit=9) == [rows[3]]
    assert unit.metadata.misfit_page(bob, key="k", after=None, limit=10) == []


def test_set_derived__replaces_all_rows_of_the_named_items_alone(unit: WriteUnit) -> None:
    ada = _person(unit)
    folder = _folder(unit, ada)
    a, b, c = sorted(_item(unit, ada, folder) for _ in range(3))
    vector = Vector(a, "", "v", b"\0\0\x80?")
    unit.metadata.add_derived([_misfit(a, "k"), _misfit(b, "k")], [vector, Vector(b, "7", "v", b"1234")])
    assert unit.metadata.with_derived([a, b, c]) == {a, b}
    unit.metadata.set_derived([a, c], [_misfit(a, "k", "other")], [Vector(c, "", "v", b"")])
    assert [row.reason for row in unit.metadata.misfit_page(ada, key="k", after=None, limit=9)] == ["other", "why"]
    assert unit.metadata.vectors(a) == []
    assert unit.metadata.vectors(b) == [Vector(b, "7", "v", b"1234")]
    assert unit.metadata.with_derived([a, c]) == {a, c}
    unit.metadata.set_derived([], [], [])
    assert unit.metadata.with_derived([a, b, c]) == {a, b, c}


def test_iter_current__goes_through_everything_in_the_order_of_ids(unit: WriteUnit) -> None:
    ada = _person(unit)
    folder = _folder(unit, ada)
    ids = sorted(_item(unit, ada, folder, f'{{"n": {number}}}') for number in range(120))
    _item(unit, ada, folder, None)
    unit.items.patch(ids[5], ItemPatch(metadata='{"new": 1}'), user_id=ada.user_id, now_us=2)
    found = list(unit.metadata.iter_current(None, 1000))
    assert [text.item_id for text in found] == ids
    assert found[5] == CurrentText(ids[5], 2, '{"new": 1}')
    assert [text.item_id for text in unit.metadata.iter_current(ids[99], 7)] == ids[100:107]
    assert unit.metadata.versions_now([ids[4], ids[5], ItemId(new_id())]) == {ids[4]: 1, ids[5]: 2}
