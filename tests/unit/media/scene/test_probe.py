from __future__ import annotations

import pytest

from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal

CLOUDS = {
    "pcd binary": ("pcd", media_files.pcd(33)),
    "pcd ascii": ("pcd", media_files.pcd(33, "ascii")),
    "ply binary": ("ply", media_files.ply(33)),
    "ply ascii": ("ply", media_files.ply(33, "ascii")),
    "las": ("las", media_files.las(33)),
    "laz": ("laz", media_files.las(33, packed=True)),
}
MCAP = b"\x89MCAP0\r\n"
E57 = b"ASTM-E57" + bytes(8) + (48).to_bytes(8, "little") + bytes(24)


@pytest.mark.parametrize("name", CLOUDS)
def test_probe__points(name: str) -> None:
    form, data = CLOUDS[name]
    facts = probe(ItemType.SCENE, data)
    assert (facts.extra["format"], facts.extra["point_count"]) == (form, 33)


@pytest.mark.parametrize("name", CLOUDS)
def test_probe__cut_off_is_refused(name: str) -> None:
    assert "cut off" in refusal(ItemType.SCENE, broken_media.cut(CLOUDS[name][1], 0.9))


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (E57, "e57"),
        (MCAP + bytes(9) + MCAP, "mcap"),
        (b"#ROSBAG V2.0\n", "bag"),
        (b"SQLite format 3\0" + bytes(84), "db3"),
    ],
)
def test_probe__recordings_by_signature(data: bytes, form: str) -> None:
    assert probe(ItemType.SCENE, data).extra == {"format": form}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (E57[:-1], "cut off"),
        (MCAP + bytes(20), "cut off"),
        (b"", "not a scene"),
        (media_files.png(), "not a scene"),
        (b"ply\nformat binary_little_endian 1.0\nelement vertex -4\nend_header\n", "broken"),
        (b"ply\nformat ascii 1.0\nelement face 1\nend_header\n1\n", "no `vertex`"),
        (b"VERSION 0.7\nFIELDS x\nSIZE q\nDATA ascii\n", "broken"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.SCENE, data)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("at", "number"), [(100, 0xFFFFFFFF), (100, 9), (96, 0xFFFFFFFF), (94, 0xFFFF)])
def test_probe__las_with_lengths_that_lie_is_refused_at_once(packed: bool, at: int, number: int) -> None:
    """Counted records are read one by one: four billion of them took a reader until its time was over."""
    data = bytearray(media_files.las(33, packed=packed))
    length = 2 if at == 94 else 4
    data[at : at + length] = number.to_bytes(length, "little")
    assert "header of the point cloud is broken" in refusal(ItemType.SCENE, bytes(data))
