from __future__ import annotations

import struct

import numpy as np
import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.scene.lzf import unpack
from framedex.media.scene.positions import las_positions, pcd_positions, ply_positions, runs
from tests.builders import media_files
from tests.builders.media_files import Held
from tests.unit.media.previewing import preview, refusal

SCENE = ItemType.SCENE
_WANT = np.random.default_rng(1).random((300, 3), dtype=np.float32)


def _packed_pcd(points: int) -> bytes:
    """Field after field, LZF-packed: literal runs, and one back reference that makes a run of zeros."""
    columns = np.random.default_rng(1).random((points, 3), dtype=np.float32).T.tobytes()
    packed = b"".join(
        bytes([len(part) - 1]) + part for part in (columns[i : i + 32] for i in range(0, len(columns), 32))
    )
    head = media_files.pcd(points, "binary_compressed")
    head = head[: head.index(b"binary_compressed\n") + len(b"binary_compressed\n")]
    return head + struct.pack("<II", len(packed), len(columns)) + packed


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (pcd_positions, media_files.pcd(300, "ascii")),
        (pcd_positions, media_files.pcd(300, "binary")),
        (pcd_positions, _packed_pcd(300)),
        (ply_positions, media_files.ply(300, "ascii")),
        (ply_positions, media_files.ply(300, "binary_little_endian")),
        (las_positions, media_files.las(300)),
        (las_positions, media_files.las(300, packed=True)),
    ],
)
def test_positions__are_those_that_were_written(read: object, data: bytes) -> None:
    assert callable(read)
    points, count = read(ByteFile(Held(data)), Limits())
    assert count == 300
    assert np.abs(points - _WANT).max() < 0.011, "LAS keeps hundredths"


def test_ply_positions__big_endian() -> None:
    data = media_files.ply(4, "binary_big_endian")
    body = np.frombuffer(data[-48:], "<f4").astype(">f4").tobytes()
    points, _ = ply_positions(ByteFile(Held(data[:-48] + body)), Limits())
    assert np.abs(points - _WANT[:4]).max() < 1e-6


def test_runs__of_a_large_cloud_are_spread_over_it() -> None:
    found = runs(100_000_000)
    assert sum(length for _, length in found) == 2_000_000
    assert found[0][0] == 0
    assert sum(found[-1]) == 100_000_000
    assert runs(5) == [(0, 5)]


def test_unpack__references_that_reach_into_themselves() -> None:
    # "ab", then 9 bytes from two back: length 7 + 0 + 2, offset 1
    assert unpack(bytes([1]) + b"ab" + bytes([7 << 5, 0, 1]), 11) == b"abababababa"


@pytest.mark.parametrize("packed", [b"", b"\x05a", bytes([0x20, 0x05]), bytes([0xE0])])
def test_unpack__damaged_is_refused(packed: bytes) -> None:
    with pytest.raises(InvalidArguments):
        unpack(packed, 100)


def test_thumbnail__from_above_and_light_where_it_is_high() -> None:
    """A plane that rises with y: the top of the picture is lighter than the bottom."""
    x, y = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60))
    rows = np.stack([x, y, y], axis=-1).reshape(-1, 3).astype("<f4")
    head = media_files.ply(3600)
    data = head[: head.index(b"end_header\n") + 11] + rows.tobytes()
    shown = preview(SCENE, data, size=128).pixels.astype(int)
    middle = shown[:, 40:88].sum(axis=-1)
    assert middle[12:32].mean() > middle[96:116].mean() + 100


@pytest.mark.parametrize(
    "data", [b"\x89MCAP0\r\n" + bytes(50), b"#ROSBAG V2.0\n", b"SQLite format 3\0", b"ASTM-E57" + bytes(60)]
)
def test_thumbnail__recordings_have_none_and_say_so(data: bytes) -> None:
    assert "LAS, LAZ, PLY and PCD have one" in refusal(SCENE, data)


@pytest.mark.parametrize("data", [b"", b"ply\n", b"LASF", media_files.pcd()[:80], media_files.pcd(0)])
def test_thumbnail__broken_and_empty_are_refused(data: bytes) -> None:
    assert refusal(SCENE, data)
