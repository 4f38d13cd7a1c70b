from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from tests.builders import media_files
from tests.unit.media.previewing import preview, refusal

SERIES = ItemType.TIMESERIES


@pytest.mark.parametrize("rows", [1, 2, 10, 5000])
def test_thumbnail__columns_are_lines(rows: int) -> None:
    shown = preview(SERIES, media_files.csv_series(rows))
    assert shown.facts["shows"] == "speed, heading"
    assert shown.pixels.shape == (128, 256, 3)
    assert (shown.pixels.max(axis=-1) > 100).any(axis=0).all(), "each column of pixels has a part of a line"


def test_thumbnail__a_rising_line_rises() -> None:
    data = b"t,v\n" + b"".join(f"{i},{i}\n".encode() for i in range(1000))
    green = preview(SERIES, data).pixels[..., 1] > 150
    assert green[100:, :20].any()
    assert green[:28, -20:].any()
    assert not green[:100, :20].any()


@pytest.mark.parametrize("data", [b"", b"a,b\n", b"a,b\nx,y\n"])
def test_thumbnail__nothing_to_draw_is_refused(data: bytes) -> None:
    assert refusal(SERIES, data)


def test_thumbnail__gaps_are_bridged() -> None:
    assert preview(SERIES, b"t,v\n0,\n1,5\n2,nan\n3,inf\n4,9\n5,\n").facts["rows"] == 6
