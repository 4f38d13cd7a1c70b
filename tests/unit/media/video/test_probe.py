from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
from pathlib import Path

import av
import pytest

from framedex.core.frames import FrameTable
from framedex.core.media_types import ItemType
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.video import probe as video_probe
from tests.builders import broken_media, media_files
from tests.builders.media_files import Held
from tests.conftest import require_tool
from tests.unit.media.probing import probe, refusal

CONTAINERS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "matroska": "video/x-matroska",
    "mpegts": "video/mp2t",
    "avi": "video/x-msvideo",
}
UNEVEN_MS = [0, 40, 200, 210, 500, 1000, 1040]


def _decoded(data: bytes) -> int:
    """The witness: what a decoder outputs."""
    with av.open(io.BytesIO(data), "r") as media:
        return sum(1 for _ in media.decode(video=0))


@pytest.mark.parametrize("container", CONTAINERS)
def test_probe__facts_of_constant_rate(container: str) -> None:
    data = media_files.video(container, frames=30, fps=24)
    facts = probe(ItemType.VIDEO, data, "clip.txt")
    assert (facts.mime_type, facts.width, facts.height) == (CONTAINERS[container], 64, 48)
    assert facts.frame_count == 30 == _decoded(data)
    # Matroska keeps milliseconds
    assert facts.duration == pytest.approx(1.25, abs=0.002)
    assert facts.fps == pytest.approx(24, rel=0.002)
    assert facts.extra["codec"] == "h264"


@pytest.mark.parametrize("interlaced", [False, True])
def test_probe__stream_that_begins_between_key_frames(interlaced: bool) -> None:
    """The first second is cut away in the middle of a group; a decoder shows nothing until the next key frame."""
    whole = media_files.video("mpegts", frames=60, interlaced=interlaced)
    with av.open(io.BytesIO(whole), "r") as media:
        starts = [packet.pos for packet in media.demux(video=0) if packet.pos is not None]
    data = whole[starts[17] :]
    shown = 0
    with av.open(io.BytesIO(data), "r", format="mpegts") as media:
        for packet in media.demux(video=0):
            with contextlib.suppress(av.error.InvalidDataError):
                shown += len(packet.decode())
    assert probe(ItemType.VIDEO, data).frame_count == shown == 36


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_probe__average_rate_of_uneven_times(container: str) -> None:
    data = media_files.video(container, times_ms=UNEVEN_MS)
    facts = probe(ItemType.VIDEO, data)
    assert facts.frame_count == len(UNEVEN_MS) == _decoded(data)
    assert facts.duration is not None
    # from the first frame to the last, and then as long as the container says that the last one stays
    assert 1.04 < facts.duration < 1.25
    assert facts.fps == pytest.approx(len(UNEVEN_MS) / facts.duration)


@pytest.mark.parametrize(("rotation", "size"), [(90, (48, 64)), (180, (64, 48)), (-90, (48, 64))])
def test_probe__size_after_display_rotation(rotation: int, size: tuple[int, int]) -> None:
    facts = probe(ItemType.VIDEO, media_files.video(rotation=rotation))
    assert (facts.width, facts.height) == size
    assert facts.extra == {"codec": "h264", "rotation": rotation % 360, "raw_width": 64, "raw_height": 48}


def test_probe__frames_hidden_by_an_edit_list_do_not_count() -> None:
    data = media_files.video_cut_by_edit_list(24, hidden=5)
    facts = probe(ItemType.VIDEO, data)
    assert facts.frame_count == 19 == _decoded(data)
    assert facts.duration == pytest.approx(19 / 24)


@pytest.mark.parametrize("container", ["mp4", "mpegts", "avi"])
def test_probe__interlaced_counts_frames(container: str) -> None:
    data = media_files.video(container, interlaced=True)
    assert probe(ItemType.VIDEO, data).frame_count == 24 == _decoded(data)


def test_probe__the_frame_table_is_among_the_facts() -> None:
    facts = probe(ItemType.VIDEO, media_files.video("matroska", frames=30))
    assert facts.frame_table is not None
    table = FrameTable.unpack(base64.b64decode(facts.frame_table))
    assert len(table) == facts.frame_count == 30


def test_probe__a_title_in_an_encoding_of_old_is_no_reason_to_refuse() -> None:
    data = media_files.video()
    place = data.rindex(b"Lavf")
    assert probe(ItemType.VIDEO, data[:place] + b"\xe4\xf6\xfc\x80" + data[place + 4 :]).frame_count == 24


def test_probe__of_a_long_remote_file_that_must_be_read_whole() -> None:
    """What its beginning tells, and no more."""
    source = ByteFile(Held(media_files.video("matroska")))
    facts = video_probe.KIND.probe(source, "clip.mkv", Limits(scan_bytes=1000))
    assert (facts.width, facts.height, facts.mime_type, facts.extra) == (64, 48, "video/x-matroska", {"codec": "h264"})
    assert (facts.frame_count, facts.duration, facts.fps, facts.frame_table) == (None, None, None, None)


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "avi"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_probe__cut_off_is_refused(container: str, share: float) -> None:
    assert "cut off" in refusal(ItemType.VIDEO, broken_media.cut(media_files.video(container), share))


def test_probe__cut_off_with_its_index_first_is_refused() -> None:
    """The index is whole and names frames that are not there; the box that held them was made to fit again."""
    data = _index_first(media_files.video())
    start = data.index(b"mdat") - 4
    cut = bytearray(data[: start + 600])
    cut[start : start + 4] = (600).to_bytes(4, "big")
    assert "its index names frames up to byte" in refusal(ItemType.VIDEO, bytes(cut))


def _index_first(data: bytes) -> bytes:
    out = io.BytesIO()
    source = av.open(io.BytesIO(data), "r")
    with source, av.open(out, "w", format="mp4", container_options={"moov_size": "9000"}) as media:
        stream = media.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                media.mux(packet)
    made = out.getvalue()
    assert made.index(b"moov") < made.index(b"mdat")
    return made


@pytest.mark.parametrize("make", [broken_media.m3u8, broken_media.ffconcat, broken_media.dash])
def test_probe__playlist_is_refused_by_name(make: object) -> None:
    assert callable(make)
    assert "playlist" in refusal(ItemType.VIDEO, make("http://127.0.0.1:9/a.mp4"), "clip.mp4")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a video"),
        (media_files.png(), "not a video"),
        (media_files.avif(), "not a video"),
        (media_files.audio("wav"), "not a video"),
        (media_files.audio("ipod"), "no video stream"),
        (b"\0\0\0\x18ftypisom" + bytes(4000), "index"),
    ],
)
def test_probe__other_bytes_are_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.VIDEO, data)


@pytest.mark.parametrize("container", CONTAINERS)
def test_probe__agrees_with_ffprobe(container: str, tmp_path: Path) -> None:
    require_tool("ffmpeg")
    data = media_files.video(container, frames=31)
    path = tmp_path / "clip"
    path.write_bytes(data)
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    stream = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=20).stdout)["streams"][0]
    facts = probe(ItemType.VIDEO, data)
    assert (facts.frame_count, facts.width, facts.height) == (int(stream["nb_read_frames"]), 64, 48)
