"""Literals of a filter as values of the field that they are compared with; nothing is cast silently."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping

from framedex.core.filters.fields import TEXTS, FieldType, Kind
from framedex.core.filters.tokens import FilterSyntaxError, Token, TokenKind
from framedex.core.metadata.values import Instant, Scalar, parse_instant, parse_uuid

#: Digits of a whole number.
_MOST_DIGITS = 4000

_NOUNS: Mapping[Kind, str] = {
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.TEXT: "text",
    Kind.TIME: "a date or time",
    Kind.UUID: "a UUID",
    Kind.ENUM: "one of an enum's values",
    Kind.USER: "an email address",
    Kind.POINT: "a place",
    Kind.EMBEDDING: "a vector",
    Kind.LIST: "a list",
    Kind.SET: "a set",
}


def noun(field_type: FieldType) -> str:
    """What a field holds, in words."""
    return " or ".join(_NOUNS[kind] for kind in sorted(field_type.kinds))


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean …` for a name that is nearly a known one, else nothing."""
    found = difflib.get_close_matches(name, list(known)[:5000], n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(one) for one in found)}?" if found else ""


def plain(token: Token) -> Scalar | None:
    """What a word stands for by itself: text, a number or a boolean; None when it is no literal."""
    if token.kind is TokenKind.STRING:
        return token.text
    if token.kind is TokenKind.NUMBER:
        return number(token)
    if token.is_word("true", "false"):
        return token.text.lower() == "true"
    return None


def number(token: Token) -> int | float:
    """A number, whole ones exactly.

    Raises:
        FilterSyntaxError: beyond what 64-bit numbers hold.
    """
    text = token.text
    if text.lstrip("-").isdigit():
        if len(text) > _MOST_DIGITS:
            raise FilterSyntaxError("the number has too many digits", token.position)
        whole = int(text)
        if not -_FLOAT_MAX <= whole <= _FLOAT_MAX:
            raise FilterSyntaxError("the number is beyond what 64-bit numbers hold", token.position)
        return whole
    found = float(text)
    if not math.isfinite(found):
        raise FilterSyntaxError("the number is beyond what 64-bit numbers hold", token.position)
    return found


_FLOAT_MAX = int(1.7976931348623157e308)


def literal(token: Token, shown: str, field_type: FieldType) -> Scalar:
    """The value of a word that is compared with a field.

    Args:
        shown: the field as a message names it.

    Raises:
        FilterSyntaxError: no literal, or one of another kind than the field's.
    """
    value = plain(token)
    if value is None:
        raise FilterSyntaxError(
            f"a value is expected here, not {token.shown()}; text stands in quotes",
            token.position,
            ("a string", "a number", "true", "false"),
        )
    for kind in sorted(field_type.kinds):
        found = _READERS[kind](value, field_type)
        if found is not None:
            return found
    raise _misfit(token, value, shown, field_type)


def _misfit(token: Token, value: Scalar, shown: str, field_type: FieldType) -> FilterSyntaxError:
    hint = ""
    if isinstance(value, str) and field_type.values:
        hint = near(value, field_type.values) or f"; its values are {', '.join(map(repr, field_type.values[:12]))}"
    elif Kind.TIME in field_type.kinds:
        hint = "; write it as ISO 8601 in quotes, as in '2026-01-31T12:00:00Z'"
    verb = "is" if not field_type.is_inferred else "was seen as"
    return FilterSyntaxError(
        f"{shown} {verb} {noun(field_type)}; {_spelling(value)} is not{hint}", token.position, (noun(field_type),)
    )


def _spelling(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)[:60]


def _number(value: Scalar, _: FieldType) -> Scalar | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Scalar, _: FieldType) -> Scalar | None:
    return value if isinstance(value, bool) else None


def _text(value: Scalar, _: FieldType) -> Scalar | None:
    return value if isinstance(value, str) else None


def _enum(value: Scalar, field_type: FieldType) -> Scalar | None:
    return value if isinstance(value, str) and value in field_type.values else None


def _time(value: Scalar, _: FieldType) -> Instant | None:
    return parse_instant(value) if isinstance(value, str) else None


def _uuid(value: Scalar, _: FieldType) -> str | None:
    return parse_uuid(value) if isinstance(value, str) else None


def _nothing(*_: object) -> None:
    return None


_READERS: Mapping[Kind, Callable[[Scalar, FieldType], Scalar | None]] = {
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _text,
    Kind.TIME: _time,
    Kind.UUID: _uuid,
    Kind.ENUM: _enum,
    Kind.USER: _text,
    Kind.POINT: _nothing,
    Kind.EMBEDDING: _nothing,
    Kind.LIST: _nothing,
    Kind.SET: _text,
}

#: Kinds that have an order.
ORDERED = TEXTS | {Kind.NUMBER, Kind.TIME, Kind.UUID}
