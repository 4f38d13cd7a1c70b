"""A source that does something when it is read: the moment at which a worker is in mid-call."""

from __future__ import annotations

from collections.abc import Callable

from framedex.media.pool import ProcessProber
from tests.builders.media_files import Held


class ActingSource(Held):
    """Runs `act` once, before it answers the first read."""

    def __init__(self, data: bytes, act: Callable[[], None]) -> None:
        super().__init__(data)
        self._act: Callable[[], None] | None = act

    def read_at(self, offset: int, length: int) -> bytes:
        act, self._act = self._act, None
        if act is not None:
            act()
        return super().read_at(offset, length)


def workers_of(prober: ProcessProber) -> set[int]:
    """Process ids of its workers, idle or busy."""
    return {worker.pid for worker in (*prober._idle, *prober._busy)}
