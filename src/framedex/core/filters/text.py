"""From a filter's tree to its text: what a preset shows, and what a cursor is bound to."""

from __future__ import annotations

import datetime as dt
import re

from framedex.core.filters.ast import (
    And,
    Between,
    Compare,
    Condition,
    Contains,
    Field,
    Frames,
    In,
    IsNull,
    Near,
    Node,
    Not,
    Or,
    StartsWith,
)
from framedex.core.metadata.values import Instant, Scalar

_PLAIN = re.compile(r"[^\W\d]\w*")
_WORDS = frozenset(
    {"and", "or", "not", "in", "between", "contains", "starts", "with", "is", "null", "true", "false", "frames", "near"}
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def filter_text(node: Node) -> str:
    """The filter as text that parses to the same tree, but for parts of nothing: an empty `and` is an empty text."""
    return "" if node == And(()) else _text(node)


def field_text(field: Field) -> str:
    """A field as filters write it."""
    if field.is_builtin:
        return f"${field.name}"
    if _PLAIN.fullmatch(field.name) and field.name.lower() not in _WORDS:
        return field.name
    return "`" + field.name.replace("`", "``") + "`"


def literal_text(value: Scalar) -> str:
    """A literal as filters write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Instant):
        return f"'{instant_text(value)}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def instant_text(value: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC."""
    return (_EPOCH + dt.timedelta(microseconds=int(value))).isoformat().replace("+00:00", "Z")


def _text(node: Node) -> str:
    if isinstance(node, And):
        return " and ".join(_inner(part) for part in node.parts)
    if isinstance(node, Or):
        return " or ".join(_inner(part) for part in node.parts)
    if isinstance(node, Not):
        if isinstance(node.part, IsNull):
            return f"{field_text(node.part.field)} is not null"
        return f"not ({_text(node.part)})"
    if isinstance(node, Frames):
        return f"frames({_text(node.part)})"
    return _condition(node)


def _inner(part: Node) -> str:
    return f"({_text(part)})" if isinstance(part, And | Or) else _text(part)


def _condition(node: Condition) -> str:
    field = field_text(node.field)
    if isinstance(node, Compare):
        return f"{field} {node.operator.value} {literal_text(node.literal)}"
    if isinstance(node, In):
        return f"{field} {'not in' if node.is_negated else 'in'} ({', '.join(map(literal_text, node.literals))})"
    if isinstance(node, Between):
        return _between(field, node)
    if isinstance(node, Contains):
        return f"{field} contains {literal_text(node.literal)}"
    if isinstance(node, StartsWith):
        return f"{field} starts with {literal_text(node.literal)}"
    if isinstance(node, Near):
        return f"near({field}, {node.point.latitude!r}, {node.point.longitude!r}, {node.metres!r})"
    return f"{field} is null"


def _between(field: str, node: Between) -> str:
    if node.low is not None and node.high is not None:
        return f"{field} between {literal_text(node.low)} and {literal_text(node.high)}"
    if node.low is not None:
        return f"{field} >= {literal_text(node.low)}"
    return f"{field} is not null" if node.high is None else f"{field} <= {literal_text(node.high)}"
