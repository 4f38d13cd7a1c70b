"""Many objects that are read one after another, of which few are open at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from framedex.core.ports.media import ByteSource

#: Each may be a file or a connection; a process has a thousand of them.
MOST_OPEN = 32


class InTurn:
    """Opens objects as they are read; the one that was read longest ago is closed for it. For one thread."""

    def __init__(self, openers: Sequence[Callable[[], ByteSource]], *, most_open: int = MOST_OPEN) -> None:
        self._openers = openers
        self._most_open = most_open
        self._open: OrderedDict[int, ByteSource] = OrderedDict()

    def sources(self) -> Sequence[ByteSource]:
        """The objects in order; closing one of them does nothing, `close` ends all."""
        return [_Turn(self, number) for number in range(len(self._openers))]

    def opened(self, number: int) -> ByteSource:
        source = self._open.pop(number, None)
        if source is None:
            while len(self._open) >= self._most_open:
                self._open.popitem(last=False)[1].close()
            source = self._openers[number]()
        self._open[number] = source
        return source

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


class _Turn:
    """One of them as a `ByteSource`."""

    def __init__(self, objects: InTurn, number: int) -> None:
        self._objects = objects
        self._number = number
        self._size: int | None = None

    def size(self) -> int:
        if self._size is None:
            self._size = self._objects.opened(self._number).size()
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._objects.opened(self._number).read_at(offset, length)

    def close(self) -> None:
        """The owner closes all."""
