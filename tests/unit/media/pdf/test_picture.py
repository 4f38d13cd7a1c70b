from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import media_files
from tests.unit.media.picturing import picture, pictures


def test_make__pages_are_drawn_as_wide_as_asked() -> None:
    found = pictures(ItemType.PDF, media_files.pdf(3), frames=[2, 0], width=300)
    assert [f.facts["frame"] for f in found] == [2, 0]
    assert {f.pixels.shape[:2] for f in found} == {(150, 300)}
    assert picture(ItemType.PDF, media_files.pdf()).facts["width"] == 400
    assert found[0].facts["pts"] is None


def test_make__refusals() -> None:
    with pytest.raises(InvalidArguments, match="has 2 pages, counted from 0; there is no page 2"):
        picture(ItemType.PDF, media_files.pdf(2), frames=[2])
    with pytest.raises(InvalidArguments, match="FRAMEDEX_MEDIA_DECODED_PIXELS"):
        picture(ItemType.PDF, media_files.pdf(), Limits(decoded_pixels=1000), width=300)
