"""Frame tables of two minutes of 720p video, beside PyAV going through the same packets."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import av

from framedex.core.frames import FrameTable
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from tests.bench.figures import Figure, at_most, plain
from tests.conftest import require_tool

T = TypeVar("T")

_TARGET = 2.0
_CONTAINERS = {"mp4": "MP4 (index)", "mkv": "MKV (all packets)", "ts": "MPEG-TS (all packets)"}


class _File:
    """A file as a `ByteSource` that counts what was read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self.fetched = 0

    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        self.fetched += len(data)
        return data

    def close(self) -> None:
        self._file.close()


def frame_tables(*, is_quick: bool) -> Iterator[Figure]:
    """Made in a confined process, as a server makes them; the file is in the page cache for both."""
    seconds, rounds = (12, 5) if is_quick else (120, 15)
    with TemporaryDirectory(prefix="framedex-bench-") as folder:
        whole = _encoded(Path(folder) / "clip.mp4", seconds)
        prober = ProcessProber(workers=1)
        try:
            for ending, name in _CONTAINERS.items():
                yield from _compared(prober, _copied(whole, ending), name, rounds, seconds)
        finally:
            prober.close()


def _compared(prober: ProcessProber, path: Path, name: str, rounds: int, seconds: int) -> Iterator[Figure]:
    packets = _demuxed(path)
    source = _File(path)

    def make() -> bytes:
        return prober.make("frames", ItemType.VIDEO, [source], asked={}, max_bytes=1 << 24).data

    tabled, bare, table = [], [], make()
    source.fetched = 0
    for _ in range(rounds):
        took, table = _timed(make)
        tabled.append(took)
        bare.append(_timed(lambda: _demuxed(path))[0])
    assert len(FrameTable.unpack(table)) == packets
    source.close()
    ratio = statistics.median(tabled) / statistics.median(bare)
    times = f" ({statistics.median(tabled) * 1e3:.1f} ms, bare {statistics.median(bare) * 1e3:.1f} ms)"
    work = f"frame table of {seconds} s of 720p H.264, {name}, to a bare PyAV demux"
    if path.suffix == ".mp4":
        yield at_most(work, ratio, _TARGET, "x", more=times)
    else:
        yield plain(work, ratio, "x", more=times)
    read = f" of {source.size() / 1e6:.1f} MB; the table has {len(table)} bytes"
    yield plain("  … bytes read", source.fetched / rounds / 1e6, "MB", more=read)


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def _demuxed(path: Path) -> int:
    with av.open(str(path), "r") as media:
        return sum(1 for packet in media.demux(video=0) if packet.size)


def _encoded(path: Path, seconds: int) -> Path:
    source = f"testsrc2=size=1280x720:rate=25:duration={seconds}"
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-crf", "30")
    _ffmpeg("-f", "lavfi", "-i", source, *codec, str(path))
    return path


def _copied(path: Path, ending: str) -> Path:
    target = path.with_suffix(f".{ending}")
    if target != path:
        _ffmpeg("-i", str(path), "-c", "copy", str(target))
    return target


def _ffmpeg(*arguments: str) -> None:
    command = [require_tool("ffmpeg"), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
