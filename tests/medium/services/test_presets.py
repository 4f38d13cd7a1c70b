"""A preset put into a collection finds what a naive filter over the metadata finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.access import Caller
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, ItemId, UserId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.paging import PageRequest
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_metadata import SchemaVersion
from framedex.services.collections import CollectionService
from framedex.services.presets import PresetService
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import open_catalog

_SCHEMA = """{
    "city": {"ty": "variant", "hint": "varchar"},
    "note.by": {"ty": "variant", "hint": "text"},
    "n": {"ty": "variant", "hint": "number"},
    "ok": {"ty": "variant", "hint": "boolean"},
    "kind": {"ty": "enum", "values": ["x", "y", "z"]}
}"""

#: The JSON types that fit each type; what does not fit is missing.
_FITS: Mapping[str, tuple[type, ...]] = {"varchar": (str,), "text": (str,), "number": (int, float), "boolean": (bool,)}
_TYPES = {"city": "varchar", "note.by": "text", "n": "number", "ok": "boolean", "kind": "enum"}

_texts = st.sampled_from(["Rome", "rome", "Oslo", "x", "y", ""])
_numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, 10**20]))
_odd = st.sampled_from([None, "1", "true", 0, 1, 2.5, True, [], ["Rome"], {"a": 1}])
_metadata = st.fixed_dictionaries(
    {},
    optional={
        "city": _texts | _odd,
        "note": st.fixed_dictionaries({}, optional={"by": _texts | _odd}),
        "n": _numbers | _odd,
        "ok": st.booleans() | _odd,
        "kind": st.sampled_from(["x", "y", "z", "no such value"]) | _odd,
    },
)
_range = st.lists(st.one_of(st.none(), _numbers), min_size=2, max_size=2).filter(lambda ends: ends != [None, None])
_filters = st.one_of(
    st.tuples(st.sampled_from(["city", "note.by"]), st.lists(_texts, min_size=1, max_size=3)),
    st.tuples(st.just("kind"), st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3)),
    st.tuples(st.just("ok"), st.lists(st.booleans(), min_size=1, max_size=2)),
    st.tuples(st.just("n"), _range),
)


def _value(metadata: Mapping[str, Any], key: str) -> object:
    """The value of a key if it fits the key's type."""
    found: object = metadata
    for step in key.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if _TYPES[key] == "enum":
        return found if isinstance(found, str) and found in ("x", "y", "z") else None
    if isinstance(found, bool) and _TYPES[key] != "boolean":
        return None
    return found if isinstance(found, _FITS[_TYPES[key]]) else None


def _holds(metadata: Mapping[str, Any], key: str, values: Sequence[Any], *, include: bool) -> bool:
    value = _value(metadata, key)
    if value is None:
        return not include
    if key == "n":
        assert isinstance(value, int | float)
        low, high = values
        is_in = (low is None or low <= value) and (high is None or value <= high)
    else:
        is_in = value in values
    return is_in == include


class House:
    """A folder of items, each with other metadata, and a collection to fill."""

    def __init__(self, catalog: SqlCatalog) -> None:
        self.catalog = catalog
        user_id = UserId(new_id())
        self.caller = Caller(user_id, "ada@example.org", (user_id,))
        self.presets = PresetService(catalog)
        self.collections = CollectionService(catalog, self.presets)
        with catalog.write() as unit:
            unit.people.add_user(
                User(user_id, "ada@example.org", WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1)
            )
            unit.metadata.add_schema(SchemaVersion(1, _SCHEMA, "ada@example.org", 1), user_id)

    def folder_of(self, metadata: Sequence[Mapping[str, Any]]) -> tuple[FolderId, list[ItemId]]:
        folder_id, ids = FolderId(new_id()), [ItemId(new_id()) for _ in metadata]
        user_id = self.caller.user_id
        new = [
            NewItem(item_id, folder_id, ItemType.IMAGE, "n", user_id, MediaFacts(), metadata=json.dumps(each))
            for item_id, each in zip(ids, metadata, strict=True)
        ]
        with self.catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, None, "folder", user_id, 1))
            unit.items.add_many(new, user_id=user_id, now_us=1)
        return folder_id, ids

    def found(self, folder_id: FolderId, filters: Sequence[Mapping[str, Any]]) -> set[ItemId]:
        definition = json.dumps({"local_filters": {}, "global_filters": {"filters": filters}})
        preset_id = self.presets.create(self.caller, name="p", description="", definition=definition)
        collection_id = self.collections.create(self.caller, folder_id=folder_id, name="c", description="")
        self.collections.apply_preset(self.caller, collection_id, preset_id, adds=True)
        page = self.collections.readable_items(self.caller, collection_id, PageRequest(1000), with_metadata=False)
        return {item.id for item in page.rows}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    catalog = open_catalog(tmp_path_factory.mktemp("presets"))
    yield House(catalog)
    catalog.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    metadata=st.lists(_metadata, min_size=1, max_size=12),
    chosen=st.lists(st.tuples(_filters, st.booleans()), min_size=1, max_size=3),
)
def test_apply_preset__finds_what_a_naive_filter_finds(
    house: House, metadata: list[dict[str, Any]], chosen: list[tuple[tuple[str, list[Any]], bool]]
) -> None:
    folder_id, ids = house.folder_of(metadata)
    filters = [
        {"key": key, "include": include, "values": values, "type": _TYPES[key]} for (key, values), include in chosen
    ]
    expected = {
        item_id
        for item_id, each in zip(ids, metadata, strict=True)
        if all(_holds(each, key, values, include=include) for (key, values), include in chosen)
    }
    assert house.found(folder_id, filters) == expected


def test_apply_preset__many_batches(house: House) -> None:
    metadata = [{"n": number} for number in range(2345)]
    folder_id, ids = house.folder_of(metadata)
    definition = '{"local_filters": {}, "global_filters": {"filters": [%s]}}'
    low = '{"key": "n", "include": true, "values": [null, 2299], "type": "number"}'
    preset_id = house.presets.create(house.caller, name="p", description="", definition=definition % low)
    collection_id = house.collections.create(house.caller, folder_id=folder_id, name="c", description="")
    house.collections.add_items(house.caller, collection_id, ids)
    house.collections.apply_preset(house.caller, collection_id, preset_id, adds=False)
    page = house.collections.readable_items(house.caller, collection_id, PageRequest(1000), with_metadata=True)
    assert page.after is None
    assert sorted(json.loads(item.metadata or "")["n"] for item in page.rows) == list(range(2300, 2345))
