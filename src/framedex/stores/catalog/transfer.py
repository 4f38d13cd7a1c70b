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
    with source.connect() as reading, reading.begin():
        return copy_rows(reading, target)


def copy_rows(reading: sa.Connection, target: sa.Engine) -> Mapping[str, int]:
    """As `copy_catalog`, of what an open transaction sees."""
    migrate(target)
    with target.connect() as writing, writing.begin():
        for connection in (reading, writing):
            _be_patient(connection)
        _require_empty(writing)
        counts = {table.name: _copy(reading, writing, table) for table in metadata.sorted_tables}
        _advance_sequences(writing)
    return counts


def _be_patient(connection: sa.Connection) -> None:
    """One side waits while the other works: for minutes, when a table has millions of rows."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _require_empty(target: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        if target.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise Conflict(f"The target has rows already (table {table.name}); name an empty database.")


def _copy(source: sa.Connection, target: sa.Connection, table: sa.Table) -> int:
    own = _names_of_itself(table)
    sent = _Digest()
    named: list[dict[str, object]] = []
    for rows in _batches(source, table):
        new = [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
        named += [_taken_out(row, own) for row in new if any(row[name] is not None for name in own)]
        target.execute(sa.insert(table), new)
        sent.add(rows)
    _put_back(target, table, own, named)
    found = _Digest()
    for rows in _batches(target, table):
        found.add(rows)
    if (sent.count, sent.value) != (found.count, found.value):
        raise Conflict(f"The table {table.name} does not read back as it was written; nothing was kept.")
    return sent.count


def _names_of_itself(table: sa.Table) -> list[str]:
    """Columns that name another row of the same table, which may come later: a folder in one that is younger."""
    return [key.parent.name for key in table.foreign_keys if key.column.table is table]


def _taken_out(row: dict[str, object], columns: Sequence[str]) -> dict[str, object]:
    """What `_put_back` needs of a row, which lacks it from then on."""
    kept: dict[str, object] = {"of_id": row["id"]}
    for name in columns:
        kept[f"new_{name}"], row[name] = row[name], None
    return kept


def _put_back(
    target: sa.Connection, table: sa.Table, columns: Sequence[str], named: Sequence[dict[str, object]]
) -> None:
    if named:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
        target.execute(sa.update(table).where(table.c.id == sa.bindparam("of_id")).values(values), named)


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
    for table, column in counted_columns():
        target.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
            f" coalesce((SELECT max({column}) FROM {table}), 1), EXISTS (SELECT 1 FROM {table}))"
        )


def counted_columns() -> Iterator[tuple[str, str]]:
    """Tables whose rows the database numbers, and the columns of the numbers."""
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True:
                yield table.name, column.name
