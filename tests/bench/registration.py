"""Registration with supplied media facts through the SDK, PATCH meanwhile, and the same rows in raw SQLite."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa
from encord.storage import StorageFolder

from tests.bench.figures import Figure, at_least, at_most, percentile, plain
from tests.bench.live import Live, Prepared, manifest, prepared, wire_time
from tests.builders.databases import connected

_RATE = 15_000
_PATCH_P95_MS = 50


@dataclass(frozen=True)
class Run:
    """One registration as its caller saw it."""

    items: int
    done_s: float
    total_s: float
    server_s: float
    cpu_s: float
    patches_s: list[float] = field(default_factory=list)


def registration(*, is_quick: bool) -> Iterator[Figure]:
    """The registration rows of design section 7."""
    count = 50_000 if is_quick else 500_000
    with prepared() as directory:
        with directory.served() as server:
            bare = register(server, count, with_metadata=False)
        work = f"registration, {count:,} images with imageMetadata, SDK call to job DONE"
        yield at_least(work, count / bare.done_s, _RATE, "items/s")
        yield from _parts(bare)
        raw_s = _raw_insert(directory)
        yield _beside_raw("  … the same rows inserted by raw SQLite, FULL, same indices", bare, raw_s)
    with prepared() as directory:
        with directory.served() as server:
            full = register(server, count, with_metadata=True, with_patches=True)
        work = f"registration, {count:,} images with clientMetadata too, 20 PATCH/s beside it"
        yield plain(work, count / full.done_s, "items/s")
        yield _patches(full)
        yield from _parts(full)
        raw_s = _raw_insert(directory)
        yield _beside_raw("  … the same rows inserted by raw SQLite, FULL, same indices", full, raw_s)


def _parts(run: Run) -> Iterator[Figure]:
    yield plain("  … to the ids of all items in the SDK's hands", run.items / run.total_s, "items/s")
    more = f"; {run.cpu_s / run.items * 1e6:.0f} µs of CPU an item"
    yield plain("  … requests sent to answers read, without the SDK", run.items / run.server_s, "items/s", more=more)


def _beside_raw(work: str, run: Run, raw_s: float) -> Figure:
    ratio = run.server_s / raw_s
    return Figure(work, f"{run.items / raw_s:,.0f} items/s", "", f"server takes {ratio:.1f}x of it")


def _patches(run: Run) -> Figure:
    took = run.patches_s
    more = f" (p50 {percentile(took, 0.5) * 1e3:.1f}, p99 {percentile(took, 0.99) * 1e3:.1f}, n={len(took)})"
    return at_most("  … PATCH of 1 kB meanwhile, p95", percentile(took, 0.95) * 1e3, _PATCH_P95_MS, "ms", more=more)


def register(server: Live, count: int, *, with_metadata: bool, with_patches: bool = False) -> Run:
    """Registers images with supplied facts into a new folder, through the SDK's job route."""
    client = server.client()
    folder = client.create_storage_folder(f"bench {uuid4()}")
    wanted = manifest(server, count, with_metadata=with_metadata)
    with _patching(server, folder, is_wanted=with_patches) as patches, wire_time() as wire:
        began, called_at, cpu = time.perf_counter(), time.time(), server.cpu_s()
        job = folder.add_private_data_to_folder_start(server.integration_id, wanted)
        result = folder.add_private_data_to_folder_get_result(job)
        total = time.perf_counter() - began
        cpu = server.cpu_s() - cpu
    assert result.status.value == "DONE", result.errors
    assert len(result.items_with_names) == count
    return Run(count, _finished_at(server, str(job)) - called_at, total, wire.seconds, cpu, patches)


def _finished_at(server: Live, job_id: str) -> float:
    """When the job came to its end, by the clock that this process has too: seconds since 1970."""
    with connected(server.data) as catalog:
        query = sa.text("SELECT finished_at FROM jobs WHERE id = :job")
        at: int = catalog.execute(query, {"job": job_id}).scalar_one()
    return at / 1e6


@contextmanager
def _patching(server: Live, folder: StorageFolder, *, is_wanted: bool) -> Iterator[list[float]]:
    """Patches items of another folder while it is entered, from a process of its own; fills in how long each took."""
    took: list[float] = []
    if not is_wanted:
        yield took
        return
    item_id = one_item(server, folder)
    key = server.data / "patcher.pem"
    key.write_text(server.private_pem)
    command = [sys.executable, "-m", "tests.bench.patcher", server.url, str(key), str(folder.uuid), str(item_id)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield took
    answer, _ = process.communicate("stop\n", timeout=60)
    took.extend(json.loads(answer))


def one_item(server: Live, folder: StorageFolder) -> UUID:
    """An item that is there already."""
    image = {
        "objectUrl": f"file://{server.media}/{uuid4()}.jpg",
        "imageMetadata": {"mimeType": "image/jpeg", "fileSize": 3, "width": 4, "height": 5},
    }
    job = folder.add_private_data_to_folder_start(server.integration_id, {"images": [image]})
    return folder.add_private_data_to_folder_get_result(job).items_with_names[0].item_uuid


_TABLES = ("items", "item_metadata", "change_log")
_RAW_BATCH = 5000


def _raw_insert(directory: Prepared) -> float:
    """Seconds that plain `executemany` takes for the very rows that the server wrote, on the same file system."""
    path = directory.data / "raw.db"
    source = sqlite3.connect(directory.data / "catalog.db")
    target = sqlite3.connect(path, isolation_level=None)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("PRAGMA synchronous=FULL")
    names = ", ".join(f"'{t}'" for t in _TABLES)
    for (statement,) in source.execute(
        f"SELECT sql FROM sqlite_master WHERE tbl_name IN ({names}) AND sql IS NOT NULL ORDER BY type = 'index'"
    ):
        target.execute(statement)
    took = sum(_copy(source, target, table) for table in _TABLES)
    source.close()
    target.close()
    _remove(path)
    return took


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> float:
    rows = source.execute(f"SELECT * FROM {table}")
    marks = ", ".join("?" * len(rows.description))
    took = 0.0
    while batch := rows.fetchmany(_RAW_BATCH):
        began = time.perf_counter()
        target.execute("BEGIN IMMEDIATE")
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)
        target.execute("COMMIT")
        took += time.perf_counter() - began
    return took


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
