"""The words of the filter language, each with its position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from framedex.core.errors import InvalidArguments

#: Characters of a filter's text.
MAX_FILTER_LENGTH = 2_000_000


class FilterSyntaxError(InvalidArguments):
    """A filter that cannot be read.

    Attributes:
        position: index of the character where it goes wrong, from 0 (code points).
        expected: what could stand there.
    """

    def __init__(self, message: str, position: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message, position=position, expected=list(expected))
        self.position = position
        self.expected = expected


class TokenKind(StrEnum):
    NAME = "a metadata key"
    QUOTED_NAME = "a metadata key in backticks"
    BUILTIN = "a built-in field"
    STRING = "a string"
    NUMBER = "a number"
    SYMBOL = "a symbol"
    END = "the end of the filter"


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `text` is what it stands for: of quoted words without the quotes, of built-in fields without `$`."""

    kind: TokenKind
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words of the language, in any case."""
        return self.kind is TokenKind.NAME and self.text.lower() in words

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind is TokenKind.SYMBOL and self.text in symbols

    def shown(self) -> str:
        """How a message names it."""
        if self.kind is TokenKind.END:
            return TokenKind.END.value
        text = f"${self.text}" if self.kind is TokenKind.BUILTIN else self.text
        return repr(text[:40])


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<builtin>\$[^\W\d]\w*(?:\.\w+)*)
    |(?P<name>[^\W\d]\w*)
    |(?P<backticked>`(?:[^`]|``)*`)
    |(?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
    |(?P<symbol><=|>=|!=|=|<|>|\(|\)|,)
    """,
    re.VERBOSE,
)


def tokens(text: str) -> Iterator[Token]:
    """The words of a filter, and one that stands for its end.

    Raises:
        FilterSyntaxError: a character that begins no word, or a quote that is not closed.
    """
    if len(text) > MAX_FILTER_LENGTH:
        raise FilterSyntaxError(
            f"a filter may have {MAX_FILTER_LENGTH} characters; this has {len(text)}", MAX_FILTER_LENGTH
        )
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _no_word(text, position)
        if found.lastgroup != "space":
            yield _token(str(found.lastgroup), found.group(), position)
        position = found.end()
    yield Token(TokenKind.END, "", len(text))


def _token(group: str, text: str, position: int) -> Token:
    if group == "backticked":
        return Token(TokenKind.QUOTED_NAME, text[1:-1].replace("``", "`"), position)
    if group == "string":
        return Token(TokenKind.STRING, text[1:-1].replace(text[0] * 2, text[0]), position)
    if group == "builtin":
        return Token(TokenKind.BUILTIN, text[1:], position)
    return Token(TokenKind[group.upper()], text, position)


def _no_word(text: str, position: int) -> FilterSyntaxError:
    character = text[position]
    if character in "\"'`":
        return FilterSyntaxError(f"the quote {character} that opens here is not closed", position, (character,))
    if character in ".-" and position and (text[position - 1].isalnum() or text[position - 1] == "_"):
        return FilterSyntaxError(
            f"a key with {character!r} in its name stands in backticks, as in `team.key-1`", position, ("`",)
        )
    if character == "$":
        return FilterSyntaxError("the name of a built-in field follows $, as in $type", position, ("$name",))
    hint = {"&": "; write and", "|": "; write or", "!": "; write not or !=", ";": ""}.get(character, "")
    return FilterSyntaxError(f"{character!r} is no part of the filter language{hint}", position)
