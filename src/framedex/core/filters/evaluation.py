"""The reference evaluator: what a filter means, in plain Python, over one row. Compilers are held against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from operator import ge, gt, le, lt
from typing import Any, Protocol

from framedex.core.filters.ast import (
    And,
    Between,
    Compare,
    Contains,
    Field,
    Frames,
    In,
    IsNull,
    Near,
    Node,
    Not,
    Operator,
    Or,
    StartsWith,
)
from framedex.core.metadata.values import Instant, Point

#: Metres; the mean radius of the Earth (IUGG).
EARTH_RADIUS = 6_371_008.8


class Row(Protocol):
    """An item or a frame as filters see it. What is missing is absent (or None) in both maps."""

    @property
    def builtin(self) -> Mapping[str, object]:
        """Built-in fields by name with their `$`; a tuple is a set (`$dataset`), and missing when it is empty."""
        ...

    @property
    def metadata(self) -> Mapping[str, object]:
        """Values of the typed view by flat key; of a frame its own, and where it has none those of its item."""
        ...

    @property
    def frames(self) -> Iterable[Row]:
        """The indexed frames of an item; none of a frame."""
        ...


_ORDERS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.LESS: lt,
    Operator.LESS_OR_EQUAL: le,
    Operator.GREATER: gt,
    Operator.GREATER_OR_EQUAL: ge,
}


def evaluate(node: Node, row: Row) -> bool:
    """Whether `row` satisfies a filter.

    A missing value satisfies no comparison, `!=` and `not in` included. A value of another kind than the literal
    (possible under keys without a type) counts as missing. Integers are compared exactly with floats.
    """
    if isinstance(node, And):
        return all(evaluate(part, row) for part in node.parts)
    if isinstance(node, Or):
        return any(evaluate(part, row) for part in node.parts)
    if isinstance(node, Not):
        return not evaluate(node.part, row)
    if isinstance(node, Frames):
        return any(evaluate(node.part, frame) for frame in row.frames)
    value = _value(row, node.field)
    if isinstance(node, IsNull):
        return value is None
    return value is not None and _holds(node, value)


def _value(row: Row, field: Field) -> object:
    if not field.is_builtin:
        return row.metadata.get(field.name)
    value = row.builtin.get(f"${field.name}")
    return (frozenset(value) or None) if isinstance(value, tuple) else value


def _holds(node: Compare | In | Between | Contains | StartsWith | Near, value: object) -> bool:
    if isinstance(node, Compare):
        return _compare(value, node.operator, node.literal)
    if isinstance(node, In):
        return _is_in(node, value)
    if isinstance(node, Between):
        return _is_between(node, value)
    if isinstance(node, Contains):
        return _contains(value, node.literal)
    if isinstance(node, StartsWith):
        return isinstance(value, str) and lower(value).startswith(lower(node.literal))
    return isinstance(value, Point) and distance(value, node.point) <= node.metres


def _compare(value: object, operator: Operator, literal: object) -> bool:
    if isinstance(value, frozenset):
        return {Operator.EQUAL: literal in value, Operator.NOT_EQUAL: literal not in value}.get(operator, False)
    if kind_of(value) != kind_of(literal):
        return False
    if operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        return (value == literal) is (operator is Operator.EQUAL)
    return kind_of(value) != "boolean" and _ORDERS[operator](value, literal)


def _is_in(node: In, value: object) -> bool:
    if isinstance(value, frozenset):
        return value.isdisjoint(node.literals) is node.is_negated
    same = [literal for literal in node.literals if kind_of(literal) == kind_of(value)]
    if node.is_negated and node.literals and not same:
        return False
    return (value in same) is not node.is_negated


def _is_between(node: Between, value: object) -> bool:
    ends = ((Operator.GREATER_OR_EQUAL, node.low), (Operator.LESS_OR_EQUAL, node.high))
    return all(_compare(value, operator, end) for operator, end in ends if end is not None)


def _contains(value: object, literal: object) -> bool:
    if isinstance(value, str):
        return isinstance(literal, str) and lower(literal) in lower(value)
    if isinstance(value, tuple) and not isinstance(value, Point):
        return any(kind_of(element) == kind_of(literal) and _same(element, literal) for element in value)
    return isinstance(value, frozenset) and literal in value


def _same(element: object, literal: object) -> bool:
    if isinstance(element, str) and isinstance(literal, str):
        return lower(element) == lower(literal)
    return element == literal


def kind_of(value: object) -> str:
    """The kind of a value: values of two kinds are never equal, and have no order."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Instant):
        return "time"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def lower(text: str) -> str:
    """Lower case by Unicode's simple mapping: one character for one, whatever stands beside it.

    `str.lower` makes two characters of İ, and ς of a Σ that ends a word.
    """
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def distance(one: Point, other: Point) -> float:
    """Metres between two places (haversine)."""
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, half)))
