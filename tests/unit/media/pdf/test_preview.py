from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import broken_media, media_files
from tests.unit.media.previewing import preview, refusal

PDF = ItemType.PDF


def _with_text(text: str) -> bytes:
    """One page of 200 x 100 points with a line of text and a black square."""
    stream = f"BT /F1 12 Tf 20 70 Td ({text}) Tj ET 0 0 50 50 re f".encode()
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
        + f"4 0 obj<</Length {len(stream)}>>stream\n".encode()
        + stream
        + b"\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        b"trailer<</Root 1 0 R/Size 6>>\n%%EOF\n"
    )


def test_thumbnail__first_page_on_white() -> None:
    shown = preview(PDF, _with_text("Hello"))
    assert shown.facts["shows"] == "page 0 of 1"
    assert shown.pixels.shape == (128, 256, 3)
    assert shown.pixels[100, 20].max() < 10, "the square is at the bottom left"
    assert shown.pixels[100, 200].min() > 245


def test_text__of_a_page() -> None:
    shown = preview(PDF, _with_text("Hello"), operation="text", page=0, characters=100)
    assert (shown.data, shown.facts) == (b"Hello", {"page": 0, "pages": 1, "is_whole": True})
    cut = preview(PDF, _with_text("Hello"), operation="text", page=0, characters=4)
    assert (cut.data, cut.facts["is_whole"]) == (b"Hell", False)


def test_text__no_such_page() -> None:
    assert "there is no page 2" in refusal(PDF, media_files.pdf(2), operation="text", page=2, characters=10)


def test_preview__limit_of_pages() -> None:
    assert "FRAMEDEX_MEDIA_PAGES" in refusal(PDF, media_files.pdf(4), limits=Limits(pages=3))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\n%%EOF", broken_media.encrypted_pdf()])
def test_preview__broken_and_locked_are_refused(data: bytes) -> None:
    assert refusal(PDF, data)
