"""The pool of worker processes against dying, hanging and greedy readers. Nothing here is simulated."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from framedex.core.errors import DomainError, InvalidArguments, Unavailable
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders import broken_media, media_files
from tests.builders.media_files import Held
from tests.medium.media.acting_source import ActingSource, workers_of


@pytest.fixture
def prober() -> Iterator[ProcessProber]:
    made = ProcessProber(workers=2, limits=Limits(seconds=20))
    yield made
    made.close()


def _probe_png(prober: ProcessProber, width: int = 8) -> tuple[int | None, int | None]:
    facts = prober.probe(ItemType.IMAGE, Held(media_files.png(width, 6)), name="a.png")
    return facts.width, facts.height


def test_probe__facts_come_back_whole(prober: ProcessProber) -> None:
    facts = prober.probe(ItemType.DICOM_FILE, Held(media_files.dicom(z=4.5)), name="a.dcm")
    assert (facts.width, facts.dicom_study_uid) == (8, "1.2.3")
    assert facts.dicom_tags is not None
    assert facts.dicom_tags["00200032"] == {"vr": "DS", "Value": [0.0, 0.0, 4.5]}
    assert prober.probe(ItemType.PLAIN_TEXT, Held(b""), name="a.txt").mime_type == "text/plain"


def test_probe__a_worker_serves_many_calls(prober: ProcessProber) -> None:
    assert workers_of(prober) == set()
    _probe_png(prober)
    first = workers_of(prober)
    assert len(first) == 1
    with pytest.raises(InvalidArguments, match="SVG"):
        prober.probe(ItemType.IMAGE, Held(broken_media.svg()), name="a.svg")
    for width in range(1, 20):
        assert _probe_png(prober, width) == (width, 6)
    assert workers_of(prober) == first


def test_probe__a_worker_is_replaced_after_its_calls() -> None:
    prober = ProcessProber(workers=1, limits=Limits(calls_per_worker=2))
    seen = []
    for _ in range(4):
        _probe_png(prober)
        seen.append(workers_of(prober))
    prober.close()
    assert [len(pids) for pids in seen] == [1, 0, 1, 0]
    assert seen[0] != seen[2]


def test_probe__many_threads_share_two_workers(prober: ProcessProber) -> None:
    with ThreadPoolExecutor(8) as threads:
        sizes = list(threads.map(lambda width: _probe_png(prober, width), range(1, 60)))
    assert sizes == [(width, 6) for width in range(1, 60)]
    assert len(workers_of(prober)) == 2


def test_probe__killed_worker_costs_its_call_alone(prober: ProcessProber) -> None:
    video = media_files.video("matroska", frames=60)
    has_begun, may_go_on = threading.Event(), threading.Event()

    def wait() -> None:
        has_begun.set()
        assert may_go_on.wait(15)

    with ThreadPoolExecutor(1) as threads:
        neighbour = threads.submit(prober.probe, ItemType.VIDEO, ActingSource(video, wait), name="b.mkv")
        assert has_begun.wait(15)
        before = workers_of(prober)

        def kill() -> None:
            (mine,) = workers_of(prober) - before
            os.kill(mine, signal.SIGKILL)

        with pytest.raises(InvalidArguments, match="the reader crashed"):
            prober.probe(ItemType.VIDEO, ActingSource(video, kill), name="a.mkv")
        may_go_on.set()
        assert neighbour.result(15).frame_count == 60
    assert _probe_png(prober) == (8, 6)


def test_probe__worker_killed_while_idle_costs_no_call(prober: ProcessProber) -> None:
    _probe_png(prober)
    (pid,) = workers_of(prober)
    os.kill(pid, signal.SIGKILL)
    _wait_for_end(pid)
    assert _probe_png(prober) == (8, 6)


def test_probe__fork_server_killed_is_started_again(prober: ProcessProber) -> None:
    _probe_png(prober)
    (pid,) = workers_of(prober)
    parent = psutil.Process(pid).ppid()
    os.kill(parent, signal.SIGKILL)
    _wait_for_end(pid)
    assert _probe_png(prober) == (8, 6)
    assert psutil.Process(workers_of(prober).pop()).ppid() != parent


def test_probe__hung_worker_is_killed_in_time() -> None:
    prober = ProcessProber(workers=1, limits=Limits(seconds=1))
    _probe_png(prober)
    (pid,) = workers_of(prober)
    started = time.monotonic()
    with pytest.raises(InvalidArguments, match="took longer than 1 s"):
        prober.probe(
            ItemType.IMAGE, ActingSource(media_files.png(), lambda: os.kill(pid, signal.SIGSTOP)), name="a.png"
        )
    assert time.monotonic() - started < 5
    _wait_for_end(pid)
    assert _probe_png(prober) == (8, 6)
    prober.close()


def test_probe__slow_store_is_not_the_reader_s_fault() -> None:
    prober = ProcessProber(workers=1, limits=Limits(seconds=1))
    _probe_png(prober)
    facts = prober.probe(ItemType.IMAGE, ActingSource(media_files.png(), lambda: time.sleep(1.5)), name="a.png")
    prober.close()
    assert facts.width == 8


def test_probe__endless_work_is_ended() -> None:
    """A second of inflating 600 MB behind a sound header, with a third of a second to do it."""
    prober = ProcessProber(workers=1, limits=Limits(seconds=0.3))
    _probe_png(prober)
    with pytest.raises(InvalidArguments, match=r"took longer|passed its limits"):
        prober.probe(ItemType.IMAGE, Held(media_files.huge_png(70_000)), name="a.png")
    assert _probe_png(prober) == (8, 6)
    prober.close()


def _one_colour(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(out, "TIFF", compression="packbits")
    return out.getvalue()


def test_probe__memory_is_limited() -> None:
    image = _one_colour(7000)
    with_room = ProcessProber(workers=1)
    assert with_room.probe(ItemType.IMAGE, Held(image), name="a.tif").width == 7000
    with_room.close()
    prober = ProcessProber(workers=1, limits=Limits(memory_bytes=200 << 20))
    with pytest.raises(InvalidArguments, match="memory"):
        prober.probe(ItemType.IMAGE, Held(image), name="a.tif")
    assert _probe_png(prober) == (8, 6)
    prober.close()


def test_probe__what_the_store_raises_comes_through(prober: ProcessProber) -> None:
    def fail() -> None:
        raise Unavailable("the bucket does not answer")

    for kind in (ItemType.IMAGE, ItemType.VIDEO):
        with pytest.raises(Unavailable, match="the bucket does not answer"):
            prober.probe(kind, ActingSource(media_files.video(), fail), name="a")
        assert len(workers_of(prober)) == 1
    assert _probe_png(prober) == (8, 6)


def test_probe__object_that_shrank_is_an_error(prober: ProcessProber) -> None:
    class Shrunk(Held):
        def size(self) -> int:
            return super().size() + 10

    with pytest.raises(DomainError):
        prober.probe(ItemType.IMAGE, Shrunk(media_files.jpeg()), name="a.jpg")


def test_close__ends_processes_and_calls(prober: ProcessProber) -> None:
    _probe_png(prober)
    has_begun = threading.Event()

    def wait() -> None:
        has_begun.set()
        time.sleep(0.3)

    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(prober.probe, ItemType.IMAGE, ActingSource(media_files.png(), wait), name="a.png")
        assert has_begun.wait(5)
        pids = workers_of(prober)
        prober.close()
        assert isinstance(call.exception(5), Unavailable)
    for pid in pids:
        _wait_for_end(pid)
    with pytest.raises(Unavailable):
        _probe_png(prober)
    prober.close()


def test_worker__is_confined(prober: ProcessProber) -> None:
    """What the kernel says of a worker in use."""
    _probe_png(prober)
    (pid,) = workers_of(prober)
    folder = Path("/proc") / str(pid)
    status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    limits = (folder / "limits").read_text()
    assert f"Max address space         {Limits().memory_bytes}" in limits
    assert "Max file size             0 " in limits
    sockets = [str(entry.readlink()) for entry in (folder / "fd").iterdir()]
    assert len([link for link in sockets if link.startswith("socket:")]) == 1
    assert {link for link in sockets if link.startswith("/")} == {"/dev/null"}


def test_worker__memory_stays_modest(prober: ProcessProber) -> None:
    _probe_png(prober)
    (pid,) = workers_of(prober)
    assert psutil.Process(pid).memory_info().rss < 100 << 20


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def test_limits__allowance_grows_with_size() -> None:
    limits = replace(Limits(), seconds=10, bytes_per_second=100)
    assert limits.allowance_s(500) == 15
