"""The index of one process: a file, its columns, and the questions asked of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from framedex.core.filters.fields import FieldType
from framedex.core.ids import DataRowId, ItemId
from framedex.core.ports.index import (
    Facet,
    FacetQuestion,
    IndexBatch,
    PageOf,
    Position,
    Question,
    RowsPage,
)
from framedex.stores.index.database import Database, Resources
from framedex.stores.index.facets import read_facets
from framedex.stores.index.pages import count_rows, read_page
from framedex.stores.index.questions import rows_of
from framedex.stores.index.statements import run
from framedex.stores.index.writer import Writer

_IDS_AT_ONCE = 10_000


class DuckIndex:
    """Implements `framedex.core.ports.index.Index`."""

    def __init__(self, path: Path, resources: Resources | None = None) -> None:
        """Opens or creates the file.

        Raises:
            Unusable: the file is of another format.
        """
        self._database = Database(path, resources or Resources())
        self._writer = Writer(self._database)
        self._write_lock = threading.Lock()
        self._columns = self._database.columns()
        self._position = self._database.position()

    def position(self) -> Position:
        return self._position

    def field_type(self, key: str) -> FieldType | None:
        kinds = self._columns.kinds(key)
        return FieldType(kinds, is_inferred=True) if kinds else None

    def keys(self) -> Sequence[str]:
        return self._columns.keys()

    def apply(self, batch: IndexBatch) -> None:
        with self._write_lock:
            # Readers go on with the columns of before until all is committed.
            self._columns = self._writer.apply(batch, self._columns)
            self._position = batch.position

    def items_of_rows(self, row_ids: Sequence[DataRowId]) -> Sequence[ItemId]:
        with self._database.reading() as cursor:
            found = cursor.execute(
                "SELECT DISTINCT i.id FROM links l JOIN items i ON i.n = l.n "
                "WHERE l.row_id IN (SELECT unnest($rows::UUID[]))",
                {"rows": list(row_ids)},
            ).fetchall()
        return [ItemId(str(row[0])) for row in found]

    def count(self, question: Question) -> int:
        with self._database.reading() as cursor:
            return count_rows(cursor, question, self._columns)

    def rows(self, question: Question, page: PageOf) -> RowsPage:
        with self._database.reading() as cursor:
            return read_page(cursor, question, page, self._columns)

    def ids(self, question: Question) -> Iterator[ItemId]:
        rows = rows_of(question, self._columns)
        with self._database.reading() as cursor:
            run(cursor, f"SELECT DISTINCT i.id {rows.source} ORDER BY i.id", rows.parameters)
            while found := cursor.fetchmany(_IDS_AT_ONCE):
                yield from (ItemId(str(row[0])) for row in found)

    def facets(self, question: Question, facets: Sequence[FacetQuestion]) -> Sequence[Facet]:
        with self._database.reading() as cursor:
            return read_facets(cursor, question, facets, self._columns)

    def close(self) -> None:
        self._database.close()
