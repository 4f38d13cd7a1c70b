"""Moves a whole catalog between databases, table by table, and reads every row back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

import sqlalchemy as sa

from framedex.core.errors import Conflict
from framedex.stores.catalog.migrate import migrate
from framedex.stores.catalog.tables import metadata

_BATCH = 2000


def copy_catalog(source: sa.Engine, target: sa.Engine) -> Mapping[str, int]:
    """Copies all tables as of one moment into an empty database; answers the number of rows of each.

    Everything is one transaction of the target: an interrupted copy leaves it empty. Each table is read back in key
    order, and its rows compared with what was read from the source.

    Raises:
        Conflict: the target holds rows, or a table does not read back as it was.
    """
    migrate(target)
    with source.connect() as reading, reading.begin(), target.connect() as writing, writing.begin():
        _require_empty(writing)
        counts = {table.name: _copy(reading, writing, table) for table in metadata.sorted_tables}
        _advance_sequences(writing)
    return counts


def _require_empty(target: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        if target.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise Conflict(f"The target has rows already (table {table.name}); name an empty database.")


def _copy(source: sa.Connection, target: sa.Connection, table: sa.Table) -> int:
    sent = _Digest()
    for rows in _batches(source, table):
        target.execute(sa.insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
        sent.add(rows)
    found = _Digest()
    for rows in _batches(target, table):
        found.add(rows)
    if (sent.count, sent.value) != (found.count, found.value):
        raise Conflict(f"The table {table.name} does not read back as it was written; nothing was kept.")
    return sent.count


def _batches(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    """All rows in the order of the key, some thousand at a time. Text keys order by code point on both databases."""
    query = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    rows = (tuple(row) for row in connection.execute(query))
    while batch := list(islice(rows, _BATCH)):
        yield batch


class _Digest:
    """Of rows in order, whatever database they come from."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = sha256()

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.count += len(rows)
        for row in rows:
            self._hash.update(repr(tuple(_plain(value) for value in row)).encode("utf-8", "surrogatepass"))

    @property
    def value(self) -> str:
        return self._hash.hexdigest()


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else value


def _advance_sequences(target: sa.Connection) -> None:
    """PostgreSQL's counters do not see rows that came with their number; SQLite's do."""
    if target.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True:
                target.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"
                    f" coalesce((SELECT max({column.name}) FROM {table.name}), 1),"
                    f" EXISTS (SELECT 1 FROM {table.name}))"
                )
