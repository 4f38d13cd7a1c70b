"""Keeping the index in step with the catalog: it follows the change log, and is built anew when its types change.

A change tells ids alone: the item is read anew, so that applying a change twice, or late, is as good as once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from framedex.core.chunks import chunks
from framedex.core.errors import Unavailable
from framedex.core.ids import CollectionId, DataRowId, FolderId, ItemId
from framedex.core.metadata.key_types import KeyType
from framedex.core.metadata.schema import EMPTY_SCHEMA, Schema, parse_schema
from framedex.core.ports.catalog import Catalog, Change, Entity, Op, ReadUnit
from framedex.core.ports.catalog_documents import Document
from framedex.core.ports.index import Index, IndexBatch, IndexedItem, IndexFiles, Position, Visibility
from framedex.services.index_documents import indexed

_log = logging.getLogger("framedex.index")

#: Entries of the log that are applied together.
_ENTRIES = 5_000
#: Items that a build applies together.
_BUILD = 5_000
_WAIT_S = 10.0
#: Making rows takes the interpreter from requests: so many, then others have a turn.
_AT_A_STRETCH = 50
_PAUSE_S = 0.0005

_ITEMS = frozenset({Entity.ITEM, Entity.ITEM_METADATA})
_PLACES = frozenset({Entity.FOLDER, Entity.COLLECTION})


@dataclass(slots=True)
class _Touched:
    """What a stretch of the log speaks of."""

    seq: int
    mark: str
    items: set[ItemId] = field(default_factory=set)
    rows: set[DataRowId] = field(default_factory=set)
    places: set[FolderId | CollectionId] = field(default_factory=set)


class IndexingService:
    """Owns the index of this process. `step` and `build` are for one thread, everything else for any."""

    def __init__(self, catalog: Catalog, files: IndexFiles) -> None:
        self._catalog = catalog
        self._files = files
        self._moved = threading.Condition()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._index: Index | None = None
        self._retired: list[Index] = []
        self._schema = (0, EMPTY_SCHEMA)

    # -- for readers

    def reader(self, *, min_seq: int = 0, timeout_s: float = _WAIT_S) -> tuple[Index, Schema]:
        """The index, as soon as it has applied `min_seq`, and the schema that types it.

        Raises:
            Unavailable: it has not come that far in time, or is being built for the first time.
        """
        deadline = time.monotonic() + timeout_s
        with self._moved:
            while self._index is None or self._index.position().seq < min_seq:
                self._wanted.set()
                left = deadline - time.monotonic()
                if left <= 0 or not self._moved.wait(left):
                    raise self._late(min_seq)
            return self._index, self._schema[1]

    def indexed_seq(self) -> int | None:
        """How far the index is; None while it is built for the first time."""
        index = self._index
        return None if index is None else index.position().seq

    def _late(self, min_seq: int) -> Unavailable:
        seq = self.indexed_seq()
        if seq is None:
            return Unavailable("The index is being built; ask again in a while.", indexed_seq=None)
        return Unavailable(
            f"The index has come to seq {seq}, not to {min_seq} yet; ask again in a while.", indexed_seq=seq
        )

    # -- for the thread that writes

    def open(self) -> None:
        """Opens what is there. Where nothing is, an empty catalog gets an empty index; else `step` will build one."""
        index = self._files.current()
        with self._catalog.read() as unit:
            if index is not None and _mark(unit, index.position().seq) != index.position().mark:
                index.close()  # of another catalog: this one was restored from a backup, or moved here
                index = None
            schema = _schema(unit, unit.metadata.schema_number() if index is None else index.position().schema_version)
            is_empty = unit.last_seq() == 0
        if index is None and is_empty:
            index = self._files.create()
            self._files.adopt(index)
        if index is not None:
            self._show(index, schema)

    def stop(self) -> None:
        """Ends a build that is under way; what it made is thrown away."""
        self._stopping.set()
        self._wanted.set()

    def close(self) -> None:
        """Closes the files."""
        for index in (*self._retired, *([] if self._index is None else [self._index])):
            index.close()

    def wait_for_readers(self, timeout_s: float) -> None:
        """Until a reader waits for more than there is, or the timeout."""
        self._wanted.wait(timeout_s)
        self._wanted.clear()

    def step(self) -> bool:
        """Applies the next stretch of the log; False when there is nothing to do."""
        index = self._index
        if index is None:
            self.build()
            return True
        if not self._follow(index):
            return False
        with self._moved:
            self._moved.notify_all()
        return True

    def build(self) -> None:
        """Builds an index from the catalog and puts it in the place of the current one, which answers meanwhile."""
        started = time.monotonic()
        index = self._files.create()
        is_whole = False
        try:
            schema = self._fill(index)
            is_whole = not self._stopping.is_set()
        finally:
            if not is_whole:
                index.close()
        if not is_whole:
            return
        self._files.adopt(index)
        self._show(index, schema)
        _log.info("built the index up to seq %d in %.1f s", index.position().seq, time.monotonic() - started)

    def _fill(self, index: Index) -> tuple[int, Schema]:
        """Brings an empty index to the end of the log, or stops on the way; answers the schema that types it."""
        with self._catalog.read() as unit:
            seq, version = unit.last_seq(), unit.metadata.schema_number()
            schema, mark = _schema(unit, version), _mark(unit, seq)
        for documents in self._all_documents():
            if self._stopping.is_set():
                return schema
            index.apply(IndexBatch(Position(0, version), _rows(documents, schema[1])))
        index.apply(IndexBatch(Position(seq, version, mark)))
        while not self._stopping.is_set() and self._apply_entries(index, schema[1]):
            pass
        return schema

    def _show(self, index: Index, schema: tuple[int, Schema]) -> None:
        with self._moved:
            # Questions may still be under way in the one before, and in no older one.
            for retired in self._retired:
                retired.close()
            self._retired = [] if self._index is None else [self._index]
            self._index, self._schema = index, schema
            self._moved.notify_all()

    def _all_documents(self) -> Iterator[Sequence[Document]]:
        last: ItemId | None = None
        while True:
            with self._catalog.read() as unit:
                ids = unit.documents.ids_after(last, _BUILD)
                found = [document for part in chunks(ids) for document in unit.documents.documents(part)]
            if not ids:
                return
            last = ids[-1]
            yield found

    def _follow(self, index: Index) -> bool:
        seq, version, mark = index.position()
        with self._catalog.read() as unit:
            if unit.last_seq() == seq:
                return False
            newest = unit.metadata.schema_number()
            schema = self._schema if newest == version else _schema(unit, newest)
        if newest != version:
            if _changes_types(index, self._schema[1], schema[1]):
                self.build()
                return True
            index.apply(IndexBatch(Position(seq, newest, mark)))
            self._schema = schema
        return self._apply_entries(index, schema[1]) or newest != version

    def _apply_entries(self, index: Index, schema: Schema) -> bool:
        seq, version, _ = index.position()
        with self._catalog.read() as unit:
            entries = unit.changes_after(seq, _ENTRIES)
            if not entries:
                return False
            touched = _touched(entries)
            ids = self._items_of(unit, index, touched)
            documents = [document for part in chunks(ids) for document in unit.documents.documents(part)]
        there = {document.id for document in documents}
        index.apply(
            IndexBatch(
                Position(touched.seq, version, touched.mark),
                _rows(documents, schema),
                [item_id for item_id in ids if item_id not in there],
                list(touched.places),
            )
        )
        return True

    def _items_of(self, unit: ReadUnit, index: Index, touched: _Touched) -> list[ItemId]:
        items = set(touched.items)
        for rows in chunks(list(touched.rows)):
            items.update(unit.documents.linked_items(rows))
            items.update(index.items_of_rows(rows))
        for children in chunks(list(touched.items)):
            items.update(unit.documents.parents(children))
        return list(items)


def _rows(documents: Sequence[Document], schema: Schema) -> list[IndexedItem]:
    rows = []
    for number, document in enumerate(documents, 1):
        rows.append(indexed(document, schema))
        if number % _AT_A_STRETCH == 0:
            time.sleep(_PAUSE_S)
    return rows


def _touched(entries: Sequence[Change]) -> _Touched:
    touched = _Touched(entries[-1].seq, entries[-1].entity_id)
    for entry in entries:
        if entry.entity in _ITEMS:
            touched.items.add(ItemId(entry.entity_id))
        elif entry.entity == Entity.DATA_ROW:
            touched.rows.add(DataRowId(entry.entity_id))
        elif entry.entity in _PLACES and entry.op == Op.DELETE:
            touched.places.add(FolderId(entry.entity_id))
    return touched


def _mark(unit: ReadUnit, seq: int) -> str:
    """What the change of a seq is about; empty where the log has no such change."""
    entries = unit.changes_after(seq - 1, 1) if seq else ()
    return entries[0].entity_id if entries and entries[0].seq == seq else ""


def _schema(unit: ReadUnit, version: int) -> tuple[int, Schema]:
    saved = unit.metadata.schema(version)
    return (version, EMPTY_SCHEMA if saved is None else parse_schema(saved.text))


def _changes_types(index: Index, old: Schema, new: Schema) -> bool:
    """Whether values that are in the index may be typed otherwise now, or values that did not fit may fit."""
    changed = [key for key in {*old.keys, *new.keys} if _type(old, key) != _type(new, key)]
    known = index.keys(Visibility(None))
    return any(
        key in old.live or any(found == key or found.startswith(f"{key}.") for found in known) for key in changed
    )


def _type(schema: Schema, key: str) -> KeyType | str | None:
    return "deleted" if key in schema.deleted else schema.live.get(key)
