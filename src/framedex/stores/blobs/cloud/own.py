"""Our own objects in a bucket that several processes share: uploads, encoded videos, pictures.

Below the folder of the bucket lie

- `objects/<key>`: an object, as it is; or, for one that was sent in parts, a small *pointer* to it, which its content
  type marks. Either is written by one conditional request, so that a key is never written twice whatever else runs: of
  one request S3, GCS and Azure can demand that nothing is there, of an upload in parts not all of them.
- `large/<uuid>`: what pointers lead to.
- `temporary/<uuid>`: a note of the key for which `large/<uuid>` is being written, or deleted; sweeping begins there.

Objects that were copied here from the disk (`blobs/objects` of a data directory) are read, however large.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import BinaryIO

from framedex.core.errors import NotFound
from framedex.core.ports.blobs import ObjectInfo, ObjectSource
from framedex.stores.blobs.cloud.client import BucketClient
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.own_drafts import LARGE_BYTES, POINTER_TYPE, BucketDraft, Layout, Pointer
from framedex.stores.blobs.cloud.source import CloudSource
from framedex.stores.blobs.own_keys import checked_key
from framedex.stores.blobs.own_pieces import gathered, pieces


class BucketBlobs:
    """The `OwnBlobs` of a bucket. Safe for threads and for any number of processes.

    What is full is the store's to say: writes then fail with `Unavailable`, and nothing of them stays.
    """

    def __init__(self, bucket: CloudObjects, *, large_bytes: int = LARGE_BYTES) -> None:
        """`large_bytes`: up to here an object is one request and in memory meanwhile; above it is sent in parts."""
        self._bucket = bucket
        self._layout = Layout(bucket.prefix.folder)
        self._large_bytes = large_bytes

    @property
    def _client(self) -> BucketClient:
        return self._bucket.client

    async def write_stream(self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> int:
        """See `OwnBlobs`. The event loop never waits for the store; a cancelled call leaves nothing behind."""
        draft = self._draft(key, max_bytes)
        try:
            async for piece in gathered(chunks, max_bytes):
                await asyncio.to_thread(draft.write, piece)
            return await asyncio.to_thread(draft.publish)
        except BaseException:
            # Submitted at once, and finished even when a second cancellation interrupts the waiting.
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, draft.abort))
            raise

    def write(self, key: str, data: bytes | BinaryIO) -> int:
        """Writes a whole object; answers its size in bytes.

        Raises:
            InvalidArguments, AlreadyExists, NotPermitted, Unavailable.
        """
        draft = self._draft(key, None)
        try:
            for piece in pieces(data):
                draft.write(piece)
            return draft.publish()
        except BaseException:
            draft.abort()
            raise

    def open(self, key: str) -> ObjectSource:
        """A reader of an object.

        Raises:
            InvalidArguments, NotFound, NotPermitted, Unavailable.
        """
        source = CloudSource(self._client, self._layout.object(checked_key(key)))
        if source.content_type != POINTER_TYPE:
            return source
        pointer = Pointer.read(source.read_at(0, source.size()))
        return CloudSource(self._client, self._layout.large(pointer.name))

    def stat(self, key: str) -> ObjectInfo:
        found = self._client.look(self._layout.object(checked_key(key)))
        if found.content_type != POINTER_TYPE:
            return found.info
        pointer = self._pointer(key)
        return found.info if pointer is None else ObjectInfo(pointer.size, found.info.etag)

    def delete(self, key: str) -> None:
        """Removes an object; absence is not an error. What a killed process leaves of it is swept later."""
        path = self._layout.object(checked_key(key))
        pointer = self._pointer(key)
        if pointer is not None:
            self._client.put(self._layout.temporary(pointer.name), key.encode())
        self._client.delete(path)
        if pointer is not None:
            self._client.delete(self._layout.large(pointer.name))
            self._client.delete(self._layout.temporary(pointer.name))

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with `prefix`, in code-point order. Streams."""
        above = prefix.rpartition("/")[0]
        if any(segment in ("", ".", "..") for segment in above.split("/")) and above:
            return  # Such keys there are not, and a store must not be asked for them.
        top = self._layout.object("")
        for entry in self._bucket.listed_below(f"{top}{above}".rstrip("/")):
            key = entry.key.removeprefix(top)
            if key.startswith(prefix):
                yield key

    def iter_dated(self) -> Iterator[tuple[str, float]]:
        """Every key, and when it was written (seconds since 1970), in no order."""
        top = self._layout.object("")
        for entry in self._client.list_below(top.rstrip("/")):
            yield entry.key.removeprefix(top), entry.modified_s

    def sweep_temporary(self, older_than: float) -> int:
        """Removes what dead writers left and nobody has written to for `older_than` seconds; answers how many."""
        removed = 0
        top = self._layout.temporary("")
        for entry in self._client.list_below(top.rstrip("/")):
            if entry.modified_s > time.time() - older_than:
                continue
            name = entry.key.removeprefix(top)
            with suppress(NotFound):  # Another process sweeps, too.
                self._sweep(name)
                removed += 1
        return removed

    def _sweep(self, name: str) -> None:
        note = CloudSource(self._client, self._layout.temporary(name))
        pointer = self._pointer(note.read_at(0, note.size()).decode())
        if pointer is None or pointer.name != name:
            self._client.delete(self._layout.large(name))
        self._client.delete(self._layout.temporary(name))

    def _pointer(self, key: str) -> Pointer | None:
        """What the object of a key points to; None when it is the object itself, or absent."""
        path = self._layout.object(checked_key(key))
        try:
            found = self._client.look(path)
            if found.content_type != POINTER_TYPE:
                return None
            return Pointer.read(self._client.get(path, 0, found.info.size, etag=found.info.etag).data)
        except NotFound:
            return None

    def _draft(self, key: str, max_bytes: int | None) -> BucketDraft:
        return BucketDraft(
            self._client, self._layout, checked_key(key), max_bytes=max_bytes, large_bytes=self._large_bytes
        )
