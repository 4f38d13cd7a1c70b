"""What a lint sees: a file's text, its syntax tree, and the opt-outs written in it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# An opt-out is named and reasoned, on the line it excuses or alone on the line above it.
_OPT_OUT = re.compile(r"#\s*lint:\s*allow-(?P<rule>[a-z-]+)(?P<reason>\s+-\s+\S.*)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    Attributes:
        path: relative to the repository, with forward slashes.
        line: counts from 1.
    """

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A `lint: allow-<rule> - reason` comment."""

    line: int
    rule: str
    has_reason: bool
    is_alone: bool

    @property
    def excused_line(self) -> int:
        return self.line + 1 if self.is_alone else self.line


@dataclass(frozen=True)
class Source:
    """One file. `path` is relative to the repository, with forward slashes."""

    path: str
    text: str

    @classmethod
    def read(cls, root: Path, path: str) -> Source | None:
        """The file, or None when it is not text."""
        try:
            return cls(path, (root / path).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            return None

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def opt_outs(self) -> list[OptOut]:
        """Opt-outs in Python comments (a string that looks like one is none); other files have no opt-out."""
        return [_opt_out(line, self.lines[line - 1], match) for line, match in self._matches()]

    def _matches(self) -> Iterator[tuple[int, re.Match[str]]]:
        for line, text in self._comments():
            if match := _OPT_OUT.search(text):
                yield line, match

    def _comments(self) -> Iterator[tuple[int, str]]:
        if not self.is_python:
            return
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string

    def finding(self, line: int, rule: str, message: str) -> Finding:
        return Finding(self.path, line, rule, message)


def _opt_out(number: int, line: str, match: re.Match[str]) -> OptOut:
    return OptOut(
        line=number,
        rule=match["rule"],
        has_reason=match["reason"] is not None,
        is_alone=line.lstrip().startswith("#"),
    )
