from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from framedex.media.text.excerpt import visible_text
from tests.builders import media_files
from tests.unit.media.previewing import preview, refusal

TEXT = ItemType.PLAIN_TEXT


def _text(data: bytes, characters: int = 1000, mime_type: str | None = None) -> tuple[str, bool]:
    shown = preview(TEXT, data, operation="text", characters=characters, mime_type=mime_type)
    return shown.data.decode(), shown.facts["is_whole"]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"", ""),
        (b"plain", "plain"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Grüße".encode("utf-32"), "Grüße"),
        ("Grüße".encode("cp1252"), "Grüße"),
    ],
)
def test_text__is_read_in_its_encoding(data: bytes, want: str) -> None:
    assert _text(data) == (want, True)


def test_text__is_cut_at_whole_characters() -> None:
    assert _text("ü".encode() * 100, 7) == ("ü" * 7, False)
    long = "ü".encode() * 100_000
    assert _text(long, 50_000) == ("ü" * 50_000, False)


def test_text__of_html_has_no_tags_and_no_scripts() -> None:
    page = (
        b"<!doctype html><html><head><title>T</title><style>p{}</style></head><body onload=x()>"
        b"<p>One &amp; two</p><script>evil('<p>no</p>')</script><!-- hidden --><svg><text>no</text></svg>"
        b"Three<br>Four</body>"
    )
    assert _text(page) == ("One & two\nThree\nFour", True)
    assert _text(b"<p>a</p>", mime_type="text/html") == ("a", True)
    assert _text(b"<p>a</p>")[0] == "<p>a</p>", "what is no HTML keeps its signs"


def test_visible_text__entities_are_resolved_once() -> None:
    assert visible_text("&amp;lt;script&amp;gt;") == "&lt;script&gt;"
    assert visible_text("<head><title>x<body>shown") == "shown"


def test_text__binary_is_refused() -> None:
    assert "not text" in refusal(TEXT, media_files.png(), operation="text", characters=9)


def test_thumbnail__lines_are_drawn() -> None:
    empty, full = preview(TEXT, b"").pixels, preview(TEXT, b"some words\n" * 20).pixels
    assert empty.min() > 240
    assert (full < 128).sum() > 500


def test_thumbnail__odd_characters_and_long_lines_draw() -> None:
    assert preview(TEXT, ("\U0001f600\x1b\t" + "漢" * 100_000).encode()).facts["width"] == 256
