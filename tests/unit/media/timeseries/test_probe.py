from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from tests.builders import media_files
from tests.unit.media.probing import probe, refusal


def test_probe__columns_and_rows() -> None:
    facts = probe(ItemType.TIMESERIES, media_files.csv_series(1000))
    assert facts.extra == {"columns": ["time", "speed", "heading"], "row_count": 1000}
    assert facts.mime_type == "text/csv"


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa;b\r\n1;2\r\n", b"a\tb\n1\t2\n\n", b'a,b\n"1,\n5",2'])
def test_probe__spellings_of_csv(data: bytes) -> None:
    assert probe(ItemType.TIMESERIES, data).extra == {"columns": ["a", "b"], "row_count": 1}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no header"),
        (b"a,b\n1,2\n3\n", "line 3 of the CSV has 1 cells, its header 2"),
        (b"a,a\n1,2\n", "twice"),
        (b'a,b\n"1,2\n', "cannot be read"),
        (media_files.png(), "not UTF-8"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.TIMESERIES, data)
