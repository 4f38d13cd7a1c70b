from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal


@pytest.mark.parametrize("pages", [1, 7])
def test_probe__pages(pages: int) -> None:
    facts = probe(ItemType.PDF, media_files.pdf(pages))
    assert (facts.pages, facts.mime_type) == (pages, "application/pdf")
    assert facts.extra == {"first_page_points": [200.0, 100.0]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (broken_media.cut(media_files.pdf()), "cut off"),
        (broken_media.encrypted_pdf(), "encrypted"),
        (broken_media.pdf_with_lying_count(), "says it has 9 pages, and page 2 cannot be read"),
        (media_files.png(), "not a PDF"),
        (b"%PDF-1.4\nnothing\n%%EOF\n", "broken"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.PDF, data)
