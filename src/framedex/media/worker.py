"""The inside of a worker process: requests come in, ranges and facts go out, all over one socket."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media import confinement
from framedex.media.byte_file import ByteFile
from framedex.media.channel import MOST_PAYLOAD, Channel, ChannelClosed
from framedex.media.limits import Limits
from framedex.media.registry import kind_of, operation_of

# Hours of encoding must not slow down who waits for a picture.
_LESS_URGENT = 10


class SourceLost(OSError):
    """The parent could not read the object; it knows why."""


class PipeSource:
    """An object of the parent, read through the channel."""

    def __init__(self, channel: Channel, index: int, size: int) -> None:
        self._channel = channel
        self._index = index
        self._size = size

    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._size)
        parts = []
        while offset < end:
            wanted = min(end - offset, MOST_PAYLOAD)
            self._channel.send({"type": "read", "source": self._index, "offset": offset, "length": wanted})
            header, data = self._channel.receive()
            if header["type"] != "data" or len(data) != wanted:
                raise SourceLost("the object could not be read")
            parts.append(data)
            offset += wanted
        return b"".join(parts)

    def close(self) -> None:
        """The parent owns the object."""


class PipeSink:
    """The output of an encoder, written at any position, kept by the parent; the parent hears of progress, too."""

    def __init__(self, channel: Channel, cpu_s: float, *, is_long: bool = False) -> None:
        self._channel = channel
        self._cpu_s = cpu_s
        self._is_long = is_long
        self._position = 0
        self._end = 0

    def progress(self, share: float) -> None:
        """Tells the share that is done; a long call has its seconds of CPU time anew. Of no effect in others."""
        if self._is_long:
            confinement.limit_next_call(self._cpu_s)
            self._channel.send({"type": "progress", "share": min(1.0, max(0.0, share))})

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        for start in range(0, len(view), MOST_PAYLOAD):
            part = view[start : start + MOST_PAYLOAD]
            self._channel.send({"type": "write", "offset": self._position + start}, part)
        self._position += len(view)
        self._end = max(self._end, self._position)
        return len(view)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._end)[whence]
        return self._position

    def tell(self) -> int:
        return self._position


def serve(stream: socket.socket) -> None:
    """Answers requests until the parent closes its end."""
    channel = Channel(stream)
    warnings.simplefilter("ignore")  # libraries warn about odd files; the log of the server is no place for that
    while True:
        try:
            request, _ = channel.receive()
        except ChannelClosed:
            return
        answer = _answer(channel, request)
        try:
            channel.send(answer)
        except ChannelClosed:
            return


def _answer(channel: Channel, request: dict[str, Any]) -> dict[str, object]:
    confinement.limit_next_call(request["cpu_s"])
    try:
        return {"type": "done", "result": _VERBS[request["verb"]](channel, request)}
    except InvalidArguments as error:
        return {"type": "failed", "message": error.message}
    except MemoryError:
        return {"type": "failed", "message": "reading it takes more memory than a reader may use"}
    except RecursionError:
        return {"type": "failed", "message": "it could not be read: it is nested too deeply"}
    except Exception as error:
        # Libraries raise anything on bad bytes; what they say is worth showing, cut short and on one line.
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return {"type": "failed", "message": f"it could not be read ({reason})"}


def _sources(channel: Channel, request: dict[str, Any]) -> list[ByteFile]:
    return [ByteFile(PipeSource(channel, index, size)) for index, size in enumerate(request["sizes"])]


def _probe(channel: Channel, request: dict[str, Any]) -> object:
    (source,) = _sources(channel, request)
    kind, limits = kind_of(ItemType(request["kind"])), Limits(**request["limits"])
    if not request.get("is_remote"):  # bytes that are near may all be read
        limits = replace(limits, scan_bytes=source.size)
    return asdict(kind.probe(source, request["name"], limits))


def _encode(channel: Channel, request: dict[str, Any]) -> object:
    from framedex.media.image.sequence import encode_sequence

    sink = PipeSink(channel, request["cpu_s"])
    encode_sequence(_sources(channel, request), sink, request["fps"], Limits(**request["limits"]))
    return None


def _make(channel: Channel, request: dict[str, Any]) -> object:
    make = operation_of(ItemType(request["kind"]), request["operation"])
    sink = PipeSink(channel, request["cpu_s"], is_long=request.get("is_long", False))
    if request.get("is_long"):
        os.nice(_LESS_URGENT)
    return make(_sources(channel, request), sink, request["asked"], Limits(**request["limits"]))


_VERBS: dict[str, Callable[[Channel, dict[str, Any]], object]] = {"probe": _probe, "encode": _encode, "make": _make}
