"""Pages of rows in any order, by keyset: values missing and ties included, each row once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from framedex.core.errors import InvalidArguments
from framedex.core.filters.ast import Field
from framedex.core.filters.fields import View
from framedex.core.ids import ItemId
from framedex.core.metadata.values import Instant, Point
from framedex.core.ports.index import IndexedRow, PageOf, Question, RowsPage, SortKey
from framedex.stores.index.columns import Storage
from framedex.stores.index.compiler import SETS, Compiler
from framedex.stores.index.conditions import Operand
from framedex.stores.index.elements import from_element_text
from framedex.stores.index.layout import Layout
from framedex.stores.index.numbers import from_tie_text
from framedex.stores.index.questions import rows_of
from framedex.stores.index.statements import Parameters, run

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the engine answers times in UTC without saying so
_MICROSECOND = dt.timedelta(microseconds=1)


def read_page(cursor: duckdb.DuckDBPyConnection, question: Question, page: PageOf, layout: Layout) -> RowsPage:
    """`page.limit` rows behind `page.after`, and whether there are more."""
    rows = rows_of(question, layout)
    is_frames = question.view is View.FRAMES
    order = _order(rows.compiler, page, is_frames=is_frames)
    shown = [_shown(rows.compiler, field) for field in page.fields]
    selected = ["i.id", *(["f.frame", "f.time"] if is_frames else []), *(term.value for term in order)]
    selected += [text for one in shown for text in one.expressions()]
    where = f" AND {_behind(order, page.after, rows.parameters)}" if page.after is not None else ""
    statement = (
        f"SELECT {', '.join(selected)} {rows.source}{where} "
        f"ORDER BY {', '.join(term.clause() for term in order)} LIMIT {page.limit + 1}"
    )
    found = run(cursor, statement, rows.parameters).fetchall()
    start = 3 if is_frames else 1
    shown_from = start + len(order)
    made = [_row(row, shown_from, shown, is_frames=is_frames) for row in found[: page.limit]]
    last = found[page.limit - 1] if len(found) > page.limit else None
    is_all = page.after is None and last is None
    count = len(made) if is_all else count_rows(cursor, question, layout)
    return RowsPage(made, None if last is None else _key(last[start:shown_from]), count)


def count_rows(cursor: duckdb.DuckDBPyConnection, question: Question, layout: Layout) -> int:
    """How many rows a question means."""
    rows = rows_of(question, layout)
    found = run(cursor, f"SELECT count(*) {rows.source}", rows.parameters).fetchone()
    assert found is not None, "a count has one row"
    return int(found[0])


class _Term:
    """One expression of an order."""

    def __init__(self, value: str, sql_type: str, *, is_descending: bool = False) -> None:
        self.value = value
        self.sql_type = sql_type
        self._is_descending = is_descending

    def clause(self) -> str:
        return f"{self.value} {'DESC' if self._is_descending else 'ASC'} NULLS LAST"

    def is_behind(self, name: str) -> str:
        """Rows whose value stands behind a value that is there."""
        sign = "<" if self._is_descending else ">"
        return f"({self.value} {sign} {name} OR {self.value} IS NULL)"


def _order(compiler: Compiler, page: PageOf, *, is_frames: bool) -> list[_Term]:
    terms = []
    for sort in page.sort:
        operands = compiler.operands(sort.field)
        # Values of several kinds have an order within their kind only: one kind after the other.
        for operand in operands:
            terms.extend(_terms(operand, is_descending=sort.is_descending))
    terms.append(_Term("i.id", "UUID"))
    if is_frames:
        terms.append(_Term("f.frame", "DOUBLE"))
    return terms


def _terms(operand: Operand, *, is_descending: bool) -> list[_Term]:
    expression, sql_type = _COMPARABLE[operand.storage]
    terms = [_Term(expression.format(operand.value), sql_type, is_descending=is_descending)]
    if operand.companion is not None:
        companion_type = "VARCHAR" if operand.storage is Storage.NUMBER else "DOUBLE"
        terms.append(_Term(operand.companion, companion_type, is_descending=is_descending))
    return terms


#: How values of a storage are ordered: an expression of the value, and the type of it.
_COMPARABLE: Mapping[Storage, tuple[str, str]] = {
    Storage.NUMBER: ("{}", "DOUBLE"),
    Storage.BOOLEAN: ("{}", "BOOLEAN"),
    Storage.TEXT: ("{}", "VARCHAR"),
    Storage.TIME: ("epoch_us({})", "BIGINT"),
    Storage.POINT: ("{}", "DOUBLE"),
    Storage.LIST: ("{}::VARCHAR", "VARCHAR"),
}


def _behind(order: Sequence[_Term], after: Sequence[object], parameters: Parameters) -> str:
    """Rows behind a row with these values: behind in one term, and equal in all before it."""
    if len(after) != len(order):
        raise InvalidArguments(
            "this cursor is older than the types of the fields that it sorts by; start again without it"
        )
    choices: list[str] = []
    equal: list[str] = []
    for term, value in zip(order, after, strict=True):
        if value is None:
            # Nothing stands behind what is missing.
            equal.append(f"{term.value} IS NULL")
            continue
        name = f"{parameters.bind(value)}::{term.sql_type}"
        choices.append(" AND ".join([*equal, term.is_behind(name)]))
        equal.append(f"{term.value} = {name}")
    return f"({' OR '.join(f'({choice})' for choice in choices)})"


class _ShownSet:
    """A set-valued field as it is shown: ids in order, None for none; of `$folder` the item's own folder."""

    def __init__(self, compiler: Compiler, expression: str) -> None:
        self._id = compiler.set_value
        self._expression = expression

    def expressions(self) -> list[str]:
        return [self._expression]

    def width(self) -> int:
        return 1

    def read(self, cells: Sequence[Any]) -> object:
        found = cells[0]
        if isinstance(found, list):
            return tuple(sorted(self._id(one) for one in found))
        return None if found is None else self._id(found)


class _Shown:
    """A field as it is shown: the one value that it has, whatever its kind."""

    def __init__(self, operands: Sequence[Operand]) -> None:
        self._operands = operands

    def expressions(self) -> list[str]:
        return [text for operand in self._operands for text in (operand.value, operand.companion) if text is not None]

    def width(self) -> int:
        return len(self.expressions())

    def read(self, cells: Sequence[Any]) -> object:
        position = 0
        for operand in self._operands:
            value = cells[position]
            companion = cells[position + 1] if operand.companion is not None else None
            position += 1 if operand.companion is None else 2
            if value is not None:
                return decoded(operand.storage, value, companion)
        return None


def _shown(compiler: Compiler, field: Field) -> _Shown | _ShownSet:
    if not (field.is_builtin and field.name in SETS):
        return _Shown(compiler.operands(field))
    if field.name == "folder":
        return _ShownSet(compiler, "i.folder")
    return _ShownSet(compiler, f"(SELECT list(r.value) FROM ({compiler.relation(field.name)}) r WHERE r.n = i.n)")


def decoded(storage: Storage, value: Any, companion: Any) -> object:  # noqa: ANN401 - whatever the engine answers
    """A value of the typed view from what the engine answers."""
    if storage is Storage.NUMBER:
        return number(value, companion)
    if storage is Storage.TIME:
        return Instant((value - _EPOCH) // _MICROSECOND)
    if storage is Storage.POINT:
        return Point(value, companion)
    if storage is Storage.LIST:
        return tuple(from_element_text(element) for element in value)
    return value


def number(value: float, companion: str | None) -> int | float:
    """A number: whole ones as such, those beyond 2^53 exactly."""
    if companion is not None:
        return from_tie_text(companion)
    return int(value) if value.is_integer() else value


def _row(row: Sequence[Any], position: int, shown: Sequence[_Shown | _ShownSet], *, is_frames: bool) -> IndexedRow:
    values = []
    for one in shown:
        values.append(one.read(row[position : position + one.width()]))
        position += one.width()
    frame, time = (int(row[1]), row[2]) if is_frames else (None, None)
    return IndexedRow(ItemId(str(row[0])), frame, time, values)


def _key(values: Sequence[object]) -> SortKey:
    return tuple(
        value if value is None or isinstance(value, bool | int | float | str) else str(value) for value in values
    )
