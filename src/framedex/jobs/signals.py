"""Waking those who wait for jobs: pollers on the event loop, and the runner's thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict


class Signals:
    """The `JobSignals` port. Waiting holds neither a thread nor a connection."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: defaultdict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._work = threading.Event()

    def changed(self, job_id: str) -> None:
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

    async def wait_changed(self, job_id: str, timeout_s: float) -> None:
        """Until the job moves, or the timeout. Another process's work is noticed by the timeout alone."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._guard:
            self._waiting[job_id].add(entry)
        try:
            await asyncio.wait_for(entry[1].wait(), timeout_s)
        except TimeoutError:
            return
        finally:
            with self._guard:
                self._waiting[job_id].discard(entry)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]
