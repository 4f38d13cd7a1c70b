"""The contract of our own objects, on a disk and in buckets; what only a disk has follows at the end."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from framedex.core.errors import AlreadyExists, InvalidArguments, NotFound, StorageFull, TooLarge, Unavailable
from framedex.core.ports.blobs import OwnBlobs
from framedex.stores.blobs.own import DiskBlobs
from tests.contract.blobs.own_places import KEY, MIB, BucketOfTests, DiskPlace, OwnPlace, content


@pytest.fixture(params=["disk", "s3", "azure"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> OwnPlace:
    if request.param == "disk":
        return DiskPlace(tmp_path)
    return BucketOfTests(request.getfixturevalue(f"{request.param}_place"))


@pytest.fixture
def blobs(place: OwnPlace) -> OwnBlobs:
    return place.blobs


async def chunks_of(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def write(blobs: OwnBlobs, parts: Iterable[bytes], key: str = KEY, max_bytes: int = 100 * MIB) -> int:
    return asyncio.run(blobs.write_stream(key, chunks_of(parts), max_bytes=max_bytes))


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_write_stream__then_read(place: OwnPlace, blobs: OwnBlobs) -> None:
    parts = [os.urandom(size) for size in (0, 1, 70_000, 3 * MIB, 5)]
    assert write(blobs, parts) == sum(map(len, parts))
    assert content(blobs) == b"".join(parts)
    assert blobs.stat(KEY).size == sum(map(len, parts))
    assert place.left() == [KEY]


def test_write_stream__empty_object(blobs: OwnBlobs) -> None:
    assert write(blobs, []) == 0
    assert content(blobs) == b""


def test_write__bytes_and_files(blobs: OwnBlobs) -> None:
    assert blobs.write("a/1", b"bytes") == 5
    assert blobs.write("a/2", io.BytesIO(b"f" * (3 * MIB))) == 3 * MIB
    assert content(blobs, "a/1") == b"bytes"
    assert content(blobs, "a/2") == b"f" * (3 * MIB)


@pytest.mark.parametrize("size", [5, 3 * MIB])
def test_write__key_that_is_taken(place: OwnPlace, blobs: OwnBlobs, size: int) -> None:
    blobs.write(KEY, b"first")
    with pytest.raises(AlreadyExists):
        blobs.write(KEY, b"s" * size)
    with pytest.raises(AlreadyExists):
        write(blobs, [b"t" * size])
    assert content(blobs) == b"first"
    assert place.left() == [KEY]


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "uploads/../../x", "x", "a/.b", "a/b\0", ""])
def test_keys_are_checked_everywhere(blobs: OwnBlobs, key: str) -> None:
    for act in (
        blobs.open,
        blobs.stat,
        blobs.delete,
        lambda key: blobs.write(key, b""),
        lambda key: write(blobs, [], key),
    ):
        with pytest.raises(InvalidArguments, match="object key"):
            act(key)


@pytest.mark.parametrize("size", [100_000, 2 * MIB])
def test_write_stream__two_writers_of_one_key(place: OwnPlace, blobs: OwnBlobs, size: int) -> None:
    async def race(key: str) -> list[int | BaseException]:
        writers = [blobs.write_stream(key, chunks_of([bytes([n]) * size]), max_bytes=2 * MIB) for n in range(4)]
        return await asyncio.gather(*writers, return_exceptions=True)

    for number in range(place.rounds):
        outcomes = asyncio.run(race(f"race/{number}"))
        winners = [n for n, outcome in enumerate(outcomes) if outcome == size]
        assert len(winners) == 1
        assert all(isinstance(outcome, AlreadyExists) for outcome in outcomes if outcome != size)
        assert content(blobs, f"race/{number}") == bytes(winners) * size
    assert len(place.left()) == place.rounds


def test_write_stream__size_cap(place: OwnPlace, blobs: OwnBlobs) -> None:
    assert write(blobs, [b"x" * 500, b"y" * 500], "a/exact", max_bytes=1000) == 1000
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 600

    with pytest.raises(TooLarge, match="1000"):
        asyncio.run(blobs.write_stream(KEY, endless(), max_bytes=1000))
    assert taken == 2
    assert place.left() == ["a/exact"]


def test_write_stream__upload_that_breaks(place: OwnPlace, blobs: OwnBlobs) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * (2 * MIB)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(blobs.write_stream(KEY, breaking(), max_bytes=10 * MIB))
    assert place.left() == []
    assert write(blobs, [b"again"]) == 5


@pytest.mark.parametrize("delay_s", [0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016])
def test_write_stream__cancelled_at_any_moment(place: OwnPlace, blobs: OwnBlobs, delay_s: float) -> None:

    async def cancel() -> bool:
        task = asyncio.create_task(blobs.write_stream(KEY, chunks_of([b"x" * MIB] * 4), max_bytes=10 * MIB))
        await asyncio.sleep(delay_s)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return False
        return True

    is_written = asyncio.run(cancel())
    assert place.left() == ([KEY] if is_written else [])


@pytest.mark.parametrize("size", [1, 3 * MIB])
def test_delete__twice_and_written_again(place: OwnPlace, blobs: OwnBlobs, size: int) -> None:
    blobs.write(KEY, b"x" * size)
    for _ in range(2):
        blobs.delete(KEY)
    with pytest.raises(NotFound):
        blobs.open(KEY)
    with pytest.raises(NotFound):
        blobs.stat(KEY)
    assert place.left() == []
    blobs.write(KEY, b"again")
    assert content(blobs) == b"again"


@pytest.mark.parametrize("size", [300_000, 9 * MIB])
def test_open__by_ranges(blobs: OwnBlobs, size: int) -> None:
    data = os.urandom(size)
    write(blobs, [data])
    source = blobs.open(KEY)
    for offset, length in ((0, 10), (size // 2, 100_000), (size - 5, 100), (size, 1), (1, size - 1)):
        assert source.read_at(offset, length) == data[offset : offset + length]
    source.close()


def test_delete__beside_writers_of_the_same_folder(place: OwnPlace, blobs: OwnBlobs) -> None:
    failures: list[Exception] = []

    def churn(name: str) -> None:
        try:
            for _ in range(3 * place.rounds):
                blobs.write(f"same/folder/{name}", name.encode())
                assert content(blobs, f"same/folder/{name}") == name.encode()
                blobs.delete(f"same/folder/{name}")
        except (AssertionError, InvalidArguments, NotFound, Unavailable) as error:
            failures.append(error)

    threads = [threading.Thread(target=churn, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_open__folder_or_nothing(blobs: OwnBlobs) -> None:
    blobs.write("a/b/c", b"x")
    for act in (blobs.open, blobs.stat):
        for key in ("a/b", "a/x", "a/b/c/d"):
            with pytest.raises(NotFound):
                act(key)


def test_keys__by_prefix_in_order(blobs: OwnBlobs) -> None:
    keys = ["a/b", "a/b-c/d", "a/b0", "a.x/b", "aa/b", "b/c/d", "b/c.d", "b/c-"]
    for key in keys:
        blobs.write(key, b"x")
    for prefix in ("", "a", "a/", "a/b", "b/c", "b/c/", "b/c/d", "zz", "../", "/"):
        assert list(blobs.keys(prefix)) == sorted(key for key in keys if key.startswith(prefix)), prefix


# --------------------------------------------------------------------------------------------------------- disks alone
def test_write__modes_keep_others_out(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    blobs.write(KEY, b"x")
    assert (tmp_path / "objects").stat().st_mode & 0o077 == 0
    assert (tmp_path / "objects" / KEY).stat().st_mode & 0o077 == 0


def test_write__key_of_a_folder(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    blobs.write(KEY, b"first")
    with pytest.raises(AlreadyExists):
        blobs.write("uploads/0190f3b2-aaaa-7bbb-8ccc-0123456789ab", b"the folder of another")
    assert files_below(tmp_path) == [f"objects/{KEY}"]


def test_write__key_below_another_object(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    blobs.write("a/b", b"x")
    for key in ("a/b/c", "a/b/c/d"):
        with pytest.raises(InvalidArguments, match="continue the key"):
            blobs.write(key, b"y")
        with pytest.raises(NotFound):
            blobs.stat(key)
    assert files_below(tmp_path) == ["objects/a/b"]


def test_write_stream__cancelled_during_publish_leaves_no_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    is_syncing, may_go_on = threading.Event(), threading.Event()
    real_fsync = os.fsync

    def slow_fsync(descriptor: int) -> None:
        is_syncing.set()
        may_go_on.wait(5)
        real_fsync(descriptor)

    async def cancel() -> None:
        task = asyncio.create_task(blobs.write_stream(KEY, chunks_of([b"x"]), max_bytes=10))
        await asyncio.to_thread(is_syncing.wait, 5)
        task.cancel()
        await asyncio.sleep(0.01)
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    monkeypatch.setattr(os, "fsync", slow_fsync)  # A slow disk: the only way to be there at that moment.
    asyncio.run(cancel())
    assert files_below(tmp_path) == []


def test_write__reserve_before_and_during(tmp_path: Path) -> None:
    free = 10 * MIB

    def free_bytes(folder: Path) -> int:
        return free - sum(path.stat().st_size for path in folder.iterdir())

    blobs = DiskBlobs(tmp_path, 5 * MIB, free_bytes=free_bytes)
    assert write(blobs, [b"x" * MIB] * 5, "a/fits") == 5 * MIB
    with pytest.raises(StorageFull):
        write(blobs, [b"x" * MIB] * 6)
    with pytest.raises(StorageFull):
        blobs.write(KEY, io.BytesIO(b"x" * 6 * MIB))
    free = 5 * MIB - 1
    taken = 0

    async def counting() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"x"

    with pytest.raises(StorageFull):
        asyncio.run(blobs.write_stream(KEY, counting(), max_bytes=9))
    assert taken == 0  # Refused before the first byte was asked for.
    assert files_below(tmp_path) == ["objects/a/fits"]
    assert len(content(blobs, "a/fits")) == 5 * MIB
    blobs.delete("a/fits")


def test_write__reserve_looks_at_the_real_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        DiskBlobs(tmp_path, 1 << 62).write(KEY, b"")
    assert files_below(tmp_path) == []


FULL_DISK = """
import resource, sys
from framedex.core.errors import StorageFull
from framedex.stores.blobs.own import DiskBlobs
blobs = DiskBlobs(sys.argv[1], 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
blobs.write("a/small", b"x" * 1000)
try:
    blobs.write("a/large", b"x" * 4_000_000)
except StorageFull as error:
    print(error.message)
"""


def test_write__operating_system_says_full(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, check=True, timeout=20
    )
    assert "disk of the server is full" in done.stdout
    assert files_below(tmp_path) == ["objects/a/small"]


WRITER = """
import itertools, sys
from framedex.stores.blobs.own import DiskBlobs
blobs = DiskBlobs(sys.argv[1], 0)
for number in itertools.count():
    blobs.write(f"uploads/{number:06}", bytes([number % 256]) * 3_000_000)
    print(number, flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.003, 0.007, 0.013, 0.021])
def test_write__killed_at_any_moment_leaves_whole_objects_only(tmp_path: Path, delay_s: float) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in [first, *writer.stdout.read().splitlines()]]
    blobs = DiskBlobs(tmp_path, 0)
    keys = list(blobs.keys(""))
    assert len(keys) in (len(acknowledged), len(acknowledged) + 1)  # Perhaps one was made and not yet told.
    for number, key in enumerate(keys):
        assert key == f"uploads/{number:06}"
        assert content(blobs, key) == bytes([number % 256]) * 3_000_000
    blobs.sweep_temporary(0)
    assert files_below(tmp_path) == [f"objects/{key}" for key in keys]
    blobs.write(f"uploads/{len(keys):06}", b"goes on")


def test_sweep_temporary__spares_the_young(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    for name, age_s in (("old", 7200), ("young", 60)):
        path = tmp_path / "temporary" / name
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age_s,) * 2)
    blobs.write(KEY, b"x")
    assert blobs.sweep_temporary(3600) == 1
    assert files_below(tmp_path) == [f"objects/{KEY}", "temporary/young"]


def test_delete__object_and_its_empty_folders(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path, 0)
    blobs.write("a/b/c/1", b"x")
    blobs.write("a/2", b"x")
    source = blobs.open("a/b/c/1")
    for _ in range(2):
        blobs.delete("a/b/c/1")
    assert source.read_at(0, 1) == b"x"
    source.close()
    assert sorted(path.name for path in (tmp_path / "objects").rglob("*")) == ["2", "a"]
    with pytest.raises(NotFound):
        blobs.open("a/b/c/1")
    blobs.delete("a/2")
    blobs.write("a/2", b"again")
