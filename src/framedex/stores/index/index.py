"""The index of one process: a file, its columns, and the questions asked of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from framedex.core.filters.fields import Kind
from framedex.core.ids import DataRowId, ItemId
from framedex.core.ports.index import (
    Facet,
    FacetQuestion,
    IndexBatch,
    PageOf,
    Position,
    Question,
    RowsPage,
    Visibility,
)
from framedex.stores.index.database import Database
from framedex.stores.index.facets import read_facets
from framedex.stores.index.keys import visible_keys, visible_kinds
from framedex.stores.index.pages import read_page
from framedex.stores.index.resources import Resources

if TYPE_CHECKING:
    from framedex.stores.index.writer import Writer


class DuckIndex:
    """Implements `framedex.core.ports.index.Index`."""

    def __init__(self, path: Path, resources: Resources | None = None) -> None:
        """Opens or creates the file.

        Raises:
            Unusable: the file is of another format.
        """
        self.path = path
        self._database = Database(path, resources or Resources())
        self._write_lock = threading.Lock()
        self._layout = self._database.layout()
        self._position = self._database.position()

    def position(self) -> Position:
        return self._position

    def kinds(self, key: str, visibility: Visibility) -> frozenset[Kind]:
        with self._database.reading() as cursor:
            return visible_kinds(cursor, key, visibility, self._layout)

    def keys(self, visibility: Visibility) -> Sequence[str]:
        with self._database.reading() as cursor:
            return visible_keys(cursor, visibility, self._layout)

    def apply(self, batch: IndexBatch) -> None:
        with self._write_lock:
            if batch.is_empty:
                self._database.move_to(batch.position)
                self._position = batch.position
                return
            # Readers go on with the layout of before until all is committed.
            self._layout = self._writer.apply(batch, self._layout)
            self._position = batch.position

    def items_of_rows(self, row_ids: Sequence[DataRowId]) -> Sequence[ItemId]:
        with self._database.reading() as cursor:
            found = cursor.execute(
                "SELECT DISTINCT i.id FROM links l JOIN items i ON i.n = l.n "
                "WHERE l.row_id IN (SELECT unnest($rows::UUID[]))",
                {"rows": list(row_ids)},
            ).fetchall()
        return [ItemId(str(row[0])) for row in found]

    @cached_property
    def _writer(self) -> Writer:
        """Loads Arrow, which a server without items does without."""
        from framedex.stores.index.writer import Writer

        return Writer(self._database)

    def rows(self, question: Question, page: PageOf) -> RowsPage:
        with self._database.reading() as cursor:
            return read_page(cursor, question, page, self._layout)

    def facets(self, question: Question, facets: Sequence[FacetQuestion]) -> tuple[Sequence[Facet], int]:
        with self._database.reading() as cursor:
            return read_facets(cursor, question, facets, self._layout)

    def close(self) -> None:
        self._database.close()
