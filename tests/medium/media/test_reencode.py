"""Videos of every kind encoded anew, looked at with the `ffmpeg` program."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from framedex.core.errors import Conflict, InvalidArguments, StorageFull
from framedex.core.frame_maps import FrameMap
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from framedex.media.spool import Spool
from tests.builders import broken_media, media_files
from tests.builders.media_files import Held
from tests.builders.numbered import numbers_by_ffmpeg, probed, times_by_ffprobe, video_of_numbers
from tests.conftest import require_tool
from tests.medium.media.acting_source import ActingSource, workers_of


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    require_tool("ffmpeg")
    made = ProcessProber(workers=1)
    yield made
    made.close()


@dataclass(frozen=True)
class New:
    """A video that was made, in a file of its own."""

    path: Path
    facts: dict[str, Any]
    frame_map: FrameMap

    @property
    def streams(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = probed(self.path, "-show_streams")["streams"]
        return found


def _reencode(prober: ProcessProber, data: bytes, folder: Path, *, is_forced: bool = True) -> New:
    shares: list[float] = []
    made = prober.make_file(
        "reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": is_forced}, on_progress=shares.append
    )
    with made.file:
        path = folder / "new.mp4"
        path.write_bytes(made.file.read())
    assert shares == sorted(shares)
    facts = dict(made.facts)
    return New(path, facts, FrameMap.from_bytes(base64.b64decode(str(facts.pop("frame_map")))))


def _assert_plays(new: New) -> None:
    """What is promised of every video that is made."""
    video = new.streams[0]
    assert (video["codec_name"], video["pix_fmt"], video["has_b_frames"]) == ("h264", "yuv420p", 0)
    data = new.path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    rate = new.frame_map.rate
    times = times_by_ffprobe(new.path)
    assert times == pytest.approx([float(n / rate) for n in range(new.frame_map.count)], abs=2e-6)
    assert Fraction(video["r_frame_rate"]) == rate


# what each is made with, the rate that comes out, and the sound
_CONTAINERS = {
    "b-frames.mp4": (("-c:v", "libx264", "-bf", "3", "-g", "50", "-c:a", "aac"), Fraction(25), "copied"),
    "hevc.mp4": (("-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "aac"), Fraction(25), "copied"),
    "vp9.webm": (("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"), Fraction(25), "copied"),
    "vp8.webm": (("-c:v", "libvpx", "-cpu-used", "8", "-c:a", "libvorbis"), Fraction(25), "aac"),
    "mpeg2.ts": (("-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2"), Fraction(25), "aac"),
    "open-gop.ts": (("-c:v", "libx264", "-x264-params", "open-gop=1:keyint=10", "-c:a", "aac"), Fraction(25), "aac"),
    "mjpeg.avi": (("-c:v", "mjpeg", "-q:v", "2", "-c:a", "pcm_s16le"), Fraction(25), "aac"),
    "prores.mov": (("-c:v", "prores_ks", "-c:a", "pcm_s24le"), Fraction(25), "aac"),
    "rgb.mkv": (("-c:v", "ffv1", "-pix_fmt", "bgr0", "-c:a", "flac"), Fraction(25), "aac"),
    "ten-bit.mkv": (("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "libmp3lame"), Fraction(25), "copied"),
    "late.mp4": (("-c:v", "libx264", "-c:a", "aac", "-output_ts_offset", "7.5"), Fraction(25), "copied"),
    "fragments.mp4": (
        ("-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-g", "10"), Fraction(25), "copied"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(_CONTAINERS))
def test_reencode__keeps_each_frame_of_a_constant_rate(prober: ProcessProber, tmp_path: Path, name: str) -> None:
    options, rate, sound = _CONTAINERS[name]
    data = video_of_numbers(tmp_path / name, 40, *options, sound=True)
    assert numbers_by_ffmpeg(tmp_path / name) == list(range(40))
    new = _reencode(prober, data, tmp_path)
    assert numbers_by_ffmpeg(new.path) == list(range(40))
    _assert_plays(new)
    assert (new.frame_map.rate, new.frame_map.is_one_to_one) == (rate, True)
    assert (new.facts["sound"], new.facts["lost_frames"]) == (sound, 0)
    heard = new.streams[1]
    assert heard["codec_type"] == "audio"
    assert float(heard["start_time"]) == pytest.approx(0, abs=0.05)
    assert float(heard["duration"]) == pytest.approx(1.6, abs=0.08)


@pytest.mark.parametrize("rate", ["30000/1001", "24000/1001", "60", "1", "7.3"])
def test_reencode__finds_the_rate(prober: ProcessProber, tmp_path: Path, rate: str) -> None:
    data = video_of_numbers(tmp_path / "a.mkv", 30, "-c:v", "libx264", fps=rate)
    new = _reencode(prober, data, tmp_path)
    assert numbers_by_ffmpeg(new.path) == list(range(30))
    _assert_plays(new)
    assert float(new.frame_map.rate) == pytest.approx(float(Fraction(rate)), rel=1e-4)


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_reencode__lays_uneven_times_on_a_grid(prober: ProcessProber, tmp_path: Path, name: str) -> None:
    """Every third and every seventh picture is missing."""
    kept = [n for n in range(60) if n % 3 != 1 and n % 7 != 2]
    chosen = "select='not(eq(mod(n,3),1)+eq(mod(n,7),2))'"
    data = video_of_numbers(tmp_path / name, 60, "-vf", chosen, "-fps_mode", "vfr", "-c:v", "libx264", fps="30")
    assert numbers_by_ffmpeg(tmp_path / name) == kept
    new = _reencode(prober, data, tmp_path)
    _assert_plays(new)
    assert new.frame_map.rate == 30
    shown = numbers_by_ffmpeg(new.path)
    # the picture on screen at each moment, counted from the first
    assert shown == [max(k for k in kept if k <= n) for n in range(len(shown))]
    assert len(shown) in (60, 59, 58)
    assert [kept[new.frame_map.old_frame(n)] for n in range(len(shown))] == shown
    assert all(shown[new.frame_map.new_frames(old)[0]] == kept[old] for old in range(len(kept)))


def test_reencode__frames_that_come_too_fast_are_left_out(prober: ProcessProber, tmp_path: Path) -> None:
    data = media_files.video("matroska", times_ms=[0, 1, 2, 100, 200, 1000])
    new = _reencode(prober, data, tmp_path)
    _assert_plays(new)
    assert new.frame_map.rate == 240
    assert [len(new.frame_map.new_frames(old)) > 0 for old in range(6)] == [False, False, True, True, True, True]


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_reencode__bakes_the_rotation_in(prober: ProcessProber, tmp_path: Path, turn: int) -> None:
    """The program turns what it decodes; both must show the same."""
    old = tmp_path / "old.mp4"
    old.write_bytes(media_files.video(frames=8, width=66, height=48, rotation=turn))
    new = _reencode(prober, old.read_bytes(), tmp_path)
    assert not new.streams[0].get("side_data_list")
    width, height = (48, 66) if turn % 180 else (66, 48)
    assert (new.streams[0]["width"], new.streams[0]["height"]) == (width, height)
    command = ["-lavfi", "[0:v][1:v]psnr=stats_file=-", "-f", "null", "-"]
    told = subprocess.run(  # our own arguments
        [require_tool("ffmpeg"), "-v", "error", "-i", str(old), "-i", str(new.path), *command],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    levels = [float(line.split("psnr_avg:")[1].split()[0]) for line in told.splitlines()]
    assert len(levels) == 8
    assert min(levels) > 28


@pytest.mark.parametrize("size", [(97, 65), (96, 65), (97, 64)])
def test_reencode__cuts_odd_sides(prober: ProcessProber, tmp_path: Path, size: tuple[int, int]) -> None:
    data = video_of_numbers(
        tmp_path / "odd.mkv", 10, "-c:v", "ffv1", "-pix_fmt", "yuv444p", width=size[0], height=size[1]
    )
    new = _reencode(prober, data, tmp_path)
    assert (new.streams[0]["width"], new.streams[0]["height"]) == (96, 64)
    assert numbers_by_ffmpeg(new.path) == list(range(10))


def test_reencode__keeps_the_shape_of_pixels_and_the_range(prober: ProcessProber, tmp_path: Path) -> None:
    full = ("-c:v", "libx264", "-pix_fmt", "yuvj420p", "-vf", "setsar=4/3,format=yuvj420p", "-color_range", "pc")
    new = _reencode(prober, video_of_numbers(tmp_path / "a.mp4", 5, *full), tmp_path)
    assert new.streams[0]["sample_aspect_ratio"] == "4:3"
    assert new.streams[0].get("color_range", "tv") == "tv"
    assert numbers_by_ffmpeg(new.path) == list(range(5))


def test_reencode__what_is_such_a_file_is_left_alone(prober: ProcessProber, tmp_path: Path) -> None:
    first = _reencode(prober, video_of_numbers(tmp_path / "a.mkv", 12, "-c:v", "libx264"), tmp_path)
    made = first.path.read_bytes()
    again = _reencode(prober, made, tmp_path, is_forced=False)
    assert (again.facts["is_same"], again.path.read_bytes()) == (True, b"")
    forced = _reencode(prober, made, tmp_path)
    assert forced.facts["is_same"] is False
    assert numbers_by_ffmpeg(forced.path) == list(range(12))
    other = video_of_numbers(tmp_path / "b.mp4", 12, "-c:v", "libx264", "-bf", "2", "-movflags", "+faststart")
    assert _reencode(prober, other, tmp_path, is_forced=False).facts["is_same"] is False


def test_reencode__damaged_frames_are_counted_and_their_time_is_kept(prober: ProcessProber, tmp_path: Path) -> None:
    data = bytearray(video_of_numbers(tmp_path / "a.avi", 30, "-c:v", "ffv1", "-slices", "4", "-slicecrc", "1"))
    at = data.index(b"movi") + len(data) // 3
    data[at : at + 60] = bytes(60)
    new = _reencode(prober, bytes(data), tmp_path)
    _assert_plays(new)
    assert new.frame_map.count == 30
    shown = numbers_by_ffmpeg(new.path)
    assert sum(found == wanted for wanted, found in enumerate(shown)) >= 28


def test_reencode__what_is_no_video_is_refused(prober: ProcessProber) -> None:
    cases = {
        b"": "not a video",
        media_files.png(): "not a video",
        broken_media.cut(media_files.video()): "cut off|moov",
        broken_media.m3u8("http://127.0.0.1:9/x.ts"): "playlist",
    }
    for data, message in cases.items():
        with pytest.raises(InvalidArguments, match=message):
            prober.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={}, on_progress=lambda _: None)


def test_reencode__a_video_that_lasts_for_years_is_refused(prober: ProcessProber, tmp_path: Path) -> None:
    limits = ProcessProber(workers=1, limits=Limits(made_frames=1000))
    data = media_files.video("matroska", times_ms=[0, 40, 80, 3_600_000])
    with pytest.raises(InvalidArguments, match=r"at most 1000 are encoded .FRAMEDEX_MEDIA_MADE_FRAMES."):
        limits.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={}, on_progress=lambda _: None)
    limits.close()
    slow = _reencode(prober, media_files.video("matroska", times_ms=[0, 3_600_000]), tmp_path)
    assert slow.frame_map.count <= 3


# ------------------------------------------------------------------------------------------------------ the pool


def test_make_file__what_listens_may_end_it(prober: ProcessProber, tmp_path: Path) -> None:
    def cancel(_share: float) -> None:
        raise Conflict("the job was cancelled")

    data = video_of_numbers(tmp_path / "a.mp4", 200, "-c:v", "libx264", width=320, height=240)
    with pytest.raises(Conflict, match="cancelled"):
        prober.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": True}, on_progress=cancel)
    assert prober.probe(ItemType.IMAGE, Held(media_files.png(8, 6)), name="a.png").width == 8


def test_make_file__ends_whatever_progress_it_shows(tmp_path: Path) -> None:
    data = video_of_numbers(tmp_path / "a.mp4", 400, "-c:v", "libx264", "-preset", "ultrafast", width=960, height=540)
    hurried = ProcessProber(workers=1, limits=Limits(seconds=0.2, longest_s=0.2))
    with pytest.raises(InvalidArguments, match=r"took longer|passed its limits"):
        hurried.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": True}, on_progress=_ignore)
    assert workers_of(hurried) == set()
    hurried.close()


def _ignore(_share: float) -> None:
    """Nobody listens."""


def test_make_file__takes_no_turn_from_others(prober: ProcessProber, tmp_path: Path) -> None:
    """A pool that computes one thing at a time probes an image in the middle of an encoding."""
    widths: list[int | None] = []

    def probe() -> None:
        widths.append(prober.probe(ItemType.IMAGE, Held(media_files.png(9, 6)), name="a.png").width)

    data = video_of_numbers(tmp_path / "a.mp4", 10, "-c:v", "libx264")
    made = prober.make_file(
        "reencode", ItemType.VIDEO, [ActingSource(data, probe)], asked={"is_forced": True}, on_progress=_ignore
    )
    made.file.close()
    assert widths == [9]


def test_make_file__large_videos_are_on_the_disk_and_end_with_their_file(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    noise = ("-vf", "noise=alls=100:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10")
    data = video_of_numbers(tmp_path / "a.mp4", 50, *noise, width=640, height=480)
    pool = ProcessProber(workers=1, spool=Spool(spool))
    made = pool.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": True}, on_progress=_ignore)
    size = made.file.seek(0, 2)
    assert size > 9 << 20
    assert list(spool.iterdir()) == []
    held = [file for file in psutil.Process().open_files() if file.path.startswith(str(spool))]
    assert held or Path(f"/proc/self/fd/{made.file.fileno()}").readlink().is_relative_to(spool)
    made.file.close()
    assert workers_of(pool) == set()
    pool.close()


def test_make_file__limits_of_bytes_and_disk(tmp_path: Path) -> None:
    data = video_of_numbers(tmp_path / "a.mp4", 20, "-c:v", "libx264")
    small = ProcessProber(workers=1, limits=Limits(made_bytes=9000))
    with pytest.raises(InvalidArguments, match=r"passes the limit of 9000 bytes; .* FRAMEDEX_MEDIA_MADE_BYTES"):
        small.make_file("reencode", ItemType.VIDEO, [Held(data)], asked={"is_forced": True}, on_progress=_ignore)
    small.close()
    with pytest.raises(StorageFull, match="disk reserve"):
        Spool(tmp_path, reserve_bytes=1 << 62).check()
