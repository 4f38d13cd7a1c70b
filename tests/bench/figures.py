"""What a benchmark answers, and the table that it is printed in."""

from __future__ import annotations

import math
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was done, what it took, what was wanted, and how it stands to that."""

    work: str
    figure: str
    target: str = ""
    verdict: str = ""


def at_least(work: str, value: float, target: float, unit: str) -> Figure:
    """A figure that is to be high."""
    return Figure(work, f"{value:,.0f} {unit}", f">= {target:,.0f}", _verdict(value / target, is_met=value >= target))


def at_most(work: str, value: float, target: float, unit: str, *, more: str = "") -> Figure:
    """A figure that is to be low; `more` stands behind it."""
    shown = f"{value:,.1f} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
    return Figure(work, shown + more, f"< {target:,.0f} {unit}", _verdict(value / target, is_met=value < target))


def plain(work: str, value: float, unit: str, *, more: str = "") -> Figure:
    """A figure without a target."""
    return Figure(work, f"{value:,.1f} {unit}{more}")


def _verdict(ratio: float, *, is_met: bool) -> str:
    return f"{ratio:.2f}x {'met' if is_met else 'MISSED'}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)]


def spread_ms(values_s: Sequence[float]) -> str:
    """p95 and p99 behind a median."""
    return (
        f" (p95 {percentile(values_s, 0.95) * 1e3:.1f}, p99 {percentile(values_s, 0.99) * 1e3:.1f}, n={len(values_s)})"
    )


def machine() -> str:
    """The facts that a figure is worth nothing without."""
    memory_gib = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg())
    return (
        f"{os.cpu_count()} cores {_processor()}, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}\n"
        f"fdatasync of 4 KiB p50 {sync_ms():.2f} ms on the benchmark's file system; load average before: {load}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def sync_ms() -> float:
    """Median of what writing 4 KiB durably takes on the file system of the benchmarks, in milliseconds."""
    took = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(os.urandom(4096))
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


_HEADS = ("work", "figure", "target", "ratio")


def print_table(figures: Iterable[Figure]) -> None:
    """The whole table, columns aligned."""
    rows = [_HEADS, *((f.work, f.figure, f.target, f.verdict) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]  # as many as there are heads
    for row in rows:
        sys.stdout.write(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
