"""Waking those who wait for jobs: pollers on the event loop, and the runner's thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from framedex.core.ports.job_handlers import WaitForEnd


class Signals:
    """The `JobSignals` port. Waiting holds neither a thread nor a connection."""

    def __init__(self) -> None:
        # Re-entrant: `stop` may interrupt the thread that holds it.
        self._guard = threading.RLock()
        self._waiting: defaultdict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._work = threading.Event()
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    def stop(self) -> None:
        self._is_stopping = True
        with self._guard:
            job_ids = list(self._waiting)
        for job_id in job_ids:
            self.ended(job_id)

    def ended(self, job_id: str) -> None:
        with self._guard:
            waiting = list(self._waiting.get(job_id, ()))
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def has_work(self) -> None:
        self._work.set()

    def wait_for_work(self, timeout_s: float) -> None:
        """Called by the runner: until `has_work`, or the timeout."""
        self._work.wait(timeout_s)
        self._work.clear()

    @contextmanager
    def watching(self, job_id: str) -> Iterator[WaitForEnd]:
        """See the port. An end that another process brings about is not noticed: look again after a timeout."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)

        async def wait(timeout_s: float) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), timeout_s)

        with self._guard:
            self._waiting[job_id].add(entry)
        try:
            yield wait
        finally:
            with self._guard:
                self._waiting[job_id].discard(entry)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]
