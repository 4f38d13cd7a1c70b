"""A cloud-synced folder over many objects of a bucket that nobody reads: listed and registered, then listed in vain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import obstore
from encord.storage import StorageFolder

from framedex.bootstrap import open_node
from tests.bench.figures import Figure, at_most, plain
from tests.bench.live import Prepared, prepared
from tests.builders.databases import settings_of
from tests.builders.peers import Seaweed, seaweed
from tests.protocol.synced import sync, synced_folder

_BUCKET = "bench"
_IN_FOLDER = 1000


def syncing(*, is_quick: bool) -> Iterator[Figure]:
    """100,000 objects of SeaweedFS, registered without a read (strict client-only), and synced again unchanged."""
    count = 10_000 if is_quick else 100_000
    with TemporaryDirectory(prefix="framedex-bench-") as folder, seaweed(Path(folder)) as store:
        _fill(store, count)
        with prepared() as directory:
            integration = _integration(directory, store)
            with directory.served() as server:
                synced = synced_folder(server.client(), integration, f"s3://{_BUCKET}/objects/")
                before = server.memory_mb()
                first = _seconds(synced, count)
                grown = server.memory_mb() - before
                again = min(_seconds(synced, 0) for _ in range(3))
    work = f"{count:,} objects of SeaweedFS listed and registered without probing, sync started to done"
    yield plain(work, count / first, "objects/s", more=f" ({first:.1f} s, {grown:,.0f} MB of added memory)")
    yield at_most(f"  … synced again, unchanged, best of 3 ({count:,})", again, 10 if not is_quick else 1, "s")


def _fill(store: Seaweed, count: int) -> None:
    bucket = store.make_bucket(_BUCKET)

    def put(number: int) -> None:
        obstore.put(bucket, f"objects/{number // _IN_FOLDER:04}/{number:07}.jpg", b"%d" % number)

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(put, range(count)):
            pass


def _integration(directory: Prepared, store: Seaweed) -> str:
    node = open_node(settings_of(directory.data))
    config = store.config(f"s3://{_BUCKET}", strict_client_only=True)
    integration = node.administration.add_integration("bucket", config, store.credentials)
    node.close()
    return str(integration.id)


def _seconds(folder: StorageFolder, expected: int) -> float:
    began = time.perf_counter()
    result = sync(folder)
    took = time.perf_counter() - began
    assert result.upload_jobs_units_done == expected, result
    return took
