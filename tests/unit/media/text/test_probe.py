from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal


@pytest.mark.parametrize(
    ("data", "name", "mime_type", "encoding"),
    [
        (media_files.html(), "page.txt", "text/html", "utf-8"),
        (b"<p>a fragment</p>", "page.html", "text/html", "utf-8"),
        (media_files.json_text(), "report", "application/json", "utf-8"),
        (b"{not json", "report.json", "text/plain", "utf-8"),
        (media_files.xml_text(), "a.xml", "application/xml", "utf-8"),
        (broken_media.svg(), "drawing.svg", "text/plain", "utf-8"),
        (media_files.csv_series(), "a.csv", "text/csv", "utf-8"),
        (b"# Title", "README.MD", "text/markdown", "utf-8"),
        (b'{"a": 1}\n{"a": 2}\n', "rows.jsonl", "application/x-ndjson", "utf-8"),
        ("größe".encode("cp1252"), "a.txt", "text/plain", "cp1252"),
        ("hello".encode("utf-16"), "a.txt", "text/plain", "utf-16"),
        ("\ufeffhello".encode(), "a.txt", "text/plain", "utf-8-sig"),
        (b"", "empty.txt", "text/plain", "utf-8"),
    ],
)
def test_probe__type_by_content_then_name(data: bytes, name: str, mime_type: str, encoding: str) -> None:
    facts = probe(ItemType.PLAIN_TEXT, data, name)
    assert (facts.mime_type, facts.extra) == (mime_type, {"encoding": encoding})


def test_probe__character_across_blocks_is_one() -> None:
    data = b"a" * ((256 << 10) - 1) + "ü".encode()
    assert probe(ItemType.PLAIN_TEXT, data).extra == {"encoding": "utf-8"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (media_files.png(), "control byte 0x"),
        (b"text\x00text", "control byte 0x00"),
        (b"caf\xe9 \x81", "not text in UTF-8"),
        (b"\xff\xfea", "begins as utf-16"),
    ],
)
def test_probe__binary_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.PLAIN_TEXT, data, "a.txt")
