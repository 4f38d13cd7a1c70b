"""Values of statements: bound under names, never written into the text."""

from __future__ import annotations

import re

import duckdb

_NAMES = re.compile(r"\$(p\d+)")


class Parameters:
    """The bound values of one question's statements."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def bind(self, value: object) -> str:
        """How a statement names the value."""
        name = f"p{len(self._values)}"
        self._values[name] = value
        return f"${name}"

    def of(self, statement: str) -> dict[str, object]:
        """The values that a statement names; the engine refuses others, and not every condition is needed."""
        return {name: self._values[name] for name in _NAMES.findall(statement)}


def run(cursor: duckdb.DuckDBPyConnection, statement: str, parameters: Parameters) -> duckdb.DuckDBPyConnection:
    """Executes a statement with the values that it names."""
    return cursor.execute(statement, parameters.of(statement))
