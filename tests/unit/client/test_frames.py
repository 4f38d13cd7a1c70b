"""The client's decoder against a whole decode in order, which never seeks."""

from __future__ import annotations

import functools
import hashlib
import io
import random
from pathlib import Path

import av
import pytest

from framedex.client.frames import FrameReader, NoSuchFrame
from tests.builders import media_files

FILES = {
    "mp4": media_files.video("mp4", frames=40),
    "matroska": media_files.video("matroska", frames=40),
    "mpegts": media_files.video("mpegts", frames=60),
    "vfr": media_files.video("matroska", times_ms=[0, 40, 45, 180, 181, 400, 777, 800, 2000, 2001, 2500, 2540, 2900]),
    "edit list": media_files.video_cut_by_edit_list(40, hidden=15),
    "interlaced ts": media_files.video("mpegts", frames=40, interlaced=True),
}


@functools.cache
def _decoded(data: bytes) -> list[tuple[int, str]]:
    with av.open(io.BytesIO(data), "r") as media:
        frames = [(int(f.pts or 0), f.to_ndarray().tobytes()) for f in media.decode(video=0)]
    return sorted((pts, hashlib.sha256(planes).hexdigest()) for pts, planes in frames)


@pytest.mark.parametrize("name", FILES)
def test_certificate__every_frame_by_rank_of_its_time(name: str, tmp_path: Path) -> None:
    truth = _decoded(FILES[name])
    path = tmp_path / "video"
    path.write_bytes(FILES[name])
    order = list(range(len(truth)))
    random.Random(3).shuffle(order)
    with FrameReader(path) as video:
        assert [entry.pts for entry in video.table] == [pts for pts, _ in truth]
        found = {index: video.certificate(index) for index in order}
    assert [(found[i].pts, found[i].sha256) for i in range(len(truth))] == truth


def test_frames__a_run_and_leaps() -> None:
    data = FILES["mp4"]
    truth = _decoded(data)
    wanted = [3, 4, 5, 5, 6, 30, 31, 2, 39]
    with FrameReader(data) as video:
        assert len(video) == 40
        assert [c.sha256 for c in video.certificates(wanted)] == [truth[i][1] for i in wanted]


def test_at__the_frame_on_screen() -> None:
    with FrameReader(FILES["vfr"]) as video:
        assert video.at(0.0449).pts == video.table[1].pts
        assert video.at(1.9).pts == video.table[7].pts
        assert video.at(-1.0).pts == video.table[0].pts
        assert video.at(99.0).pts == video.table[-1].pts


def test_frame__none_there() -> None:
    with FrameReader(FILES["mp4"]) as video, pytest.raises(NoSuchFrame, match="has 40 frames, counted from 0"):
        video.frame(40)


def test_frame_reader__a_playlist_opens_nothing(tmp_path: Path) -> None:
    inside = tmp_path / "inside.mp4"
    inside.write_bytes(FILES["mp4"])
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{inside}\n#EXT-X-ENDLIST\n")
    with pytest.raises((av.error.FFmpegError, NoSuchFrame)):
        FrameReader(playlist)
