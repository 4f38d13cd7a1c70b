"""One object of a bucket as a `ByteSource`."""

from __future__ import annotations

from collections.abc import Iterator

from framedex.core.errors import Unavailable
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.client import BucketClient, Part
from framedex.stores.blobs.cloud.failures import CHANGED, RangeBeyondEnd

_AHEAD_BYTES = 256 * 1024
"""Read at opening, too, in the one request that tells size and ETag: what probing begins with."""
_REQUEST_BYTES = 8 * 1024 * 1024
"""Most bytes of one request, so that a large read is retried in pieces and each piece fits the time of a request."""


class CloudSource:
    """Reads by ranges of the one version that was opened: each request names its ETag, and each answer is compared."""

    def __init__(self, client: BucketClient, key: str) -> None:
        """Reads the first block.

        Raises:
            NotFound, NotPermitted, Unavailable.
        """
        self._client = client
        self._key = key
        first = self._begin()
        self._info = first.info
        self.content_type = first.content_type
        self._block_at, self._block = 0, first.data

    @property
    def info(self) -> ObjectInfo:
        return self._info

    def size(self) -> int:
        return self._info.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, fewer than `length` only at the end.

        Raises:
            Unavailable: the store fails, or the object changed or went. NotPermitted.
        """
        wanted = max(0, min(length, self._info.size - offset))
        if not wanted:
            return b""
        start = offset - self._block_at
        if 0 <= start <= len(self._block) - wanted:
            return self._block[start : start + wanted]
        if wanted >= _AHEAD_BYTES:
            return b"".join(self._pieces(offset, wanted))
        ahead = min(_AHEAD_BYTES, self._info.size - offset)
        self._block_at, self._block = offset, b"".join(self._pieces(offset, ahead))
        return self._block[:wanted]

    def close(self) -> None:
        """Forgets what was read ahead; connections belong to the bucket."""
        self._block = b""

    def _begin(self) -> Part:
        try:
            return self._client.get(self._key, 0, _AHEAD_BYTES, etag=None)
        except RangeBeyondEnd:
            info = self._client.head(self._key)
        if info.size:
            raise Unavailable(CHANGED)
        return Part(info, b"")

    def _pieces(self, offset: int, wanted: int) -> Iterator[bytes]:
        while wanted:
            step = min(wanted, _REQUEST_BYTES)
            yield self._piece(offset, offset + step)
            offset, wanted = offset + step, wanted - step

    def _piece(self, first: int, end: int) -> bytes:
        try:
            part = self._client.get(self._key, first, end, etag=self._info.etag)
        except RangeBeyondEnd:
            raise Unavailable(CHANGED) from None
        if part.info != self._info:
            raise Unavailable(CHANGED)
        return part.data
