"""One object of our own while it is being written to a bucket: hidden until it is whole."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from uuid import uuid4

from framedex.core.errors import AlreadyExists, DomainError, NotFound, TooLarge, Unavailable
from framedex.stores.blobs.cloud.client import BucketClient, PartsWriter

LARGE_BYTES = 8 << 20
"""Above it an object is sent in parts."""
_PART_BYTES = 8 << 20
"""64 GiB make 8192 of the 10,000 parts that S3 takes."""

POINTER_TYPE = "application/vnd.framedex.pointer+json"
_OBJECT_TYPE = "application/octet-stream"
"""Said of every object: a store that guesses types must not guess the one of pointers."""

_NOTED_FOR_S = 300.0
"""A note is written again after this time, so that its age is that of the last sign of life."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Keys in the bucket, below a folder of it that has no slash at its ends (empty: the whole bucket)."""

    folder: str

    def object(self, key: str) -> str:
        return self._below(f"objects/{key}")

    def large(self, name: str) -> str:
        return self._below(f"large/{name}")

    def temporary(self, name: str) -> str:
        return self._below(f"temporary/{name}")

    def _below(self, path: str) -> str:
        return f"{self.folder}/{path}" if self.folder else path


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where an object that was sent in parts is, and its size in bytes."""

    name: str
    size: int

    def text(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, text: bytes) -> Pointer:
        found = json.loads(text)
        return cls(str(found["name"]), int(found["size"]))


class BucketDraft:
    """An upload that becomes an object or nothing.

    Write, then `publish`; or `abort` at any time, from any thread, also after a `publish` of which nobody learned: a
    lock keeps them apart. What is small waits in memory for the one request that makes it.
    """

    def __init__(
        self,
        client: BucketClient,
        layout: Layout,
        key: str,
        *,
        max_bytes: int | None,
        large_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._layout = layout
        self._key = key
        self._max_bytes = max_bytes
        self._large_bytes = large_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._size = 0
        self._name = uuid4().hex
        self._parts: PartsWriter | None = None
        self._noted_at = 0.0
        self._is_published = False
        self._is_over = False

    def write(self, data: bytes) -> None:
        """Appends.

        Raises:
            TooLarge, AlreadyExists, NotPermitted, Unavailable; the draft must then be aborted.
        """
        with self._lock:
            if self._is_over:
                return  # Aborted while this call waited for its thread.
            if self._max_bytes is not None and self._size + len(data) > self._max_bytes:
                raise TooLarge(f"the object has more than the {self._max_bytes} bytes allowed", limit=self._max_bytes)
            self._size += len(data)
            self._waiting += data
            if self._size > self._large_bytes:
                self._send()

    def publish(self) -> int:
        """Makes the object visible, only if nothing is there; answers its size in bytes.

        Raises:
            AlreadyExists, NotPermitted, Unavailable; the draft must then be aborted.
        """
        with self._lock:
            if self._is_over:
                raise Unavailable("the upload was aborted")
            path = self._layout.object(self._key)
            if self._parts is None:
                self._put(path, bytes(self._waiting), _OBJECT_TYPE)
            else:
                self._note(older_than_s=0)
                self._parts.close()
                self._parts = None
                self._put(path, Pointer(self._name, self._size).text(), POINTER_TYPE)
                self._client.delete(self._layout.temporary(self._name))
            self._is_over = True
            return self._size

    def abort(self) -> None:
        """Leaves nothing behind, not even an object that was just published; if the store fails, for sweeping."""
        with self._lock:
            self._is_over = True
            self._waiting.clear()
            with suppress(DomainError):
                self._drop()

    def _put(self, path: str, data: bytes, content_type: str) -> None:
        try:
            self._client.put_new(path, data, content_type=content_type)
        except AlreadyExists:
            raise AlreadyExists("there is an object with this key already") from None
        self._is_published = True

    def _send(self) -> None:
        if self._parts is None:
            self._check_free()
            self._note(older_than_s=0)
            self._parts = self._client.open_parts(self._layout.large(self._name), part_bytes=_PART_BYTES)
        self._note(older_than_s=_NOTED_FOR_S)
        self._parts.write(bytes(self._waiting))
        self._waiting.clear()

    def _check_free(self) -> None:
        """Spares a caller the whole upload when the key is taken already; `publish` decides."""
        with suppress(NotFound):
            self._client.head(self._layout.object(self._key))
            raise AlreadyExists("there is an object with this key already")

    def _note(self, *, older_than_s: float) -> None:
        if self._noted_at and self._clock() - self._noted_at < older_than_s:
            return
        self._client.put(self._layout.temporary(self._name), self._key.encode())
        self._noted_at = self._clock()

    def _drop(self) -> None:
        if self._parts is not None:
            self._parts.abort()
            self._parts = None
        if self._is_published:
            self._client.delete(self._layout.object(self._key))
            self._is_published = False
        if self._noted_at:
            self._client.delete(self._layout.large(self._name))
            self._client.delete(self._layout.temporary(self._name))
