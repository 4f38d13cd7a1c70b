"""One condition about one column as SQL: what `core.filters.evaluation` says of a value, said to DuckDB.

A condition about a missing value is NULL or false; whoever negates makes false of NULL (see `compiler`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from framedex.core.filters.ast import Between, Compare, Contains, In, Near, Operator, StartsWith
from framedex.core.filters.evaluation import EARTH_RADIUS, lower
from framedex.core.metadata.values import Instant, Scalar
from framedex.stores.index.columns import Storage, storage_of
from framedex.stores.index.elements import element_text
from framedex.stores.index.numbers import tie_text

NEVER = "FALSE"

#: Takes a value, answers how the statement names it.
Bind = Callable[[object], str]

_OPERATORS: Mapping[Operator, str] = {
    Operator.EQUAL: "=",
    Operator.NOT_EQUAL: "<>",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}
_SQL_TYPES: Mapping[Storage, str] = {
    Storage.NUMBER: "DOUBLE",
    Storage.TEXT: "VARCHAR",
    Storage.TIME: "BIGINT",
    Storage.BOOLEAN: "BOOLEAN",
}

#: Metres of a degree of latitude, a little less than there are: a box of it is never too small.
_METRES_PER_DEGREE = 111_000.0


class Operand(NamedTuple):
    """The value of a field as SQL expressions: of its column, and of the column's companion."""

    storage: Storage
    value: str
    companion: str | None = None


def compare(operand: Operand, operator: Operator, literal: Scalar, bind: Bind) -> str:
    """`operand operator literal`; the literal is of the operand's storage."""
    if operand.storage is Storage.BOOLEAN and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        return NEVER
    if operand.storage is Storage.NUMBER and _needs_tie(operand, literal):
        assert isinstance(literal, int | float), "a number by its storage"
        return _compare_exactly(operand, operator, bind(float(literal)), bind(tie_text(literal)))
    return f"{operand.value} {_OPERATORS[operator]} {_bound(literal, bind)}"


def _compare_exactly(operand: Operand, operator: Operator, nearest: str, tie: str) -> str:
    value, companion = operand.value, operand.companion
    if operator is Operator.EQUAL:
        return f"({value} = {nearest} AND {companion} = {tie})"
    if operator is Operator.NOT_EQUAL:
        return f"({value} <> {nearest} OR {companion} <> {tie})"
    strictly = _OPERATORS[operator].rstrip("=")
    return f"({value} {strictly} {nearest} OR ({value} = {nearest} AND {companion} {_OPERATORS[operator]} {tie}))"


def between(operand: Operand, node: Between, bind: Bind) -> str:
    """Both ends that are given hold; an open one holds for every value."""
    ends = ((Operator.GREATER_OR_EQUAL, node.low), (Operator.LESS_OR_EQUAL, node.high))
    if any(end is not None and storage_of(end) is not operand.storage for _, end in ends):
        return NEVER
    given = [compare(operand, operator, end, bind) for operator, end in ends if end is not None]
    return f"({' AND '.join(given)})" if given else f"{operand.value} IS NOT NULL"


def is_in(operand: Operand, node: In, bind: Bind) -> str:
    """One of the literals, or none of them; literals of other kinds than the operand's count for nothing."""
    same = [literal for literal in node.literals if storage_of(literal) is operand.storage]
    if not same:
        return f"{operand.value} IS NOT NULL" if node.is_negated and not node.literals else NEVER
    large = [one for one in same if _needs_tie(operand, one)]
    small = [one for one in same if not _needs_tie(operand, one)]
    parts = [compare(operand, Operator.EQUAL, one, bind) for one in large]
    if small:
        parts.append(_one_of(operand, small, bind))
    found = " OR ".join(parts)
    return f"NOT coalesce({found}, FALSE) AND {operand.value} IS NOT NULL" if node.is_negated else f"({found})"


def _needs_tie(operand: Operand, literal: Scalar) -> bool:
    return operand.companion is not None and isinstance(literal, int | float) and tie_text(literal) is not None


def _one_of(operand: Operand, literals: Sequence[Scalar], bind: Bind) -> str:
    sql_type = _SQL_TYPES[operand.storage]
    value = f"epoch_us({operand.value})" if operand.storage is Storage.TIME else operand.value
    given = [float(one) if operand.storage is Storage.NUMBER else _plain(one) for one in literals]
    return f"{value} IN (SELECT unnest({bind(given)}::{sql_type}[]))"


def contains(operand: Operand, node: Contains, bind: Bind) -> str:
    """Text within text, or an element of a list; neither regards case."""
    if operand.storage is Storage.LIST:
        element = lower(node.literal) if isinstance(node.literal, str) else node.literal
        return f"list_contains(list_transform({operand.value}, lambda e: lower(e)), {bind(element_text(element))})"
    if operand.storage is Storage.TEXT and isinstance(node.literal, str):
        return f"contains(lower({operand.value}), {bind(lower(node.literal))})"
    return NEVER


def starts_with(operand: Operand, node: StartsWith, bind: Bind) -> str:
    """Text that begins so, whatever the case."""
    if operand.storage is not Storage.TEXT:
        return NEVER
    return f"starts_with(lower({operand.value}), {bind(lower(node.literal))})"


def near(operand: Operand, node: Near, bind: Bind) -> str:
    """At most so far away, by the haversine formula; a band of latitudes first, which costs no sines."""
    if operand.storage is not Storage.POINT:
        return NEVER
    latitude, longitude = bind(node.point.latitude), bind(node.point.longitude)
    margin = bind(node.metres / _METRES_PER_DEGREE)
    half = (
        f"pow(sin(radians({operand.value} - {latitude}) / 2), 2) + cos(radians({latitude})) * "
        f"cos(radians({operand.value})) * pow(sin(radians({operand.companion} - {longitude}) / 2), 2)"
    )
    return (
        f"(abs({operand.value} - {latitude}) <= {margin} AND "
        f"{2 * EARTH_RADIUS!r} * asin(sqrt(least(1.0, {half}))) <= {bind(node.metres)})"
    )


_CONDITIONS: Mapping[type, Callable[..., str]] = {
    Between: between,
    In: is_in,
    Contains: contains,
    StartsWith: starts_with,
    Near: near,
}


def condition(operand: Operand, node: Compare | Between | In | Contains | StartsWith | Near, bind: Bind) -> str:
    """What a condition says about one operand; never true where the literal is of another kind."""
    if isinstance(node, Compare):
        return (
            compare(operand, node.operator, node.literal, bind)
            if storage_of(node.literal) is operand.storage
            else NEVER
        )
    return _CONDITIONS[type(node)](operand, node, bind)


def _bound(literal: Scalar, bind: Bind) -> str:
    if isinstance(literal, Instant):
        return f"make_timestamp({bind(int(literal))})"
    return bind(float(literal) if storage_of(literal) is Storage.NUMBER else literal)


def _plain(literal: Scalar) -> Scalar:
    return int(literal) if isinstance(literal, Instant) else literal
