"""Slots of computing: few are held at once, and who waits long for bytes lends its slot to others meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from framedex.core.ports.media import ByteSource

# A disk answers well below; a server that is slow must not keep a processor idle.
_PATIENCE_S = 0.2
_LOOK_EVERY_S = 0.1


class Slots:
    """`count` slots. Slow reads of one object hold up nobody else's object."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self._guard = threading.Lock()
        self._waiting: set[Slot] = set()
        self._anyone_waits = threading.Event()
        self._watch: threading.Thread | None = None

    @contextmanager
    def held(self) -> Iterator[Slot]:
        """Waits for a slot and holds it."""
        with self._free:
            yield Slot(self)

    def begin_wait(self, slot: Slot) -> None:
        with self._guard:
            slot.since, slot.is_lent = time.monotonic(), False
            self._waiting.add(slot)
            if self._watch is None:
                self._watch = threading.Thread(target=self._lend, name="framedex-slots", daemon=True)
                self._watch.start()
        self._anyone_waits.set()

    def end_wait(self, slot: Slot) -> None:
        with self._guard:
            self._waiting.discard(slot)
            is_lent, slot.is_lent = slot.is_lent, False
        if is_lent:
            self._free.acquire()

    def _lend(self) -> None:
        while True:
            self._anyone_waits.wait()
            time.sleep(_LOOK_EVERY_S)
            with self._guard:
                late = time.monotonic() - _PATIENCE_S
                for slot in self._waiting:
                    if not slot.is_lent and slot.since < late:
                        slot.is_lent = True
                        self._free.release()
                if not self._waiting:
                    self._anyone_waits.clear()


class Slot:
    """One slot while it is held."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.since = 0.0
        self.is_lent = False

    def lending(self, source: ByteSource) -> LendingSource:
        return LendingSource(source, self)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While waiting for bytes. At the end the slot is held again, if need be after a while."""
        self._slots.begin_wait(self)
        try:
            yield
        finally:
            self._slots.end_wait(self)


class LendingSource:
    """A source whose slow reads lend the reader's slot."""

    def __init__(self, source: ByteSource, slot: Slot) -> None:
        self._source = source
        self._slot = slot

    def size(self) -> int:
        return self._source.size()

    def read_at(self, offset: int, length: int) -> bytes:
        with self._slot.waiting():
            return self._source.read_at(offset, length)

    def close(self) -> None:
        self._source.close()
