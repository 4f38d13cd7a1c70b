"""What both dialects of the wire work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anyio import CapacityLimiter

from framedex.core.ports.catalog import Catalog
from framedex.protocol.cursors import Cursors
from framedex.protocol.replays import Replays
from framedex.services.bundle import Services


@dataclass(frozen=True, slots=True)
class WireContext:
    """Everything that an endpoint of v2 or a query of v1 needs."""

    services: Services
    catalog: Catalog
    cursors: Cursors
    replays: Replays
    threads: CapacityLimiter
    spool_dir: Path


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that is written piece by piece: JSON text in chunks."""

    chunks: Iterator[bytes]
