from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Costs", "What enforces it"]


def test_decisions__are_numbered_without_gaps() -> None:
    assert [page.name[:4] for page in PAGES] == [f"{number:04}" for number in range(1, len(PAGES) + 1)]


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "template.md"], ids=lambda page: page.stem)
def test_decisions__follow_the_template(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"^Status: (Proposed|Accepted|Superseded by)", text, re.MULTILINE)
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_decisions__can_be_quoted(page: Path) -> None:
    quote = [line for line in page.read_text().split("## Decision")[1].splitlines() if line.startswith("> ")]
    assert 0 < len(" ".join(quote)) < 300
