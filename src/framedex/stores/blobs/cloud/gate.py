"""Keeps a slow or dead bucket from taking all threads, and from being asked again and again by every one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from framedex.stores.blobs.cloud.failures import StoreOutage


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How much of the server one bucket may hold.

    Attributes:
        at_once: calls at a time; fewer than the server has threads for reading objects (40).
        wait_s: how long a further call waits for its turn.
        failures: outages in a row after which the bucket is not asked any more for a while.
        rest_s: that while. Then one call tries; the others are refused until it has succeeded.
    """

    at_once: int = 16
    wait_s: float = 10.0
    failures: int = 3
    rest_s: float = 10.0


class Gate:
    """All calls to one bucket go through it."""

    def __init__(self, limits: GateLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits or GateLimits()
        self._clock = clock
        self._turns = threading.BoundedSemaphore(self._limits.at_once)
        self._lock = threading.Lock()
        self._outages = 0
        self._shut_until = 0.0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """One call.

        Raises:
            StoreOutage: the bucket rests after outages, or too many calls wait for it already.
        """
        self._admit()
        if not self._turns.acquire(timeout=self._limits.wait_s):
            raise StoreOutage("the bucket answers too slowly for the number of reads that wait for it; try again later")
        try:
            yield
        except StoreOutage:
            self._failed()
            raise
        except Exception:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            self._turns.release()

    def _admit(self) -> None:
        with self._lock:
            if self._outages < self._limits.failures:
                return
            left = self._shut_until - self._clock()
            if left <= 0:
                self._shut_until = self._clock() + self._limits.rest_s  # This call tries; others rest on.
                return
        raise StoreOutage(f"the bucket did not answer lately; it is asked again in {max(1, round(left))} s")

    def _failed(self) -> None:
        with self._lock:
            self._outages += 1
            self._shut_until = self._clock() + self._limits.rest_s

    def _answered(self) -> None:
        with self._lock:
            self._outages = 0
