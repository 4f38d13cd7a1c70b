"""Videos with traps, and the witness of what their frames are: the `ffmpeg` program, which shares no code with us.

| name | is |
|---|---|
| `TRUTH_FILES` | all of them: real ones (`tests.builders.real_media`), and made ones for traps that no real one has |
| `path_of(file)` | the file; made ones are made once in a process |
| `witness(path)` | count, every PTS, a hash of every picture (framehash), key frames (ffprobe) |
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.builders import field_pairs, media_files
from tests.builders.edit_lists import with_edits
from tests.builders.real_media import real_media
from tests.conftest import require_tool

_SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=192x108:rate=25:duration=3")
_X264 = ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast")
_OPEN_GOP = ("-x264-params", "keyint=24:min-keyint=24:bframes=3:open-gop=1:b-pyramid=normal")


@dataclass(frozen=True, slots=True)
class TruthFile:
    """One video.

    Attributes:
        trap: what readers get wrong about it.
        make: writes a made one; None for real ones.
        has_times: whether the file says when its frames are shown.
    """

    name: str
    trap: str
    make: Callable[[Path], None] | None = None
    has_times: bool = True


def _ffmpeg(*arguments: str | Path) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        command = [require_tool("ffmpeg"), "-nostdin", "-v", "error", "-y", *arguments, path]
        subprocess.run([str(part) for part in command], check=True, timeout=60, capture_output=True)

    return make


def _encoded(*arguments: str) -> Callable[[Path], None]:
    return _ffmpeg(*_SOURCE, *arguments)


def _copied(name: str, *arguments: str, before: Sequence[str] = ()) -> Callable[[Path], None]:
    """The packets of another made file in another container, or cut."""

    def make(path: Path) -> None:
        _ffmpeg(*before, "-i", made(name), "-c", "copy", *arguments)(path)

    return make


def _written(data: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: _write(path, data())


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _middle_of(name: str, packets: int) -> Callable[[Path], None]:
    """A recording that begins between key frames: a transport stream without its first packets of 188 bytes."""
    return lambda path: _write(path, made(name).read_bytes()[188 * packets :])


def _edited(name: str, edits: Sequence[tuple[float, float]]) -> Callable[[Path], None]:
    return lambda path: _write(path, with_edits(made(name).read_bytes(), edits))


REAL = (
    TruthFile("tree.avi", "header says 444 frames (cinepak)"),
    TruthFile("vtest.avi", "MS-MPEG4, 79 s"),
    TruthFile("b.avi", "header says 151 frames; one was dropped"),
    TruthFile("a.mp4", "1080p, B-frames"),
    TruthFile("b.mp4", "B-frames, sound"),
    TruthFile("muted_b.mp4", "B-frames"),
    TruthFile("world.mp4", "29.97 a second, 30 s"),
    TruthFile("bigbuckbunny.mp4", "B-frames, sound"),
    TruthFile("bikes.mp4", "key frames 50 frames apart"),
    TruthFile("carphone_pristine.mp4", "NTSC rate"),
    TruthFile("carphone_distorted.mp4", "58 bytes a frame"),
)

_VFR = ("-vf", "select='gt(mod(n*7919\\,100)\\,45)+eq(n\\,0)'", "-fps_mode", "vfr")
_GAP = ("-vf", "select='lt(n\\,20)+gt(n\\,45)'", "-fps_mode", "vfr")
_TWO_A_TICK = ("-vf", "settb=1/2000,setpts=N", "-r", "2000")
_FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
_HIDDEN = ("-cpu-used", "8", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k")
_FIELDS = ("-flags", "+ildct+ilme")
_HEVC_OPEN = ("-x265-params", "log-level=none:keyint=24:bframes=4:open-gop=1", "-tag:v", "hvc1")
_HEVC_SHORT = ("-x265-params", "log-level=none:keyint=12:bframes=3")
_HEVC_FIELDS = ("-x265-params", "log-level=none:interlace=tff")
_SECOND = ("-t", "1")
_UNEVEN_MS = [0, 40, 200, 210, 500, 1000, 1040]

MADE = (
    TruthFile("vfr.mp4", "variable rate", _encoded(*_VFR, *_X264, "-g", "20", "-bf", "2")),
    TruthFile("vfr.mkv", "variable rate, no count", _copied("vfr.mp4")),
    TruthFile("gap.mp4", "a second is missing", _encoded(*_GAP, *_X264, "-bf", "2")),
    TruthFile("duplicates.mkv", "two frames a tick", _encoded(*_TWO_A_TICK, *_X264, "-bf", "0")),
    TruthFile("open_gop.mp4", "open GOPs, B-frames that B-frames need", _encoded(*_X264, *_OPEN_GOP)),
    TruthFile("open_gop.mkv", "the same, no count", _copied("open_gop.mp4")),
    TruthFile("open_gop.ts", "the same, starts at 1.4 s", _copied("open_gop.mp4")),
    TruthFile("closed_gop.ts", "starts at 1.4 s, B-frames", _encoded(*_X264, "-g", "12", "-bf", "3")),
    TruthFile("middle.ts", "begins between key frames", _middle_of("closed_gop.ts", 60)),
    TruthFile("edit_list.mp4", "an edit list cuts the beginning", _copied("open_gop.mp4", before=("-ss", "1.3"))),
    TruthFile("edit_list.mov", "the same in QuickTime", _copied("edit_list.mp4")),
    TruthFile("two_edits.mp4", "frames between two edits", _edited("open_gop.mp4", ((0.2, 0.8), (1.6, 1.0)))),
    TruthFile("late_edit.mp4", "an empty edit first", _edited("open_gop.mp4", ((-1, 0.6), (0.0, 3.0)))),
    TruthFile("fragmented.mp4", "fragments", _copied("open_gop.mp4", *_FRAGMENTS)),
    TruthFile("rotated.mp4", "turned by 90 degrees", _copied("open_gop.mp4", "-metadata:s:v", "rotate=90")),
    TruthFile("hevc.mp4", "HEVC, open GOPs", _encoded(*_X265, *_HEVC_OPEN)),
    TruthFile("hevc.ts", "HEVC, starts at 1.4 s", _encoded(*_X265, *_HEVC_SHORT)),
    TruthFile("hevc_fields.mp4", "HEVC, each field a picture", _encoded(*_X265, *_HEVC_FIELDS)),
    TruthFile("vp8.webm", "frames that are never shown", _encoded("-c:v", "libvpx", "-deadline", "good", *_HIDDEN)),
    TruthFile("vp9.webm", "superframes", _encoded("-c:v", "libvpx-vp9", "-deadline", "realtime", *_HIDDEN)),
    TruthFile("av1.mp4", "AV1", _encoded("-c:v", "libsvtav1", "-preset", "12")),
    TruthFile("av1.mkv", "AV1, no count", _copied("av1.mp4")),
    TruthFile("mbaff.ts", "interlaced frames", _encoded("-vf", "interlace", *_X264, *_FIELDS, "-bf", "2")),
    TruthFile("paff.ts", "fields in packets of their own", _written(field_pairs.transport_stream)),
    TruthFile("paff.mp4", "the same, both fields in a sample", _written(field_pairs.mp4)),
    TruthFile("mpeg2.ts", "interlaced, B-frames", _encoded("-c:v", "mpeg2video", "-bf", "2", "-g", "12", *_FIELDS)),
    TruthFile("mpeg4.mp4", "MPEG-4 part 2, B-frames", _encoded("-c:v", "mpeg4", "-bf", "2", "-g", "12")),
    TruthFile("counted.avi", "B-frames without PTS", _encoded(*_X264, "-bf", "2", "-g", "12"), has_times=False),
    TruthFile("prores.mov", "intra only", _encoded(*_SECOND, "-c:v", "prores_ks")),
    TruthFile("ffv1.mkv", "intra only, no count", _encoded(*_SECOND, "-c:v", "ffv1")),
    TruthFile("mjpeg.avi", "intra only", _encoded(*_SECOND, "-c:v", "mjpeg")),
    TruthFile("uneven.mp4", "uneven times", _written(lambda: media_files.video(times_ms=_UNEVEN_MS))),
)

TRUTH_FILES: Sequence[TruthFile] = (*REAL, *MADE)


def path_of(file: TruthFile) -> Path:
    return real_media(file.name) if file.make is None else made(file.name)


@cache
def made(name: str) -> Path:
    """A made file by name."""
    make = next(file.make for file in MADE if file.name == name)
    assert make is not None
    path = _folder() / name
    make(path)
    return path


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="framedex-truth-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@dataclass(frozen=True, slots=True)
class Witness:
    """What the programs say. `hashes` are SHA-256 of each decoded picture, in the decoder's pixel format, not turned.

    `pts` are in `time_base` (a fraction of seconds), by frame in the order of output; `keys` are indices.
    """

    pts: Sequence[int]
    time_base: str
    hashes: Sequence[str]
    keys: Sequence[int]


@cache
def witness(path: Path) -> Witness:
    """Asks `ffmpeg`, which decodes all of it, and `ffprobe` for the key frames.

    `bitexact`, because MPEG-4 Part 2, MPEG-2 and JPEG leave the rounding of their transform to the decoder.
    """
    command = [
        require_tool("ffmpeg"), "-v", "error", "-flags", "bitexact", "-noautorotate", "-i", path, "-map", "0:v:0",
        "-fps_mode", "passthrough", "-copyts", "-enc_time_base", "-1", "-f", "framehash", "-hash", "sha256", "-",
    ]  # fmt: skip
    lines = _said(command).splitlines()
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if not line.startswith("#")]
    base = next(line.partition(":")[2].strip() for line in lines if line.startswith("#tb 0"))
    pts = [int(row[2]) for row in rows]
    return Witness(pts, base, [row[5] for row in rows], _keys(path, pts))


def _keys(path: Path, pts: Sequence[int]) -> Sequence[int]:
    """Indices of key frames. Where times are good for it the others are not decoded a second time."""
    command = [
        require_tool("ffprobe"), "-v", "error", "-select_streams", "v:0", "-show_frames",
        "-show_entries", "frame=key_frame,pts", "-of", "json", path,
    ]  # fmt: skip
    if path.parent == _folder():
        frames = json.loads(_said(command))["frames"]
        return [index for index, frame in enumerate(frames) if frame["key_frame"]]
    frames = json.loads(_said([*command, "-skip_frame", "nokey"]))["frames"]
    return [pts.index(frame["pts"]) for frame in frames if frame["key_frame"]]


def _said(command: Sequence[object]) -> str:
    return subprocess.run(
        [str(part) for part in command], check=True, timeout=60, capture_output=True, text=True
    ).stdout
