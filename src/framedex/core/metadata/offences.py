"""Where a JSON text breaks the rules of metadata, as a JSON path: the slow half, run only for what looks suspicious.

Parsing stops at the first offence without saying under which key it stands, so the text is walked once more by its
structural tokens. Every step is linear in the length of the text, whatever a hostile caller sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Containers within containers, the outermost counted.
MAX_NESTING = 100

# The closing quote is optional: a search that fails at an open string would start again at every escaped quote in it.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\],:]|NaN|-?Infinity', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_MAX_KEY_SHOWN = 100

# Digits stay text: an integer of 5000 digits is valid JSON, but Python refuses to convert it.
_scan = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True, slots=True)
class Offence:
    """What is wrong and where, as a JSON path below the value's own place (empty for the value itself)."""

    suffix: str
    reason: str


@dataclass(slots=True)
class _Walk:
    """The containers that are open, each with its current key or index (a key is None while it is awaited)."""

    steps: list[str | int | None] = field(default_factory=list)
    is_object: list[bool] = field(default_factory=list)

    def take(self, token: str) -> None:
        if token in "{[":
            self.is_object.append(token == "{")
            self.steps.append(None if token == "{" else 0)
        elif not self.steps:
            return
        elif token in "}]":
            self.steps.pop()
            self.is_object.pop()
        elif token == ",":
            step = self.steps[-1]
            self.steps[-1] = step + 1 if isinstance(step, int) else None
        elif token[0] == '"' and self.is_object[-1] and self.steps[-1] is None:
            self.steps[-1] = _key(token)

    def suffix(self) -> str:
        return "".join(step_text(step) for step in self.steps if step is not None)


def step_text(step: str | int) -> str:
    """One step of a JSON path: `[3]`, `.name` or `["any name"]`, always printable."""
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN_KEY.fullmatch(step):
        return f".{step[:_MAX_KEY_SHOWN]}"
    return f"[{json.dumps(step[:_MAX_KEY_SHOWN], ensure_ascii=not step.isprintable())}]"


def find_offence(text: str) -> Offence | None:
    """The first offence of a JSON text against JSON itself, then against our limits; None when there is none."""
    try:
        _, end = _scan.raw_decode(text)
    except json.JSONDecodeError as error:
        return Offence(_suffix_at(text, error.pos), f"not valid JSON: {error.msg} (character {error.pos})")
    except RecursionError:
        return _find_broken_limit(text) or Offence("", f"nested deeper than {MAX_NESTING}")
    if end != len(text):
        return Offence("", f"not valid JSON: something follows the value (character {end})")
    return _find_broken_limit(text)


def has_lone_surrogate(token: str) -> bool:
    """Whether a JSON string token has half of a UTF-16 pair as an escape, which is no character."""
    halves = [_half(match) for match in _ESCAPE.finditer(token)]
    if not any(halves):
        return False
    waits_at = -1
    for match in _ESCAPE.finditer(token):
        half = _half(match)
        if half == "low" and match.start() == waits_at:
            waits_at = -1
            continue
        if half == "low" or waits_at >= 0:
            return True
        waits_at = match.end() if half == "high" else -1
    return waits_at >= 0


def _half(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        return ""
    code = int(digits, 16)
    if 0xD800 <= code < 0xDC00:
        return "high"
    return "low" if 0xDC00 <= code < 0xE000 else ""


def _key(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except json.JSONDecodeError:
        return token.strip('"')


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        yield match.start(), match[0]


def _suffix_at(text: str, position: int) -> str:
    walk = _Walk()
    for start, token in _tokens(text):
        if start >= position:
            break
        walk.take(token)
    return walk.suffix()


def _find_broken_limit(text: str) -> Offence | None:
    walk = _Walk()
    for _, token in _tokens(text):
        walk.take(token)
        if len(walk.steps) > MAX_NESTING:
            walk.steps.pop()
            return Offence(walk.suffix(), f"nested deeper than {MAX_NESTING}")
        if token[0] in "NI-":
            return Offence(walk.suffix(), f"{token} is not JSON; leave the key out or send null")
        if token[0] == '"' and "\\" in token and has_lone_surrogate(token):
            return Offence(walk.suffix(), "a lone surrogate (half of a \\uD8xx\\uDCxx pair) is not a character")
    return None
