"""Guides as programs: the Python blocks of a page in order, each with the output that the page shows for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"

_BLOCK = re.compile(r"^(?P<mark><!-- settings -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(slots=True)
class Step:
    """One Python block. `line` is where it begins; `is_settings` marks values that a reader puts in."""

    line: int
    code: str
    is_settings: bool
    output: str = ""


def steps(page: Path) -> Sequence[Step]:
    """The Python blocks of a page; a `text` block is the output of the Python block before it."""
    text = page.read_text()
    found: list[Step] = []
    for block in _BLOCK.finditer(text):
        if block["kind"] == "python":
            line = text.count("\n", 0, block.start("text"))
            found.append(Step(line, block["text"], block["mark"] is not None))
        elif block["kind"] == "text":
            found[-1].output = block["text"]
    return found
