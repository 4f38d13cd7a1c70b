"""The file of an index: opening, locking down, tables, transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from framedex.core.errors import Unavailable
from framedex.core.ports.index import Position
from framedex.stores.index.columns import BUILTINS, Columns, Level
from framedex.stores.index.layout import Layout
from framedex.stores.index.places import Places
from framedex.stores.index.resources import Resources, Unusable

#: Raised when tables change: an index of another format is built anew.
FORMAT = 2

_BUILTINS = {
    # numbers of built-in fields are below 2^53 and need no companion
    level: ", ".join(next(column.definitions()) for column in BUILTINS.values() if column.level is level)
    for level in Level
}
_OF_ITEMS = "n INTEGER, id UUID, folder INTEGER, is_child BOOLEAN, frames_digest BIGINT"
_TABLES = (
    "CREATE TABLE meta (format INTEGER, seq BIGINT, schema_version BIGINT, mark VARCHAR, next_n INTEGER)",
    f"INSERT INTO meta VALUES ({FORMAT}, 0, 0, '', 0)",
    "CREATE TABLE columns (level VARCHAR, key VARCHAR, storage VARCHAR, number INTEGER)",
    f"CREATE TABLE items ({_OF_ITEMS}, {_BUILTINS[Level.ITEMS]})",
    f"CREATE TABLE frames (n INTEGER, {_BUILTINS[Level.FRAMES]})",
    "CREATE TABLE places (kind VARCHAR, number INTEGER, id UUID)",
    "CREATE TABLE links (n INTEGER, row_id UUID, dataset INTEGER)",
    "CREATE TABLE members (n INTEGER, collection INTEGER)",
    "CREATE TABLE children (n INTEGER, parent UUID)",
)


class Database:
    """One open file. Each thread asks through a cursor of its own."""

    def __init__(self, path: Path, resources: Resources) -> None:
        """Opens or creates the file.

        Raises:
            Unusable: the file is there and is no index of this format.
            Unavailable: another process has it.
        """
        self.path = path
        try:
            self._connection = duckdb.connect(str(path), config=_config(path, resources))
        except duckdb.Error as error:
            if "lock" in str(error):
                raise Unavailable("the index of this directory is open in another process") from None
            raise Unusable(str(error)) from None
        try:
            self._prepare()
        except duckdb.Error as error:
            self._connection.close()
            raise Unusable(str(error)) from None

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose statements see one snapshot."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor
        except duckdb.OutOfMemoryException:
            raise Unavailable(
                "this question needs more memory than FRAMEDEX_INDEX_MEMORY_BYTES gives; narrow it, or ask for less"
            ) from None
        finally:
            cursor.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a transaction that is committed on a clean exit; for one thread at a time."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION")
            yield cursor
            cursor.execute("COMMIT")
        finally:
            cursor.close()  # a transaction that is not committed is rolled back

    def position(self) -> Position:
        with self.reading() as cursor:
            row = cursor.execute("SELECT seq, schema_version, mark FROM meta").fetchone()
        assert row is not None, "written at creation"
        return Position(*row)

    def move_to(self, position: Position) -> None:
        """Moves the position alone."""
        with self.writing() as cursor:
            write_position(cursor, position)

    def layout(self) -> Layout:
        with self.reading() as cursor:
            columns = cursor.execute("SELECT level, key, storage, number FROM columns ORDER BY number").fetchall()
            places = cursor.execute("SELECT kind, number, id::VARCHAR FROM places").fetchall()
        return Layout(Columns(columns), Places(places))

    def close(self) -> None:
        self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        if not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchone():
            connection.execute("BEGIN TRANSACTION")
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("COMMIT")
        row = connection.execute("SELECT format FROM meta").fetchone()
        if row != (FORMAT,):
            connection.close()
            raise Unusable("another format")
        # Nothing that a filter could reach may touch files or the network (design: the index is locked down).
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def write_position(cursor: duckdb.DuckDBPyConnection, position: Position) -> None:
    """Moves the position, in the transaction of the cursor."""
    cursor.execute(
        "UPDATE meta SET seq = $seq, schema_version = $version, mark = $mark",
        {"seq": position.seq, "version": position.schema_version, "mark": position.mark},
    )


def _config(path: Path, resources: Resources) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": resources.threads,
        "memory_limit": f"{resources.memory_bytes // (1 << 20)}MiB",
        "temp_directory": f"{path}.tmp",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Rows have an order only where a statement says so.
        "preserve_insertion_order": False,
        "custom_user_agent": "framedex",
    }
