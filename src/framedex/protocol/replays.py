"""Creators that the SDK retries by itself: the same request within ten minutes gets the first answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from framedex.core.clock import now_us
from framedex.core.ports.catalog import Catalog

_TEN_MINUTES_US = 600 * 1_000_000


class Replays:
    """Remembers answers by a digest of trace id, signature and body (sdk-protocol 8.23)."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._guard = threading.Lock()
        self._running: dict[str, _Turn] = {}

    def once(self, digest: str, run: Callable[[], bytes]) -> bytes:
        """Runs, or answers what the first run answered; a retry that comes while the first still runs waits for it."""
        with self._alone(digest):
            with self._catalog.read() as unit:
                known = unit.remembered_response(digest, now_us() - _TEN_MINUTES_US)
            if known is not None:
                return known.encode()
            answer = run()
            # The work is done: keeping its answer may use the disk's reserve.
            with self._catalog.write(frees=True) as unit:
                unit.remember_response(digest, answer.decode(), now_us())
            return answer

    @contextmanager
    def _alone(self, digest: str) -> Iterator[None]:
        with self._guard:
            turn = self._running.setdefault(digest, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._guard:
                turn.waiting -= 1
                if turn.waiting == 0:
                    del self._running[digest]


@dataclass(slots=True)
class _Turn:
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0
