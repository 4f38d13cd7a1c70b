"""The pure parts of the single kinds: audio, documents, medical, scenes, series, images."""

from __future__ import annotations

import io

import av
import laspy
import numpy as np
import pytest
from pydicom import Dataset

from tools.sample_data.audio import compress, loudness_dbfs
from tools.sample_data.documents import count_words, first_line
from tools.sample_data.images import cut
from tools.sample_data.medical import study_moment
from tools.sample_data.scenes import las, pcd, ply, ply_points
from tools.sample_data.series import table_shape


def a_tone(level: float = 0.5) -> bytes:
    """One second of a square wave, mono, 24 kHz."""
    into = io.BytesIO()
    samples = (np.sign(np.sin(np.arange(24_000) * 0.1) + 1e-9) * level * 32767).astype(np.int16)
    with av.open(into, "w", "wav") as target:
        stream = target.add_stream("pcm_s16le", rate=24_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = 24_000
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return into.getvalue()


@pytest.mark.parametrize(("level", "expected"), [(0.5, -6.02), (0.05, -26.02), (0.0, -120.0)])
def test_loudness_dbfs__of_a_square_wave(level: float, expected: float) -> None:
    assert loudness_dbfs(a_tone(level)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("container", "encoder"), [("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus")])
def test_compress__same_sound_same_bytes(container: str, encoder: str) -> None:
    packed = compress(a_tone(), container, encoder)
    assert packed == compress(a_tone(), container, encoder)
    assert loudness_dbfs(packed) == pytest.approx(-6.02, abs=1)


@pytest.mark.parametrize(
    ("text", "title", "words"),
    [
        ("one two\nthree", "a.txt", 3),
        ("<p>one <b>two</b></p><script>var x = 1</script>", "a.html", 2),
        ('{"a b": [1, "c"]}', "a.json", 4),
    ],
)
def test_count_words__without_markup(text: str, title: str, words: int) -> None:
    assert count_words(text, title) == words


def test_first_line__skips_directives() -> None:
    assert first_line(".. _iris:\n\nIris dataset\n----\n") == "Iris dataset"


@pytest.mark.parametrize(
    ("date", "clock", "moment"),
    [
        ("20040119", "072730.5", "2004-01-19T07:27:30Z"),
        ("1997.04.24", "", "1997-04-24T00:00:00Z"),
        ("20010101", "1230", "2001-01-01T12:30:00Z"),
        ("", "120000", None),
    ],
)
def test_study_moment__old_and_new_forms(date: str, clock: str, moment: str | None) -> None:
    dataset = Dataset()
    dataset.StudyDate, dataset.StudyTime = date, clock
    assert study_moment(dataset) == moment


def test_las__is_read_back_to_its_precision() -> None:
    points = np.array([[-84.4137, 36.7329, 483.0], [-84.0779, 36.4462, 915.25]])
    with laspy.open(io.BytesIO(las(points))) as reader:
        cloud = reader.read()
    assert np.stack([cloud.x, cloud.y, cloud.z], axis=1) == pytest.approx(points, abs=1e-2)
    assert np.asarray(cloud.x) == pytest.approx(points[:, 0], abs=1e-6)
    assert las(points) == las(points)


def test_ply__header_counts_its_points() -> None:
    content = ply(np.zeros((5, 3)))
    assert ply_points(content) == 5
    assert len(content.split(b"end_header\n", 1)[1]) == 5 * 12


def test_pcd__packs_colours_after_coordinates() -> None:
    content = pcd(np.array([[1.0, 2.0, 3.0]]), np.array([[1, 2, 3]], dtype=np.uint8))
    header, data = content.split(b"DATA binary\n")
    assert b"POINTS 1\n" in header
    assert data == np.array([1, 2, 3], dtype="<f4").tobytes() + bytes((3, 2, 1, 0))


def test_table_shape__byte_order_mark_and_quotes() -> None:
    assert table_shape('\ufeff"a,b",c\n1,2\n\n3,4\n'.encode()) == (["a,b", "c"], 2)


def test_cut__equal_tiles_in_reading_order() -> None:
    pixels = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    tiles = list(cut(pixels, columns=2, rows=2))
    assert [(row, column, tile.shape) for row, column, tile in tiles] == [
        (0, 0, (2, 2, 3)),
        (0, 1, (2, 2, 3)),
        (1, 0, (2, 2, 3)),
        (1, 1, (2, 2, 3)),
    ]
    assert np.array_equal(tiles[3][2], pixels[2:4, 2:4])
