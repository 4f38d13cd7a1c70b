"""Statements that go to the driver as text: compiling them takes longer than running them.

They are written with `?` for each bound value, and hold no other `?` and no `%`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

#: From so many rows on PostgreSQL takes them by COPY: it is a third of the work, and a statement more.
_COPIED = 16


def run(connection: sa.Connection, statement: str, values: Sequence[object]) -> sa.CursorResult[*tuple[Any, ...]]:
    """Runs a statement once."""
    return connection.exec_driver_sql(_spelled(connection, statement), tuple(values))


def run_many(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Runs a statement for each row; of no rows, not at all."""
    if rows:
        connection.exec_driver_sql(_spelled(connection, statement), list(rows))


def run_together(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> bool:
    """Runs a statement once for all rows, each `?` being the array of one column; False where arrays are unknown."""
    if connection.dialect.name == "sqlite":
        return False
    run(connection, statement, [list(column) for column in zip(*rows, strict=True)])
    return True


def insert_many(
    connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Adds rows; of no rows, nothing."""
    if connection.dialect.name != "sqlite" and len(rows) >= _COPIED:
        _copy(connection, f"COPY {table} ({', '.join(columns)}) FROM STDIN", rows)
        return
    marks = ", ".join("?" * len(columns))
    run_many(connection, f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _copy(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    import psycopg

    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # see dialect
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        # As SQLAlchemy itself raises what a statement of its own comes to.
        raise sa.exc.DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=driver.closed, dialect=connection.dialect
        ) from error


def _spelled(connection: sa.Connection, statement: str) -> str:
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")
