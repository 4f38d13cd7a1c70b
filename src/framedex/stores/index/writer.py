"""Applying batches: all of an item is replaced, and the position moves in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import duckdb
import pyarrow as pa

from framedex.core.ids import ItemId
from framedex.core.ports.index import IndexBatch, IndexedFrame, IndexedItem
from framedex.stores.index.batches import frame_table, item_table, missing_columns
from framedex.stores.index.columns import Columns
from framedex.stores.index.database import Database, write_position
from framedex.stores.index.layout import Layout
from framedex.stores.index.places import PlaceKind, Places

#: Tables whose rows belong to an item and are written anew with it.
_PARTS = ("links", "members", "children")


class Writer:
    """Writes to one database; one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, batch: IndexBatch, layout: Layout) -> Layout:
        """Applies a batch; answers the layout that there is now."""
        items = list({item.id: item for item in batch.items}.values())
        digests = {item.id: _digest(item.frames) for item in items}
        with self._database.writing() as cursor:
            layout = Layout(_add_columns(cursor, items, layout.columns), _add_places(cursor, items, layout.places))
            known = _numbers(cursor, [*(item.id for item in items), *batch.gone])
            layout = _without(cursor, batch.gone_places, layout)
            _delete(cursor, known, digests, batch.gone)
            _insert(cursor, items, _Known(known, digests), layout)
            write_position(cursor, batch.position)
        return layout


def _add_columns(cursor: duckdb.DuckDBPyConnection, items: Sequence[IndexedItem], columns: Columns) -> Columns:
    missing = missing_columns(items, columns)
    if not missing:
        return columns
    columns, added = columns.with_added(missing)
    for key, column, number in added:
        for definition in column.definitions():
            cursor.execute(f"ALTER TABLE {column.level.value} ADD COLUMN {definition}")
        cursor.execute("INSERT INTO columns VALUES (?, ?, ?, ?)", [key.level, key.name, column.storage, number])
    return columns


def _numbers(cursor: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Number and digest of the frames of each item that is there."""
    if not ids:
        return {}
    with _Arrow(cursor, "wanted", pa.table({"id": pa.array(ids, pa.string())})):
        found = cursor.execute(
            "SELECT i.id, i.n, i.frames_digest FROM items i WHERE i.id IN (SELECT id::UUID FROM wanted)"
        ).fetchall()
    return {str(item_id): (n, digest) for item_id, n, digest in found}


def _add_places(cursor: duckdb.DuckDBPyConnection, items: Sequence[IndexedItem], places: Places) -> Places:
    places, added = places.with_added(_places_of(items))
    if added:
        cursor.executemany("INSERT INTO places VALUES (?, ?, ?)", added)
    return places


def _places_of(items: Iterable[IndexedItem]) -> Iterator[tuple[PlaceKind, str]]:
    for item in items:
        yield PlaceKind.FOLDER, item.folder_id
        yield from ((PlaceKind.DATASET, dataset) for _, dataset in item.rows)
        yield from ((PlaceKind.COLLECTION, collection) for collection in item.collections)


def _without(cursor: duckdb.DuckDBPyConnection, gone: Sequence[str], layout: Layout) -> Layout:
    """Forgets folders and collections that were deleted; items that were in a folder are deleted for themselves."""
    if not gone:
        return layout
    numbers = layout.places.numbers(PlaceKind.COLLECTION, gone)
    cursor.execute("DELETE FROM members WHERE collection IN (SELECT unnest($n::INTEGER[]))", {"n": numbers})
    cursor.execute("DELETE FROM places WHERE id IN (SELECT unnest($ids::UUID[]))", {"ids": list(gone)})
    return Layout(layout.columns, layout.places.without(gone))


def _delete(
    cursor: duckdb.DuckDBPyConnection,
    known: Mapping[str, tuple[int, int]],
    digests: Mapping[ItemId, int],
    gone: Iterable[ItemId],
) -> None:
    """Rows of items that are gone or written anew; frames that did not change stay where they are."""
    if not known:
        return
    _delete_of(cursor, ["items", *_PARTS], [n for n, _ in known.values()])
    changed = [item_id for item_id, digest in digests.items() if item_id in known and digest != known[item_id][1]]
    with_frames = [known[i][0] for i in (*changed, *gone) if i in known and known[i][1]]
    _delete_of(cursor, ["frames"], with_frames)


def _delete_of(cursor: duckdb.DuckDBPyConnection, tables: Iterable[str], numbers: Sequence[int]) -> None:
    if not numbers:
        return
    for table in tables:
        cursor.execute(f"DELETE FROM {table} WHERE n IN (SELECT unnest($n::INTEGER[]))", {"n": list(numbers)})


class _Known:
    """What was there of the items of a batch."""

    def __init__(self, known: Mapping[str, tuple[int, int]], digests: Mapping[ItemId, int]) -> None:
        self.digests = digests
        self._known = known

    def number(self, item_id: ItemId) -> int | None:
        found = self._known.get(item_id)
        return None if found is None else found[0]

    def has_frames_of(self, item_id: ItemId) -> bool:
        """Whether the rows of its frames are those of the batch already."""
        return item_id in self._known and self._known[item_id][1] == self.digests[item_id]


def _insert(cursor: duckdb.DuckDBPyConnection, items: Sequence[IndexedItem], known: _Known, layout: Layout) -> None:
    if not items:
        return
    numbered = _numbered(cursor, items, known)
    table = item_table(numbered, [known.digests[item.id] for item in items], layout)
    _insert_table(cursor, "items", table, ["id"])
    frames = [(n, frame) for n, item in numbered if not known.has_frames_of(item.id) for frame in item.frames]
    if frames:
        _insert_table(cursor, "frames", frame_table(frames, layout.columns))
    _insert_sets(cursor, numbered, layout.places)


def _insert_sets(
    cursor: duckdb.DuckDBPyConnection, numbered: Sequence[tuple[int, IndexedItem]], places: Places
) -> None:
    def number(kind: PlaceKind, place_id: str) -> int:
        return places.number(kind, place_id)

    links = [(n, row, number(PlaceKind.DATASET, dataset)) for n, item in numbered for row, dataset in item.rows]
    members = [(n, number(PlaceKind.COLLECTION, one)) for n, item in numbered for one in item.collections]
    parents = [(n, parent) for n, item in numbered for parent in item.parents]
    _insert_rows(cursor, "links", ("row_id", "dataset"), links)
    _insert_rows(cursor, "members", ("collection",), members)
    _insert_rows(cursor, "children", ("parent",), parents)


def _numbered(
    cursor: duckdb.DuckDBPyConnection, items: Sequence[IndexedItem], known: _Known
) -> list[tuple[int, IndexedItem]]:
    row = cursor.execute("SELECT next_n FROM meta").fetchone()
    assert row is not None, "written at creation"
    following = first = row[0]
    numbered = []
    for item in items:
        number = known.number(item.id)
        if number is None:
            number = following
            following += 1
        numbered.append((number, item))
    if following != first:
        cursor.execute("UPDATE meta SET next_n = $n", {"n": following})
    return numbered


def _insert_rows(
    cursor: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if not rows:
        return
    made = {name: list(values) for name, values in zip(("n", *names), zip(*rows, strict=True), strict=True)}
    uuids = [name for name, values in made.items() if isinstance(values[0], str)]
    _insert_table(cursor, table, pa.table(made), uuids)


def _insert_table(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, ids: Sequence[str] = ()) -> None:
    replaced = f" REPLACE ({', '.join(f'{name}::UUID AS {name}' for name in ids)})" if ids else ""
    with _Arrow(cursor, "batch", rows):
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT *{replaced} FROM batch")


class _Arrow:
    """An Arrow table under a name, for a while."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
        self._cursor = cursor
        self._name = name
        self._table = table

    def __enter__(self) -> None:
        self._cursor.register(self._name, self._table)

    def __exit__(self, *_: object) -> None:
        self._cursor.unregister(self._name)


def _digest(frames: Sequence[IndexedFrame]) -> int:
    """What tells one set of frames from another: 63 bits, 0 for no frames. Not for adversaries."""
    if not frames:
        return 0
    text = repr([(f.number, f.time, f.is_keyframe, dict(f.values)) for f in frames])
    return (int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1) or 1
