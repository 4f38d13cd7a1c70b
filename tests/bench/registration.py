"""Registration with supplied media facts through the SDK's job route, PATCH meanwhile, and the same rows in raw SQLite."""

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
from typing import Any
from uuid import UUID, uuid4

import requests
from encord.storage import StorageFolder

from tests.bench.figures import Figure, at_least, at_most, percentile, plain
from tests.bench.live import Live, Prepared, prepared

_RATE = 15_000
_PATCH_P95_MS = 50


@dataclass
class Wire:
    """Seconds that the SDK spent waiting for the server."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """One registration as its caller saw it."""

    items: int
    total_s: float
    server_s: float
    accepted_s: float
    patches_s: list[float] = field(default_factory=list)


def registration(*, is_quick: bool) -> Iterator[Figure]:
    """The registration rows of design section 7."""
    count = 50_000 if is_quick else 500_000
    with prepared() as directory:
        with directory.served() as server:
            bare = _register(server, count, with_metadata=False)
        yield _rate(f"registration, {count:,} images with imageMetadata, SDK call to DONE", bare)
        yield plain("  … of it the server (requests sent to answers read)", count / bare.server_s, "items/s")
        raw_s = _raw_insert(directory)
        yield _beside_raw("  … the same rows inserted by raw SQLite, FULL, same indices", bare, raw_s)
    with prepared() as directory:
        with directory.served() as server:
            full = _register(server, count, with_metadata=True, with_patches=True)
        yield _rate(f"registration, {count:,} images with clientMetadata too, 20 PATCH/s beside it", full)
        yield plain("  … of it the server (requests sent to answers read)", count / full.server_s, "items/s")
        yield _patches(full)
        raw_s = _raw_insert(directory)
        yield _beside_raw("  … the same rows inserted by raw SQLite, FULL, same indices", full, raw_s)


def _rate(work: str, run: Run) -> Figure:
    return at_least(work, run.items / run.total_s, _RATE, "items/s")


def _beside_raw(work: str, run: Run, raw_s: float) -> Figure:
    ratio = run.server_s / raw_s
    return Figure(work, f"{run.items / raw_s:,.0f} items/s", "", f"server takes {ratio:.1f}x of it")


def _patches(run: Run) -> Figure:
    took = run.patches_s
    more = f" (p50 {percentile(took, 0.5) * 1e3:.1f}, p99 {percentile(took, 0.99) * 1e3:.1f}, n={len(took)})"
    return at_most("  … PATCH of 1 kB meanwhile, p95", percentile(took, 0.95) * 1e3, _PATCH_P95_MS, "ms", more=more)


def _register(server: Live, count: int, *, with_metadata: bool, with_patches: bool = False) -> Run:
    client = server.client()
    folder = client.create_storage_folder(f"bench {uuid4()}")
    manifest = _manifest(server, count, with_metadata=with_metadata)
    with _patching(server, folder, is_wanted=with_patches) as patches, _wire_time() as wire:
        began = time.perf_counter()
        job = folder.add_private_data_to_folder_start(server.integration_id, manifest)
        accepted = time.perf_counter() - began
        result = folder.add_private_data_to_folder_get_result(job)
        total = time.perf_counter() - began
    assert result.status.value == "DONE", result.errors
    assert len(result.items_with_names) == count
    return Run(count, total, wire.seconds, accepted, patches)


def _manifest(server: Live, count: int, *, with_metadata: bool) -> dict[str, Any]:
    run = uuid4().hex[:8]
    images: list[dict[str, Any]] = [
        {
            "objectUrl": f"file://{server.media}/{run}/camera-{i % 7}/frame-{i:08d}.jpg",
            "imageMetadata": {
                "mimeType": "image/jpeg",
                "fileSize": 200_000 + i * 7 % 99_991,
                "width": 640 + i % 1280,
                "height": 480 + i % 600,
            },
        }
        for i in range(count)
    ]
    if with_metadata:
        weathers = ("rain", "sun", "fog", "snow")
        for i, image in enumerate(images):
            image["clientMetadata"] = {
                "run": run,
                "weather": weathers[i % 4],
                "temperature": i % 71 - 20 + (i % 10) / 10,
                "is_night": i % 5 == 0,
                "vehicle": f"car-{i % 97}",
                "taken_at": f"2026-03-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00Z",
            }
    return {"images": images}


@contextmanager
def _wire_time() -> Iterator[Wire]:
    """Measures the SDK's requests. Nothing is changed on the way."""
    wire = Wire()
    send = requests.Session.send

    def timed(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        began = time.perf_counter()
        try:
            return send(self, request, **kwargs)
        finally:
            wire.seconds += time.perf_counter() - began

    requests.Session.send = timed  # type: ignore[method-assign]  # observed, not replaced
    try:
        yield wire
    finally:
        requests.Session.send = send  # type: ignore[method-assign]  # put back


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
