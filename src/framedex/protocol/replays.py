"""Creators that the SDK retries by itself: the same request within ten minutes gets the first answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from framedex.core.clock import now_us
from framedex.core.errors import DomainError
from framedex.core.ports.catalog import Catalog

_TEN_MINUTES_US = 600 * 1_000_000


class Replays:
    """Remembers answers by a digest of trace id, signature and body (sdk-protocol 8.23)."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._guard = threading.Lock()
        self._running: dict[str, _Turn] = {}

    def once(self, digest: str, run: Callable[[], bytes]) -> bytes:
        """Runs, or answers what the first run answered; a retry that comes while the first still runs waits for it.

        What `run` writes and the answer are one transaction: a server that dies has done and remembered both, or
        neither. Of two processes that run the same request at once, the later one undoes its work.
        """
        with self._alone(digest):
            known = self._known(digest)
            if known is not None:
                return known
            try:
                with self._catalog.together():
                    answer = run()
                    self._remember(digest, answer)
                return answer
            except (DomainError, _AnsweredElsewhereError):
                known = self._known(digest)
                if known is None:
                    raise
                return known

    def _known(self, digest: str) -> bytes | None:
        with self._catalog.read() as unit:
            known = unit.remembered_response(digest, now_us() - _TEN_MINUTES_US)
        return None if known is None else known.encode()

    def _remember(self, digest: str, answer: bytes) -> None:
        now = now_us()
        # The work is done: keeping its answer may use the disk's reserve.
        with self._catalog.write(frees=True) as unit:
            if unit.remembered_response(digest, now - _TEN_MINUTES_US) is not None:
                raise _AnsweredElsewhereError
            unit.remember_response(digest, answer.decode(), now)

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


class _AnsweredElsewhereError(Exception):
    """Another process was faster with the same request."""


@dataclass(slots=True)
class _Turn:
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0
