"""What a kind of media can do. Each kind is one folder that no other kind imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits


class Kind(Protocol):
    """One kind of media; runs in a limited worker process only.

    Whatever a library raises on bad bytes reaches the caller as "cannot be read"; a kind raises `InvalidArguments`
    itself where it can say more.
    """

    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        """Exact facts of the object; reads no more of it than that takes.

        Args:
            name: last segment of the object's address, only a hint for what content cannot tell.

        Raises:
            InvalidArguments: the bytes are no sound object of this kind, or pass a limit.
        """
        ...


class Sink(Protocol):
    """Where bytes go; a muxer goes back to write lengths."""

    def write(self, data: bytes) -> int: ...

    def seek(self, offset: int, whence: int = 0) -> int: ...

    def tell(self) -> int: ...


@runtime_checkable
class LongSink(Sink, Protocol):
    """A sink whose owner waits for long, and wants to know how far it is."""

    def progress(self, share: float) -> None:
        """The share that is done, 0 to 1. Who says nothing for `Limits.seconds` is taken for hung."""
        ...


class Operation(Protocol):
    """Makes something of objects beside their facts; the `make` of a module `media/<kind>/<operation>.py`."""

    def __call__(
        self, sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits
    ) -> dict[str, object]:
        """Writes bytes into the sink and answers JSON-able facts about them.

        Raises:
            InvalidArguments: the bytes are no sound object of this kind, or pass a limit; `asked` is out of range.
        """
        ...
