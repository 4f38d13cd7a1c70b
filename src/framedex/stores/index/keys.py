"""Which metadata keys there are, as far as a caller may know: a key that only hidden items have is no key of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from framedex.core.filters.fields import Kind
from framedex.core.ports.index import Visibility
from framedex.stores.index.columns import Column, Level
from framedex.stores.index.layout import Layout
from framedex.stores.index.rights import visible


def visible_kinds(
    cursor: duckdb.DuckDBPyConnection, key: str, visibility: Visibility, layout: Layout
) -> frozenset[Kind]:
    """Kinds of the values of one key."""
    all_of = [column for level in Level for column in layout.columns.of(level, key).values()]
    if visibility.folders is None:
        return frozenset(column.kind for column in all_of)
    return frozenset(column.kind for column in all_of if _has_value(cursor, column, visibility, layout))


def visible_keys(cursor: duckdb.DuckDBPyConnection, visibility: Visibility, layout: Layout) -> Sequence[str]:
    """Keys with values, in the order of the columns."""
    names = layout.columns.keys()
    if visibility.folders is None:
        return names
    seen: set[str] = set()
    for level in Level:
        of_level = [(name, column) for name in names for column in layout.columns.of(level, name).values()]
        found = _with_values(cursor, level, [column for _, column in of_level], visibility, layout)
        seen |= {name for name, column in of_level if column.name in found}
    return [name for name in names if name in seen]


def _has_value(cursor: duckdb.DuckDBPyConnection, column: Column, visibility: Visibility, layout: Layout) -> bool:
    source, alias = _source(column.level, visibility, layout)
    statement = f"SELECT 1 {source} AND {alias}.{column.name} IS NOT NULL LIMIT 1"
    return cursor.execute(statement).fetchone() is not None


def _with_values(
    cursor: duckdb.DuckDBPyConnection,
    level: Level,
    wanted: Iterable[Column],
    visibility: Visibility,
    layout: Layout,
) -> set[str]:
    """Names of the columns that hold a value; one scan for all."""
    names = [column.name for column in wanted]
    if not names:
        return set()
    source, alias = _source(level, visibility, layout)
    counts = ", ".join(f"count({alias}.{name})" for name in names)
    row = cursor.execute(f"SELECT {counts} {source}").fetchone()
    assert row is not None, "a count has one row"
    return {name for name, count in zip(names, row, strict=True) if count}


def _source(level: Level, visibility: Visibility, layout: Layout) -> tuple[str, str]:
    """FROM and WHERE of what may be seen, and the alias of the table that has the columns."""
    may_see = visible("i", visibility, layout.places) or "TRUE"
    if level is Level.ITEMS:
        return f"FROM items i WHERE {may_see}", "i"
    return f"FROM frames f JOIN items i ON i.n = f.n WHERE {may_see}", "f"
