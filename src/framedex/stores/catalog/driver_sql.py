"""Statements that go to the driver as text: compiling them takes longer than running them.

They are written with `?` for each bound value, and hold no other `?` and no `%`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


def run(connection: sa.Connection, statement: str, values: Sequence[object]) -> sa.CursorResult[*tuple[Any, ...]]:
    """Runs a statement once."""
    return connection.exec_driver_sql(_spelled(connection, statement), tuple(values))


def run_many(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Runs a statement for each row; of no rows, not at all."""
    if rows:
        connection.exec_driver_sql(_spelled(connection, statement), list(rows))


def insert_many(
    connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Adds rows; of no rows, nothing."""
    marks = ", ".join("?" * len(columns))
    run_many(connection, f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _spelled(connection: sa.Connection, statement: str) -> str:
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")
