"""Registration and PATCH on PostgreSQL, beside the same on SQLite in the same run."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Figure, percentile, spread_ms
from tests.bench.live import prepared
from tests.bench.patches import single_patches
from tests.bench.registration import Run, register
from tests.builders.postgres import Cluster, running_postgres


def on_postgres(*, is_quick: bool) -> Iterator[Figure]:
    """Each row has PostgreSQL's figure, SQLite's beside it, and the ratio of the two."""
    count = 20_000 if is_quick else 100_000
    with running_postgres(is_durable=True) as cluster:
        for with_metadata in (False, True):
            alone, shared = _runs(cluster, count, with_metadata=with_metadata)
            what = "imageMetadata and clientMetadata" if with_metadata else "imageMetadata"
            work = f"registration on PostgreSQL, {count:,} images with {what}, SDK call to job DONE"
            rate, beside = count / shared.done_s, count / alone.done_s
            yield Figure(work, f"{rate:,.0f} items/s", f"SQLite: {beside:,.0f}", f"{rate / beside:.2f}x of SQLite")
            yield Figure(
                "  … CPU of the server for an item",
                f"{shared.cpu_s / count * 1e6:.0f} µs",
                f"SQLite: {alone.cpu_s / count * 1e6:.0f} µs",
            )
        yield _patched(cluster, 300 if is_quick else 2000)


def _runs(cluster: Cluster, count: int, *, with_metadata: bool) -> tuple[Run, Run]:
    """The same registration on SQLite, then on PostgreSQL."""
    runs = []
    for database in (None, cluster.new_database()):
        with prepared(database) as directory, directory.served() as server:
            runs.append(register(server, count, with_metadata=with_metadata))
    return runs[0], runs[1]


def _patched(cluster: Cluster, number: int) -> Figure:
    took = []
    for database in (None, cluster.new_database()):
        with prepared(database) as directory, directory.served() as server:
            took.append(single_patches(server, number))
    alone, shared = (percentile(seconds, 0.5) * 1e3 for seconds in took)
    work = "PATCH of one item on PostgreSQL, 1 kB, signed, keep-alive, durable, p50"
    return Figure(
        work, f"{shared:.1f} ms{spread_ms(took[1])}", f"SQLite: {alone:.1f} ms", f"{shared / alone:.2f}x of SQLite"
    )
