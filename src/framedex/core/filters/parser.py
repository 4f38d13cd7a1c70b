"""From the text of a filter to its tree, checked against the fields that there are.

Grammar (words in any case; `not` binds tighter than `and`, `and` tighter than `or`):

    filter     = [ any ]
    any        = all { "or" all }
    all        = factor { "and" factor }
    factor     = "not" factor | "(" any ")" | "frames" "(" any ")" | near | condition
    near       = "near" "(" field "," number "," number "," number ")"          latitude, longitude, metres
    condition  = field ( ("=" | "!=" | "<" | "<=" | ">" | ">=") literal
                       | [ "not" ] "in" "(" literal { "," literal } ")"
                       | "between" literal "and" literal
                       | "contains" literal | "starts" "with" string
                       | "is" [ "not" ] "null" )
    field      = name | "`" any characters "`" | "$" name
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from framedex.core.filters.ast import (
    EVERYTHING,
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
from framedex.core.filters.fields import BUILTIN_TYPES, TEXTS, Fields, FieldType, Kind, View
from framedex.core.filters.literals import ORDERED, literal, near, noun, number, plain
from framedex.core.filters.tokens import FilterSyntaxError, Token, TokenKind, tokens
from framedex.core.metadata.values import Scalar, make_point

#: How deep parentheses and `not` may stand in each other.
MAX_DEPTH = 100
#: Values of one `in`.
MAX_IN = 10_000
#: Conditions of one filter.
MAX_CONDITIONS = 1_000

_OPERATORS = tuple(operator.value for operator in Operator)
_AFTER_FIELD = (*_OPERATORS, "in", "not in", "between", "contains", "starts with", "is null", "is not null")


def parse_filter(text: str, fields: Fields, view: View = View.ITEMS) -> Node:
    """The filter that a text says; of an empty text, everything.

    Raises:
        FilterSyntaxError: it breaks the grammar, names a field that there is not, or compares a field with a value of
            another kind; with the position and what was expected there.
    """
    return _Parser(text, fields, view).filter()


class _Parser:
    """Reads one filter from left to right, one word ahead."""

    def __init__(self, text: str, fields: Fields, view: View) -> None:
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._fields = fields
        self._sees_frames = view is View.FRAMES
        self._depth = 0
        self._conditions = 0

    def filter(self) -> Node:
        if self._is_at_end():
            return EVERYTHING
        node = self._any()
        if not self._is_at_end():
            raise self._unexpected("and", "or", "the end of the filter")
        return node

    # -- the shape of a filter

    def _any(self) -> Node:
        parts = [self._all()]
        while self._skips_word("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Node:
        parts = [self._factor()]
        while self._skips_word("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _factor(self) -> Node:
        token = self._token
        if token.is_word("not"):
            self._next()
            return Not(self._deeper(token, self._factor))
        if token.is_symbol("("):
            self._next()
            return self._closed(token)
        if not token.is_word("frames", "near"):
            return self._condition(self._field())
        self._next()
        if not self._token.is_symbol("("):
            return self._condition((token, self._named(token)))  # a key of that name
        opening = self._next()
        return self._some_frame(token, opening) if token.is_word("frames") else self._near()

    def _closed(self, opening: Token) -> Node:
        node = self._deeper(opening, self._any)
        if not self._token.is_symbol(")"):
            raise self._unexpected("and", "or", ")", note=f"; the ( at {opening.position} is not closed")
        self._next()
        return node

    def _some_frame(self, word: Token, opening: Token) -> Node:
        if self._sees_frames:
            raise FilterSyntaxError("frames( … ) asks about the frames of an item; here rows are frames", word.position)
        self._sees_frames = True
        node = self._closed(opening)
        self._sees_frames = False
        return Frames(node)

    def _deeper(self, at: Token, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterSyntaxError(f"parentheses and not stand at most {MAX_DEPTH} deep", at.position)
        node = read()
        self._depth -= 1
        return node

    # -- conditions

    def _condition(self, at: tuple[Token, FieldType]) -> Node:
        self._conditions += 1
        word, field_type = at
        if self._conditions > MAX_CONDITIONS:
            raise FilterSyntaxError(f"a filter may have {MAX_CONDITIONS} conditions", word.position)
        token = self._token
        if token.is_symbol(*_OPERATORS):
            self._next()
            return self._compare(word, field_type, Operator(token.text), token)
        readers: dict[str, Callable[[Token, FieldType], Node]] = {
            "in": self._in,
            "not": self._not_in,
            "between": self._between,
            "contains": self._contains,
            "starts": self._starts_with,
            "is": self._is_null,
        }
        if not token.is_word(*readers):
            raise self._unexpected(*_AFTER_FIELD)
        self._next()
        return readers[token.text.lower()](word, field_type)

    def _compare(self, word: Token, field_type: FieldType, operator: Operator, at: Token) -> Node:
        if operator in (Operator.EQUAL, Operator.NOT_EQUAL):
            if not field_type.kinds - {Kind.POINT, Kind.EMBEDDING, Kind.LIST}:
                raise self._not_for(at, word, field_type)
        elif not field_type.kinds & ORDERED:
            raise self._not_for(at, word, field_type)
        else:
            field_type = replace(field_type, kinds=field_type.kinds & ORDERED)
        return Compare(_field_of(word), operator, self._literal(word, field_type))

    def _in(self, word: Token, field_type: FieldType) -> Node:
        return In(_field_of(word), self._literals(word, field_type))

    def _not_in(self, word: Token, field_type: FieldType) -> Node:
        self._expect_word("in")
        return In(_field_of(word), self._literals(word, field_type), is_negated=True)

    def _between(self, word: Token, field_type: FieldType) -> Node:
        if not field_type.kinds & ORDERED:
            raise self._not_for(self._token, word, field_type)
        field_type = replace(field_type, kinds=field_type.kinds & ORDERED)
        low = self._literal(word, field_type)
        self._expect_word("and")
        return Between(_field_of(word), low, self._literal(word, field_type))

    def _contains(self, word: Token, field_type: FieldType) -> Node:
        token = self._token
        value = plain(token)
        if field_type.kinds & {Kind.LIST}:
            if value is None:
                raise self._unexpected("a string", "a number", "true", "false")
            self._next()
            return Contains(_field_of(word), value)
        if Kind.SET in field_type.kinds:
            return Contains(_field_of(word), self._literal(word, field_type))
        if not field_type.kinds & TEXTS:
            raise self._not_for(token, word, field_type)
        return Contains(_field_of(word), self._string())

    def _starts_with(self, word: Token, field_type: FieldType) -> Node:
        self._expect_word("with")
        if not field_type.kinds & TEXTS:
            raise self._not_for(self._token, word, field_type)
        return StartsWith(_field_of(word), self._string())

    def _is_null(self, word: Token, _: FieldType) -> Node:
        is_negated = self._skips_word("not")
        self._expect_word("null")
        node = IsNull(_field_of(word))
        return Not(node) if is_negated else node

    def _near(self) -> Node:
        word, field_type = self._field()
        if Kind.POINT not in field_type.kinds:
            raise FilterSyntaxError(f"near looks at places; {_shown(word)} is {noun(field_type)}", word.position)
        at = self._token
        latitude, longitude, metres = (self._after_comma() for _ in range(3))
        self._expect_symbol(")")
        point = make_point(latitude, longitude)
        if point is None:
            raise FilterSyntaxError("latitudes are -90 to 90 and longitudes -180 to 180 degrees", at.position)
        if metres < 0:
            raise FilterSyntaxError("a distance in metres is 0 or more", at.position)
        return Near(_field_of(word), point, float(metres))

    def _after_comma(self) -> int | float:
        self._expect_symbol(",")
        token = self._token
        if token.kind is not TokenKind.NUMBER:
            raise self._unexpected("a number")
        self._next()
        return number(token)

    # -- fields and values

    def _field(self) -> tuple[Token, FieldType]:
        token = self._token
        if token.kind not in (TokenKind.NAME, TokenKind.QUOTED_NAME, TokenKind.BUILTIN):
            raise self._unexpected("a metadata key", "a $field", "not", "(")
        self._next()
        return token, self._named(token)

    def _named(self, token: Token) -> FieldType:
        found = self._fields.find(_field_of(token))
        if found is None:
            known = [f"${name}" for name in BUILTIN_TYPES] if token.kind is TokenKind.BUILTIN else self._fields.names()
            shown = f"${token.text}" if token.kind is TokenKind.BUILTIN else token.text
            what = "built-in field" if token.kind is TokenKind.BUILTIN else "metadata key"
            raise FilterSyntaxError(f"there is no {what} {shown[:80]!r}{near(shown, known)}", token.position)
        if found.of_frames and token.kind is TokenKind.BUILTIN and not self._sees_frames:
            raise FilterSyntaxError(
                f"{_shown(token)} is of frames; ask for it inside frames( … ), or in the view of frames", token.position
            )
        return found

    def _literals(self, word: Token, field_type: FieldType) -> tuple[Scalar, ...]:
        self._expect_symbol("(")
        found = [self._literal(word, field_type)]
        while self._token.is_symbol(","):
            at = self._next()
            if len(found) == MAX_IN:
                raise FilterSyntaxError(f"an in may have {MAX_IN} values", at.position)
            found.append(self._literal(word, field_type))
        self._expect_symbol(")")
        return tuple(found)

    def _literal(self, word: Token, field_type: FieldType) -> Scalar:
        token = self._token
        value = literal(token, _shown(word), field_type)
        self._next()
        return value

    def _string(self) -> str:
        token = self._token
        if token.kind is not TokenKind.STRING:
            raise self._unexpected("a string")
        self._next()
        return token.text

    # -- words

    def _is_at_end(self) -> bool:
        return self._token.kind is TokenKind.END

    def _next(self) -> Token:
        """Goes on; answers the word that was read."""
        token = self._token
        if not self._is_at_end():
            self._token = next(self._tokens)
        return token

    def _skips_word(self, word: str) -> bool:
        is_there = self._token.is_word(word)
        if is_there:
            self._next()
        return is_there

    def _expect_word(self, word: str) -> None:
        if not self._skips_word(word):
            raise self._unexpected(word)

    def _expect_symbol(self, symbol: str) -> None:
        if not self._token.is_symbol(symbol):
            raise self._unexpected(symbol)
        self._next()

    def _unexpected(self, *expected: str, note: str = "") -> FilterSyntaxError:
        token = self._token
        wanted = " or ".join([", ".join(expected[:-1]), expected[-1]] if len(expected) > 1 else expected)
        return FilterSyntaxError(f"{wanted} is expected here, not {token.shown()}{note}", token.position, expected)

    def _not_for(self, at: Token, word: Token, field_type: FieldType) -> FilterSyntaxError:
        hint = "near" if Kind.POINT in field_type.kinds else "contains" if Kind.LIST in field_type.kinds else "is null"
        if Kind.SET in field_type.kinds:
            hint = "=, != and in"
        elif Kind.BOOLEAN in field_type.kinds:
            hint = "= and !="
        return FilterSyntaxError(
            f"{_shown(word)} is {noun(field_type)}, which takes no such comparison; use {hint}", at.position, (hint,)
        )


def _field_of(token: Token) -> Field:
    return Field(token.text, is_builtin=token.kind is TokenKind.BUILTIN)


def _shown(token: Token) -> str:
    return f"${token.text}" if token.kind is TokenKind.BUILTIN else token.text
