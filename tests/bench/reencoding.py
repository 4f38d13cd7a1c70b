"""Videos encoded anew, beside the `ffmpeg` program with the same settings."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from framedex.media.spool import Spool
from framedex.stores.blobs.file_source import FileSource
from tests.bench.figures import Figure, at_most, plain
from tests.conftest import require_tool

_WORST_PERCENT = 130
_ENCODER = (
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-bf", "0", "-g", "50",
    "-x264-params", "rc-lookahead=10", "-pix_fmt", "yuv420p", "-c:a", "copy", "-movflags", "+faststart",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Seconds on the wall and of CPU, the most memory that was seen, and bytes of the video."""

    wall_s: float
    cpu_s: float
    memory: int = 0
    size: int = 0


def reencoding(*, is_quick: bool) -> Iterator[Figure]:
    """A 720p video with B-frames and sound through the pool, and through the program at the same priority."""
    seconds = 5 if is_quick else 20
    with TemporaryDirectory(prefix="framedex-bench-") as folder:
        source = Path(folder) / "old.mp4"
        _make(source, seconds)
        pool = ProcessProber(spool=Spool(Path(folder)))
        runs = [(_by_program(source, Path(folder) / "theirs.mp4"), _by_pool(pool, source)) for _ in range(3)]
        pool.close()
    theirs, ours = (min(side, key=lambda run: run.wall_s) for side in zip(*runs, strict=True))
    work = f"re-encode {seconds} s of 720p with sound: time by that of the ffmpeg program"
    more = f" ({ours.wall_s:.1f} s, {theirs.wall_s:.1f} s; best of 3)"
    yield at_most(work, ours.wall_s / theirs.wall_s * 100, _WORST_PERCENT, "%", more=more)
    least = [min(run.cpu_s for run in side) for side in zip(*runs, strict=True)]
    yield plain("  … CPU by that of the program", least[1] / least[0] * 100, "%", more=f" ({least[1]:.1f} s)")
    yield plain("  … seconds of video a second", seconds / ours.wall_s, "x")
    yield plain("  … memory of the process", ours.memory / 1e6, "MB", more=f", for a video of {ours.size / 1e6:.0f} MB")


def _make(path: Path, seconds: int) -> None:
    command = [
        require_tool("ffmpeg"), "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=25:d={seconds}",
        "-f", "lavfi", "-i", f"sine=d={seconds}", "-vf", "noise=alls=12:allf=t,format=yuv420p",
        "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-b:v", "6M", "-c:a", "aac", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)  # our own arguments


def _by_program(source: Path, target: Path) -> Run:
    """Workers that encode have lowered their priority; so has this."""
    command = ["nice", "-n", "10", require_tool("ffmpeg"), "-v", "error", "-y", "-i", str(source)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, *_ENCODER, str(target)], check=True)  # our own arguments
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _by_pool(pool: ProcessProber, source: Path) -> Run:
    """The CPU time is that at the last report of progress, half a second before the end at most."""
    memory, cpu = [0], [0.0]

    def look(_share: float) -> None:
        (worker,) = pool._busy
        process = psutil.Process(worker.pid)
        memory.append(process.memory_info().rss)
        cpu.append(process.cpu_times().user + process.cpu_times().system)

    with source.open("rb") as file:
        reader = FileSource(file.fileno())
        began = time.perf_counter()
        made = pool.make_file("reencode", ItemType.VIDEO, [reader], asked={"is_forced": True}, on_progress=look)
        took = time.perf_counter() - began
        with made.file:
            return Run(took, max(cpu), max(memory), made.file.seek(0, 2))
