"""The WAL goes into the database file while the catalog is open, and nobody has to close anything for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from framedex.core.clock import now_us
from framedex.stores.catalog.catalog import open_sqlite


def test_checkpoints__move_what_was_committed_while_the_catalog_is_open(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    catalog = open_sqlite(path)
    before = path.stat().st_size
    for number in range(20):
        with catalog.write() as write:
            write.remember_response(f"digest {number}", "x" * 100_000, now_us())
    deadline = time.monotonic() + 30
    while path.stat().st_size < before + 20 * 100_000 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.stat().st_size >= before + 20 * 100_000
    catalog.close()


def test_checkpoints__end_with_the_catalog(tmp_path: Path) -> None:
    others = set(threading.enumerate())
    catalog = open_sqlite(tmp_path / "catalog.db")
    with catalog.write() as write:
        write.remember_response("digest", "answer", now_us())
    [mine] = set(threading.enumerate()) - others
    assert (mine.name, mine.is_alive()) == ("framedex-checkpoints", True)
    catalog.close()
    assert not mine.is_alive()
