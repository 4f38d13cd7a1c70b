from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.iso_boxes import top_level_boxes
from tests.builders import media_files
from tests.builders.media_files import Held

_VIDEO = media_files.video()


def _types(data: bytes) -> list[bytes]:
    return [box.type for box in top_level_boxes(ByteFile(Held(data)))]


@pytest.mark.parametrize("tail", [bytes(50), b"\xff" * 50, b"\x12\x34\x56\x78\x03a\xfe\x01" * 9])
def test_top_level_boxes__what_is_no_box_behind_them_is_passed_over(tail: bytes) -> None:
    whole = _types(_VIDEO)
    assert {b"ftyp", b"moov", b"mdat"} <= set(whole)
    assert _types(_VIDEO + tail) == [*whole, b""]


def test_top_level_boxes__one_that_passes_the_end() -> None:
    with pytest.raises(InvalidArguments, match=r"cut off: its `[a-z]*` box ends at byte"):
        _types(_VIDEO[:-5])


@pytest.mark.parametrize("data", [b"\xff" * 16, bytes(8) + b"\x01" * 9, b"\0\0\0\x04ftyp" + bytes(9)])
def test_top_level_boxes__of_what_begins_with_none(data: bytes) -> None:
    with pytest.raises(InvalidArguments, match="no sound ISO media file"):
        _types(data)
