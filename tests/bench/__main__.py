"""`make bench`: measures against real server processes and prints one table.

python -m tests.bench [--quick] [ROW ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from tests.bench.figures import Figure, machine, print_table
from tests.bench.finding import finding
from tests.bench.frame_tables import frame_tables
from tests.bench.patches import bundles, patches
from tests.bench.pictures import first_pictures, sampling
from tests.bench.postgres import on_postgres
from tests.bench.probing import probing
from tests.bench.reencoding import reencoding
from tests.bench.registration import registration
from tests.bench.starts import starts
from tests.bench.streams import rows
from tests.bench.syncing import syncing
from tests.bench.thumbnails import thumbnails


class Benchmark(Protocol):
    """Measures one kind of work and answers its rows as they are known."""

    def __call__(self, *, is_quick: bool) -> Iterator[Figure]: ...


BENCHMARKS: Mapping[str, Benchmark] = {
    "registration": registration,
    "postgres": on_postgres,
    "patch": patches,
    "bundle": bundles,
    "rows": rows,
    "frame-table": frame_tables,
    "start": starts,
    "finding": finding,
    "reencode": reencoding,
    "probe": probing,
    "sync": syncing,
    "sampling": sampling,
    "first-picture": first_pictures,
    "thumbnails": thumbnails,
}


def main() -> int:
    """0 when every target was met."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measures Framedex; see docs/reference/benchmarks.md."
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"which: {', '.join(BENCHMARKS)} (all when none is named)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the data: shows that it runs, proves no target"
    )
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no row {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    print(machine(), flush=True)
    figures = [
        figure for name in options.rows or BENCHMARKS for figure in _run(name, BENCHMARKS[name], is_quick=options.quick)
    ]
    print()
    print_table(figures)
    missed = [figure.work.strip() for figure in figures if "MISSED" in figure.verdict]
    print(f"\n{'targets met: all' if not missed else 'targets missed: ' + '; '.join(missed)}")
    return 1 if missed else 0


def _run(name: str, benchmark: Callable[..., Iterator[Figure]], *, is_quick: bool) -> list[Figure]:
    began = time.monotonic()
    figures = []
    for figure in benchmark(is_quick=is_quick):
        print(f"  {figure.work.strip()}: {figure.figure}", file=sys.stderr, flush=True)
        figures.append(figure)
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
