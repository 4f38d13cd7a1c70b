"""One object of a web server as a `ByteSource`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import httpcore

from framedex.core.errors import InvalidArguments, Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.containment import translated_errors
from framedex.stores.blobs.web_addresses import WebAddress
from framedex.stores.blobs.web_session import TransientError, WebLimits, WebSession, header

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_EMPTY = re.compile(r"bytes \*/0+")
_AHEAD_BYTES = 256 * 1024
_REQUEST_BYTES = 8 * 1024 * 1024
"""Most bytes of one request, so that a large read is retried in pieces and each piece fits the time of a call."""


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int
    total: int


class WebSource:
    """Reads by `Range`; every answer must say that it is of the same size and ETag as at opening.

    Small reads take a block ahead. From a server that ignores `Range` the object is copied once, within a limit, to a
    temporary file: at the first read, or at opening when the server does not tell the size.
    """

    def __init__(self, session: WebSession, address: WebAddress, limits: WebLimits) -> None:
        """Asks for the first byte, which tells the size and whether ranges work (HEAD fails on signed GET addresses).

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable.
        """
        self._session = session
        self._address = address
        self._limits = limits
        self._copy: IO[bytes] | None = None
        self._is_ranged = True
        self._block_at, self._block = 0, b""
        try:
            self._info = session.get(address, 0, 0, self._begin)
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> ObjectInfo:
        return self._info

    def size(self) -> int:
        return self._info.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, fewer than `length` only at the end.

        Raises:
            Unavailable: the server fails, or the object changed. NotFound, NotPermitted.
        """
        wanted = max(0, min(length, self._info.size - offset))
        if not self._is_ranged:
            return self._read_copy(offset, wanted)
        if wanted >= _AHEAD_BYTES:
            return b"".join(self._pieces(offset, wanted))
        start = offset - self._block_at
        if not 0 <= start <= len(self._block) - wanted:
            ahead = min(_AHEAD_BYTES, self._info.size - offset) if wanted else 0
            self._block_at, self._block, start = offset, b"".join(self._pieces(offset, ahead)), 0
        return self._block[start : start + wanted]

    def close(self) -> None:
        """Closes connections and removes the copy; a second call does nothing."""
        self._session.close()
        if self._copy is not None:
            self._copy.close()

    def _pieces(self, offset: int, wanted: int) -> Iterator[bytes]:
        while wanted:
            # A server may send less than asked (RFC 9110 section 14.2), so the next request starts where it stopped.
            piece = self._piece(offset, offset + min(wanted, _REQUEST_BYTES) - 1)
            yield piece
            offset, wanted = offset + len(piece), wanted - len(piece)

    def _piece(self, first: int, last: int) -> bytes:
        def consume(response: httpcore.Response) -> bytes:
            span = _span(response)
            if response.status != 206 or span is None or span.first != first or not first <= span.last <= last:
                raise TransientError("the server did not send the range that was asked for")
            self._check_unchanged(span, header(response, b"etag"))
            return _body(response, span.last - span.first + 1)

        return self._session.get(self._address, first, last, consume)

    def _check_unchanged(self, span: _Span, etag: str | None) -> None:
        if span.total != self._info.size or (etag and self._info.etag and etag != self._info.etag):
            raise Unavailable("the object changed while it was read; try again")

    def _begin(self, response: httpcore.Response) -> ObjectInfo:
        etag = header(response, b"etag")
        if response.status == 200:
            return ObjectInfo(self._unranged_size(response), etag)
        if response.status == 416 and _EMPTY.fullmatch(header(response, b"content-range") or ""):
            return ObjectInfo(0, etag)
        span = _span(response)
        if response.status != 206 or span is None or (span.first, span.last) != (0, 0) or span.total == 0:
            raise TransientError("the server did not tell the size of the object")
        _body(response, 1)
        return ObjectInfo(span.total, etag)

    def _unranged_size(self, response: httpcore.Response) -> int:
        self._is_ranged = False
        announced = header(response, b"content-length")
        if announced is None:
            return self._copied(response)
        if int(announced) > self._limits.unranged_bytes:
            raise _too_large(self._limits.unranged_bytes)
        return int(announced)

    def _read_copy(self, offset: int, wanted: int) -> bytes:
        if self._copy is None and wanted:
            self._session.get(self._address, 0, 0, self._take_copy)
        if self._copy is None:
            return b""
        with translated_errors():
            self._copy.seek(offset)
            return self._copy.read(wanted)

    def _take_copy(self, response: httpcore.Response) -> None:
        if response.status != 200:
            raise TransientError("the server ignored Range at first and does not any more")
        size = self._copied(response)
        self._check_unchanged(_Span(0, size - 1, size), header(response, b"etag"))

    def _copied(self, response: httpcore.Response) -> int:
        self._session.allow(self._limits.unranged_s)
        with ExitStack() as cleanup:
            with translated_errors():
                copy = cleanup.enter_context(tempfile.TemporaryFile())
            size = self._fill(copy, response)
            cleanup.pop_all()  # From here on `close` closes it.
        self._copy = copy
        return size

    def _fill(self, copy: IO[bytes], response: httpcore.Response) -> int:
        size = 0
        for part in response.iter_stream():
            size += len(part)
            if size > self._limits.unranged_bytes:
                raise _too_large(self._limits.unranged_bytes)
            with translated_errors():
                copy.write(part)
        with translated_errors():
            copy.flush()
        return size


def _body(response: httpcore.Response, expected: int) -> bytes:
    """Exactly the `expected` bytes; what a server sends beyond is not read."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_stream():
        parts.append(part)
        size += len(part)
        if size > expected:
            break
    if size != expected:
        raise TransientError("the server sent more or fewer bytes than it announced")
    return b"".join(parts)


def _span(response: httpcore.Response) -> _Span | None:
    found = _CONTENT_RANGE.fullmatch((header(response, b"content-range") or "").strip())
    return _Span(*(int(number) for number in found.groups())) if found else None


def _too_large(limit: int) -> InvalidArguments:
    return InvalidArguments(
        f"the server ignores range requests and the object has more than {limit} bytes; enable range requests there"
    )
