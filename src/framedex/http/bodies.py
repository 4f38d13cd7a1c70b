"""Request bodies: read under a cap, hashed on the way, spooled to disk when large."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from framedex.core.errors import InvalidArguments, StorageFull, TooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MIB = 1 << 20
#: Caps in bytes: manifests, one item's PATCH, everything else.
MANIFEST_CAP = 1024 * MIB
PATCH_CAP = 11 * MIB
DEFAULT_CAP = 64 * MIB

_SPOOL_ABOVE = 8 * MIB


@dataclass(slots=True)
class Body:
    """A request body; `view` is the whole of it, in memory or mapped from a temporary file."""

    view: bytes | memoryview
    digest: bytes
    _mapped: mmap.mmap | None = None

    def close(self) -> None:
        """Frees a spooled body. Texts decoded from it stay valid."""
        if self._mapped is not None and isinstance(self.view, memoryview):
            # A part of it may still be held by an error's traceback; view and mapping then end with that.
            with suppress(BufferError):
                self.view.release()
                self._mapped.close()


async def read_body(receive: Receive, *, cap: int, declared: int | None, spool_dir: Path) -> Body:
    """Reads a body of at most `cap` bytes.

    Raises:
        TooLarge: more than `cap`, as soon as it is known.
        InvalidArguments: the client went away in the middle. StorageFull: no room to keep a large one.
    """
    if declared is not None and declared > cap:
        raise _too_large(cap)
    hasher, chunks, size = sha256(), bytearray(), 0
    spool: IO[bytes] | None = None
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise InvalidArguments("the connection ended in the middle of the request body")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > cap:
                raise _too_large(cap)
            hasher.update(chunk)
            chunks += chunk
            if len(chunks) > _SPOOL_ABOVE:
                with _disk_errors():
                    spool = spool or tempfile.TemporaryFile(dir=spool_dir)  # noqa: SIM115 - closed below, on every path
                    spool.write(chunks)
                chunks.clear()
            if not message.get("more_body", False):
                break
        if spool is None:
            return Body(bytes(chunks), hasher.digest())
        with _disk_errors():
            spool.write(chunks)
            spool.flush()
        mapped = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
        return Body(memoryview(mapped), hasher.digest(), mapped)
    finally:
        if spool is not None:
            # What could not be written is tried once more here, and not wanted any more.
            with suppress(OSError):
                spool.close()


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFull("The server's disk has no room for a request of this size; free space, and retry.") from error


def check_size(size: int, cap: int) -> None:
    """Refuses a body that was read under a wider cap than turned out to be its own.

    Raises:
        TooLarge: more than `cap`.
    """
    if size > cap:
        raise _too_large(cap)


def _too_large(cap: int) -> TooLarge:
    return TooLarge(
        f"The request body is larger than the limit of {cap // MIB} MiB for this request; send less at once."
    )
