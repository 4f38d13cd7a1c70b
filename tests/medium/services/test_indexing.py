"""The index follows the catalog: writes, deletes, moves, memberships, changes of the schema, restarts.

After each step the index is held against what the catalog says, through the reference evaluator.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from framedex.core.access import Caller
from framedex.core.chunks import chunks
from framedex.core.errors import Unavailable
from framedex.core.filters import filter_text
from framedex.core.filters.ast import Compare, Field, IsNull, Not, Operator
from framedex.core.filters.fields import View
from framedex.core.ids import ItemId
from framedex.core.items import ItemPatch
from framedex.core.metadata.schema import EMPTY_SCHEMA, parse_schema
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.index import IndexedItem, Visibility
from framedex.jobs.signals import Signals
from framedex.services.derived import DerivedMetadata
from framedex.services.index_documents import indexed
from framedex.services.indexing import IndexingService
from framedex.services.items import ItemService
from framedex.services.schema import SchemaService
from framedex.stores.blobs.own import DiskBlobs
from framedex.stores.index.files import DuckFiles
from framedex.stores.index.index import DuckIndex
from tests.builders.living import Person, Workspace
from tests.contract.index.differ import found_rows, meant_rows
from tests.contract.index.samples import POOLS, Maker

VALUES: dict[str, Sequence[Any]] = {
    "num": (1, 2.5, -3, 2**53 + 1, "1", None),
    "text": ("rain", "Rain", "", 4),
    "when": ("2026-01-01", "2026-01-02T03:04:05Z", "yesterday", 5),
    "flag": (True, False, "true"),
    "place": ([13.4, 52.5], {"lat": 1.0, "lon": 1.0}, "here"),
    "tags": (["a", 1], [], ["A"]),
    "mixed": (1, "a", True, ["a"]),
}
TYPES = {
    "num": {"ty": "variant", "hint": "number"},
    "text": {"ty": "enum", "values": ["Rain", "rain"]},
    "when": {"ty": "variant", "hint": "datetime"},
    "flag": {"ty": "variant", "hint": "boolean"},
    "place": {"ty": "geospatial"},
}


class Library:
    """A workspace with one member, the services, and an index that steps when it is told to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workspace = Workspace(directory / "data")
        self.owner: Person = self.workspace.person("owner@example.org", is_admin=True)
        self.caller: Caller = self.workspace.caller(self.owner)
        self.folders = [self.workspace.folder(self.owner, name) for name in ("a", "b")]
        derived = DerivedMetadata()
        self.items = ItemService(self.catalog, DiskBlobs(directory / "blobs", 0), derived)
        self.schemas = SchemaService(self.catalog, derived, Signals())
        self.indexing = self.open_index()

    @property
    def catalog(self) -> Catalog:
        return self.workspace.catalog

    def open_index(self) -> IndexingService:
        self.indexing = IndexingService(self.catalog, DuckFiles(self.directory / "index"))
        self.indexing.open()
        return self.indexing

    def follow(self) -> DuckIndex:
        """Applies all that there is to apply."""
        while self.indexing.step():
            pass
        index, _ = self.indexing.reader(timeout_s=0)
        assert isinstance(index, DuckIndex)
        return index

    def truth(self) -> list[IndexedItem]:
        with self.catalog.read() as unit:
            saved = unit.metadata.schema(unit.metadata.schema_number())
            schema = EMPTY_SCHEMA if saved is None else parse_schema(saved.text)
            ids = unit.documents.ids_after(None, 100_000)
            found = [document for part in chunks(ids) for document in unit.documents.documents(part)]
        return [indexed(document, schema) for document in found]

    def check(self, maker: Maker, filters: int = 20) -> None:
        index, truth = self.follow(), self.truth()
        for number in range(filters):
            view = (View.ITEMS, View.FRAMES)[number % 2]
            node = maker.filter(view)
            assert found_rows(index, node, view) == meant_rows(truth, node, view), filter_text(node)

    def ids(self) -> list[ItemId]:
        with self.catalog.read() as unit:
            return list(unit.documents.ids_after(None, 100_000))

    def close(self) -> None:
        self.indexing.close()
        self.workspace.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.close()


def metadata(rnd: random.Random) -> str:
    found = {key: rnd.choice(pool) for key, pool in VALUES.items() if rnd.random() < 0.5}
    if rnd.random() < 0.4:
        found["$encord"] = {"frames": {str(n): {"num": rnd.choice(VALUES["num"])} for n in range(rnd.randint(0, 2))}}
    return json.dumps(found)


def act(library: Library, rnd: random.Random) -> None:
    """One random change through the services."""
    ids = library.ids()
    choice = rnd.choice(("add", "add", "patch", "patch", "move", "delete", "schema"))
    some = rnd.sample(ids, min(len(ids), 3))
    if choice == "add" or not ids:
        for _ in range(5):
            library.workspace.item(library.owner, rnd.choice(library.folders), metadata=metadata(rnd))
    elif choice == "patch":
        library.items.update_items(library.caller, {i: ItemPatch(metadata=metadata(rnd)) for i in some})
    elif choice == "schema":
        chosen = {key: TYPES[key] for key in TYPES if rnd.random() < 0.6}
        current = library.schemas.get(library.caller)
        library.schemas.save(library.caller, json.dumps(chosen), expected=None if current is None else current.version)
    else:
        for item in library.items.get_items(library.caller, some):
            others = [folder for folder in library.folders if folder != item.folder_id]
            if choice == "move":
                library.items.move_items(library.caller, item.folder_id, [item.id], others[0])
            else:
                library.items.delete_items(library.caller, item.folder_id, [item.id], remove_unused_frames=True)


@pytest.mark.parametrize("seed", range(3))
def test_indexing__follows_whatever_happens(library: Library, seed: int) -> None:
    rnd, maker = random.Random(seed), Maker(seed)
    for step in range(20):
        act(library, rnd)
        if step % 2:
            library.check(maker, filters=10)
        if step % 7 == 6:
            library.indexing.close()
            library.open_index()
    library.check(maker, filters=60)


def test_indexing__a_lost_index_is_built_from_the_catalog(library: Library) -> None:
    rnd, maker = random.Random(5), Maker(5)
    for _ in range(10):
        act(library, rnd)
    library.follow()
    library.indexing.close()
    for path in (library.directory / "index").iterdir():
        path.unlink()
    library.open_index()
    with pytest.raises(Unavailable, match="being built"):
        library.indexing.reader(timeout_s=0)
    library.check(maker)


def test_indexing__a_damaged_index_is_built_anew(library: Library) -> None:
    library.workspace.item(library.owner, library.folders[0], metadata='{"num": 1}')
    library.follow()
    library.indexing.close()
    (file,) = (library.directory / "index").glob("*.duckdb")
    file.write_bytes(b"nonsense" * 1000)
    library.open_index()
    library.check(Maker(1))


def test_indexing__an_index_of_another_catalog_is_built_anew(library: Library, tmp_path: Path) -> None:
    for _ in range(3):
        library.workspace.item(library.owner, library.folders[0], metadata='{"num": 1}')
    library.follow()
    library.indexing.close()
    other = Library(tmp_path / "other")
    for number in range(5):  # a longer log, in which the index's seq is another change
        other.workspace.item(other.owner, other.folders[0], metadata=json.dumps({"num": number}))
    other.indexing.close()
    shutil.rmtree(other.directory / "index", ignore_errors=True)
    shutil.copytree(library.directory / "index", other.directory / "index")
    other.open_index()
    other.check(Maker(2))
    other.close()
    library.open_index()


def test_indexing__of_vectors_that_they_are_there(library: Library) -> None:
    library.schemas.save(library.caller, json.dumps({"clip": {"ty": "embedding", "size": 2, "api": None}}))
    item = library.workspace.item(library.owner, library.folders[0], metadata='{"clip": [0.5, 1]}')
    library.workspace.item(library.owner, library.folders[0], metadata='{"clip": [0.5]}')
    assert found_rows(library.follow(), Not(IsNull(Field("clip"))), View.ITEMS) == {(item, None)}


def test_indexing__values_that_fit_no_more_are_missing__and_found_again(library: Library) -> None:
    item = library.workspace.item(library.owner, library.folders[0], metadata='{"num": "12"}')
    is_text = Compare(Field("num"), Operator.EQUAL, "12")
    assert found_rows(library.follow(), is_text, View.ITEMS) == {(item, None)}
    library.schemas.save(library.caller, json.dumps({"num": TYPES["num"]}))
    assert found_rows(library.follow(), is_text, View.ITEMS) == set()
    library.items.update_items(library.caller, {item: ItemPatch(metadata='{"num": 12}')})
    is_number = Compare(Field("num"), Operator.EQUAL, 12)
    assert found_rows(library.follow(), is_number, View.ITEMS) == {(item, None)}


def test_indexing__a_reader_waits_for_what_it_asks_for(library: Library) -> None:
    library.follow()
    library.workspace.item(library.owner, library.folders[0])
    with library.catalog.read() as unit:
        seq = unit.last_seq()
    with pytest.raises(Unavailable, match=f"not to {seq}"):
        library.indexing.reader(min_seq=seq, timeout_s=0)
    library.follow()
    index, _ = library.indexing.reader(min_seq=seq, timeout_s=0)
    assert index.position().seq >= seq


def test_indexing__the_old_index_answers_while_another_is_built(library: Library) -> None:
    item = library.workspace.item(library.owner, library.folders[0], metadata='{"num": "12"}')
    old = library.follow()
    library.schemas.save(library.caller, json.dumps({"num": TYPES["num"]}))
    assert found_rows(old, Compare(Field("num"), Operator.EQUAL, "12"), View.ITEMS) == {(item, None)}
    new = library.follow()
    assert new is not old
    assert old.keys(Visibility(None)) == ["num"], "questions that were under way go on"


assert set(VALUES) <= set(POOLS), "random filters speak of these keys"
