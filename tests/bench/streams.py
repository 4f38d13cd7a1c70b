"""Unpaged answers of the SDK: how long, how soon, and with how much memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from encord import EncordUserClient
from encord.orm.dataset import StorageLocation

from tests.bench.figures import Figure, at_most, plain
from tests.bench.live import Live, live, manifest, wire_time

_MEMORY_MB = 300
_LOOK_EVERY_S = 0.02


def rows(*, is_quick: bool) -> Iterator[Figure]:
    """`dataset.list_data_rows()` of 200,000 rows, which the service answers unpaged."""
    count = 20_000 if is_quick else 200_000
    with live() as server:
        client = server.client()
        dataset_hash = _filled_dataset(server, client, count)
        dataset = client.get_dataset(dataset_hash, include_data_rows=False)
        with _watched_memory(server) as added, wire_time() as wire:
            began = time.perf_counter()
            found = dataset.list_data_rows()
            total = time.perf_counter() - began
        assert len(found) == count
        work = f"list_data_rows of {count:,} rows, unpaged: memory added in the server"
        yield at_most(work, added[0], _MEMORY_MB, "MB")
        yield plain("  … to the first byte", wire.first_byte_s * 1e3, "ms")
        yield plain("  … to the last byte", wire.seconds, "s", more=f" ({count / wire.seconds:,.0f} rows/s)")
        yield plain("  … to the SDK's list", total, "s")


def _filled_dataset(server: Live, client: EncordUserClient, count: int) -> str:
    """A dataset whose rows are items that were registered into its backing folder."""
    made = client.create_dataset(f"bench {uuid4()}", StorageLocation.CORD_STORAGE)
    assert made.backing_folder_uuid is not None
    folder = client.get_storage_folder(made.backing_folder_uuid)
    job = folder.add_private_data_to_folder_start(server.integration_id, manifest(server, count, with_metadata=False))
    result = folder.add_private_data_to_folder_get_result(job)
    assert result.status.value == "DONE", result.errors
    return str(made.dataset_hash)


@contextmanager
def _watched_memory(server: Live) -> Iterator[list[float]]:
    """Fills in by how many MB the server's memory grew at most while it is entered."""
    added, before, stop = [0.0], server.memory_mb(), threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_EVERY_S):
            added[0] = max(added[0], server.memory_mb() - before)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield added
    finally:
        stop.set()
        watcher.join()
