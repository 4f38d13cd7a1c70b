from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.frames import FrameOrigin, FrameTable
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.video import frames, movie, scan
from tests.builders import edit_lists, field_pairs, media_files
from tests.builders.media_files import Held


def _table(data: bytes) -> FrameTable:
    source = ByteFile(Held(data))
    return scan.scan_frames(source, scan.open_video(source)).table


def _refusal(data: bytes) -> str:
    with pytest.raises(InvalidArguments) as refused:
        _table(data)
    return refused.value.message


def _decoded(data: bytes) -> list[tuple[Fraction, bool]]:
    """The witness: times and key flags of what a decoder outputs."""
    with av.open(io.BytesIO(data), "r") as media:
        return [(f.pts * f.time_base, f.key_frame) for f in media.decode(video=0) if f.pts is not None and f.time_base]


def _of(table: FrameTable) -> list[tuple[Fraction, bool]]:
    return [(pts * table.time_base, table.is_key(index)) for index, pts in enumerate(table.pts)]


def _edited(rows: Sequence[tuple[float, float]]) -> bytes:
    return edit_lists.with_edits(media_files.video(frames=48), rows)


SAMPLED: dict[str, Callable[[], bytes]] = {
    "mp4": media_files.video,
    "mov": lambda: media_files.video("mov"),
    "uneven": lambda: media_files.video(times_ms=[0, 40, 200, 210, 500, 1000, 1040]),
    "rotated": lambda: media_files.video(rotation=90),
    "cut": lambda: media_files.video_cut_by_edit_list(24, hidden=5),
    "one edit": lambda: _edited([(0.3, 1.0)]),
    "empty edit": lambda: _edited([(-1, 0.5), (0.0, 2.0)]),
    "two edits": lambda: _edited([(0.2, 0.5), (1.2, 0.5)]),
    "backward edits": lambda: _edited([(1.2, 0.5), (0.2, 0.5)]),
    "overlapping edits": lambda: _edited([(0.0, 1.0), (0.5, 1.0)]),
    "field pairs": field_pairs.mp4,
}


@pytest.mark.parametrize("name", SAMPLED)
def test_scan_frames__the_sample_table_alone_says_what_all_packets_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = SAMPLED[name]()
    by_samples = _table(data)
    assert by_samples.origin is FrameOrigin.SAMPLES
    monkeypatch.setattr(scan, "_WHOLE_SAMPLES", frozenset())
    by_packets = _table(data)
    assert by_packets.origin is FrameOrigin.PACKETS
    assert by_samples == replace(by_packets, origin=FrameOrigin.SAMPLES)


# Where times go back, FFmpeg's packets and what it decodes of them differ; the table is sorted.
@pytest.mark.parametrize("name", sorted(set(SAMPLED) - {"backward edits", "overlapping edits"}))
def test_scan_frames__the_sample_table_says_what_a_decoder_outputs(name: str) -> None:
    data = SAMPLED[name]()
    assert _of(_table(data)) == _decoded(data)


@pytest.mark.parametrize("container", ["matroska", "mpegts", "avi", "mov", "mp4"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_scan_frames__containers(container: str, interlaced: bool) -> None:
    data = media_files.video(container, interlaced=interlaced)
    table = _table(data)
    found, decoded = _of(table), _decoded(data)
    assert len(found) == len(decoded) == 24
    assert table.is_counted is (container == "avi")
    if container != "avi":
        assert found == decoded


def test_scan_frames__fields_in_packets_of_their_own_are_one_frame() -> None:
    data = field_pairs.transport_stream(12)
    with av.open(io.BytesIO(data), "r") as media:
        assert sum(1 for packet in media.demux(video=0) if packet.size) == 24
    assert len(_table(data)) == 12
    assert _of(_table(data)) == _decoded(data)


def test_scan_frames__of_an_mp4_the_index_and_the_first_frame_are_read() -> None:
    data = _noisy_video()
    source = Held(data)
    file = ByteFile(source)
    opening = scan.open_video(file)
    after_opening = source.fetched
    table = scan.scan_frames(file, opening).table
    assert source.fetched == after_opening
    assert source.fetched < len(data) / 3
    assert not opening.reads_all
    assert _of(table) == _decoded(data)


def _noisy_video(options: dict[str, str] | None = None, frames: int = 40) -> bytes:
    out = io.BytesIO()
    random = np.random.default_rng(5)
    with av.open(out, "w", format="mp4", options=options or {}) as media:
        stream = media.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"preset": "ultrafast", "qp": "1", "bf": "2", "g": "10"}
        for _ in range(frames):
            pixels = random.integers(0, 255, (240, 320, 3), dtype=np.uint8)
            media.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        media.mux(stream.encode(None))
    return out.getvalue()


def test_scan_frames__fragments_are_read_around_their_indices() -> None:
    data = _noisy_video({"movflags": "frag_keyframe+empty_moov+default_base_moof"}, frames=80)
    source = Held(data)
    file = ByteFile(source)
    opening = scan.open_video(file)
    table = scan.scan_frames(file, opening).table
    assert opening.reads_all
    assert _of(table) == _decoded(data)
    assert source.fetched < len(data) * 0.8


def test_make__writes_the_packed_table() -> None:
    sink, data = io.BytesIO(), media_files.video("matroska")
    facts = frames.make([ByteFile(Held(data))], sink, {}, Limits())
    assert FrameTable.unpack(sink.getvalue()) == _table(data)
    assert facts["frame_count"] == 24
    assert facts["duration"] == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize(("container", "is_left_out"), [("matroska", True), ("mpegts", True), ("mp4", False)])
def test_make__of_a_long_remote_file_that_must_be_read_whole(container: str, *, is_left_out: bool) -> None:
    source = ByteFile(Held(media_files.video(container)))
    facts = frames.make([source], io.BytesIO(), {"is_remote": True}, Limits(scan_bytes=1000))
    assert ("is_left_out" in facts) is is_left_out
    assert ("frame_count" in facts) is not is_left_out


def test_make__more_bytes_than_may_ever_be_read() -> None:
    source = ByteFile(Held(media_files.video("matroska")))
    with pytest.raises(InvalidArguments, match="FRAMEDEX_MEDIA_LONGEST_SCAN_BYTES"):
        frames.make([source], io.BytesIO(), {}, Limits(longest_scan_bytes=1000))


# hostile indices


def _patched(table: bytes, offset: int, value: int, data: bytes | None = None) -> bytes:
    """A number in a table of the index that says something else: `offset` counts from the table's content."""
    found = bytearray(media_files.video() if data is None else data)
    place = found.rindex(table) + 4 + offset
    found[place : place + 4] = struct.pack(">I", value)
    return bytes(found)


@pytest.mark.parametrize("table", [b"stsz", b"stts", b"ctts", b"stsc", b"stco", b"stss"])
@pytest.mark.parametrize("count", [0, 1, 1000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_open_video__a_count_that_lies_is_an_error_or_gives_sound_frames(table: bytes, count: int) -> None:
    data = _patched(table, 8 if table == b"stsz" else 4, count)
    found = _table_or_none(data)
    assert found is None or 0 < len(found) <= 24


def _nested_too_far() -> bytes:
    data = bytearray(media_files.video())
    place = data.rindex(b"mvhd") - 4
    data[place : place + 4] = struct.pack(">I", 0x00FFFFFF)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: _patched(b"stsz", 8, 0xFFFFFFFF), "4294967295 frames; at most 10000000"),
        (lambda: _patched(b"stsz", 8, 5000), "`stsz` table says 5000 entries and has room for 24"),
        (lambda: _patched(b"stts", 4, 0xFFFFFFFF), "`stts` table says 4294967295 entries"),
        (lambda: _patched(b"ctts", 4, 99), "`ctts` table says 99 entries"),
        (lambda: _patched(b"stsz", 4, 0x0FFFFFFF), "cut off"),
        (lambda: _with_elst(edit_lists.elst([(0, 100)], count=0xFFFFFFFF)), "`elst` table says 4294967295 entries"),
        (lambda: _with_elst(edit_lists.elst([(0, 10)] * 20_000)), "20000 edits; at most 10000"),
        (_nested_too_far, "does not fit into the `moov` box"),
    ],
)  # fmt: skip
def test_open_video__an_index_that_lies_is_refused(data: Callable[[], bytes], words: str) -> None:
    assert words in _refusal(data())


def _with_elst(edts: bytes) -> bytes:
    return edit_lists.with_elst(media_files.video(), lambda _movie, _media: edts)


def test_open_video__edits_that_show_the_frames_again_and_again() -> None:
    """Each of them shows all frames of a video that has thousands."""
    data = bytearray(_with_elst(edit_lists.elst([(0, 1000)] * 9000)))
    place = data.rindex(b"stsz") + 8
    data[place : place + 8] = struct.pack(">II", 1, len(data) - 100)
    assert "again and again" in _refusal(bytes(data))


def _table_or_none(data: bytes) -> FrameTable | None:
    try:
        return _table(data)
    except InvalidArguments:
        return None


def test_scan_frames__runs_that_reach_beyond_the_frames_are_clipped() -> None:
    """FFmpeg makes room for all that `stts` says: 4 billion frames, where there are 24."""
    data = _patched(b"stts", 8, 0xFFFFFFF0)
    source = ByteFile(Held(data))
    made = movie.movie_of_track(movie.read_index(source), 1)
    assert made is not None
    with av.open(io.BytesIO(made), "r", container_options={"fflags": "+noparse"}) as media:
        assert sum(1 for packet in media.demux(video=0) if packet.size) == 24


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_open_video__flipped_bytes_of_an_index_are_an_error_or_frames(draw: st.DataObject) -> None:
    data = bytearray(_SMALL)
    start = data.rindex(b"moov")
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(start, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        table = _table(bytes(data))
    except (InvalidArguments, av.error.FFmpegError, MemoryError):
        return
    assert len(table) <= 24 * 4


_SMALL = media_files.video()
