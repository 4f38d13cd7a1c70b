"""Our own objects on a local disk: uploads, encoded videos, pictures."""

from __future__ import annotations

import asyncio
import os
import stat
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from framedex.core.errors import AlreadyExists, NotFound, StorageFull
from framedex.core.ports.blobs import ObjectInfo, ObjectSource
from framedex.stores.blobs.containment import translated_errors
from framedex.stores.blobs.file_source import FileSource, info_of
from framedex.stores.blobs.ordered_names import iter_ordered
from framedex.stores.blobs.own_drafts import Draft, sync_folder, write_failure
from framedex.stores.blobs.own_keys import checked_key
from framedex.stores.blobs.own_pieces import gathered, pieces


def free_bytes_of(folder: Path) -> int:
    """Bytes that an ordinary user may still write to the file system of `folder`."""
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


class DiskBlobs:
    """Objects below `root/objects`, written below `root/temporary` first. Safe for threads and processes.

    An object is visible only when it is whole and on disk; keys are never written twice. Writes are refused with
    `StorageFull` while less than `reserve_bytes` would stay free; reads and deletes go on.
    """

    def __init__(
        self, root: Path | str, reserve_bytes: int, *, free_bytes: Callable[[Path], int] = free_bytes_of
    ) -> None:
        self._objects = Path(root) / "objects"
        self._temporary = Path(root) / "temporary"
        self._reserve_bytes = reserve_bytes
        self._free_bytes = free_bytes
        try:
            for folder in (self._objects, self._temporary):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self._objects.parent)
        except OSError as error:
            raise write_failure(error) from error

    async def write_stream(self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> int:
        """See `OwnBlobs`. The event loop never waits for the disk; a cancelled call leaves nothing behind."""
        target = self._path(key)
        self._check_free(target)
        draft = self._draft(max_bytes)
        try:
            async for piece in gathered(chunks, max_bytes):
                await asyncio.to_thread(draft.write, piece)
            return await asyncio.to_thread(draft.publish, target, below=self._objects)
        except BaseException:
            # Submitted at once, and finished even when a second cancellation interrupts the waiting.
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, draft.abort))
            raise

    def write(self, key: str, data: bytes | BinaryIO) -> int:
        """Writes a whole object; answers its size in bytes.

        Raises:
            InvalidArguments, AlreadyExists, StorageFull, Unavailable.
        """
        target = self._path(key)
        self._check_free(target)
        draft = self._draft(None)
        try:
            for piece in pieces(data):
                draft.write(piece)
            return draft.publish(target, below=self._objects)
        except BaseException:
            draft.abort()
            raise

    def open(self, key: str) -> ObjectSource:
        """A reader of an object, which goes on when the object is deleted meanwhile.

        Raises:
            InvalidArguments, NotFound, Unavailable.
        """
        path = self._path(key)
        with translated_errors():
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # A folder of keys.
            os.close(descriptor)
            raise NotFound("there is no such object")
        return FileSource(descriptor)

    def stat(self, key: str) -> ObjectInfo:
        path = self._path(key)
        with translated_errors():
            facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):
            raise NotFound("there is no such object")
        return info_of(facts)

    def delete(self, key: str) -> None:
        """Removes an object and the folders that it leaves empty, durably; absence is not an error."""
        path = self._path(key)
        with suppress(NotFound), translated_errors():
            path.unlink()
            sync_folder(path.parent)
            self._prune(path.parent)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with `prefix`, in code-point order. Streams."""
        return self._keys_below("", prefix)

    def sweep_temporary(self, older_than: float) -> int:
        """Removes what dead writers left and nobody has written to for `older_than` seconds; answers how many."""
        removed = 0
        with translated_errors(), os.scandir(self._temporary) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime <= time.time() - older_than:
                        Path(entry.path).unlink()
                        removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self._objects / checked_key(key)

    def _draft(self, max_bytes: int | None) -> Draft:
        return Draft(self._temporary / uuid.uuid4().hex, max_bytes=max_bytes, check_space=self._check_space)

    def _check_space(self, size: int) -> None:
        with translated_errors():
            free = self._free_bytes(self._temporary)
        if free - size < self._reserve_bytes:
            raise StorageFull("the disk reserve of the server is reached; free space, or lower the reserve")

    def _check_free(self, target: Path) -> None:
        """Spares a caller the whole upload when the key is taken already; `publish` decides."""
        if target.exists():
            raise AlreadyExists("there is an object with this key already")

    def _prune(self, folder: Path) -> None:
        # rmdir removes empty folders only; a writer whose folder goes away under it makes it again.
        with suppress(OSError):
            while folder != self._objects:
                folder.rmdir()
                folder = folder.parent

    def _keys_below(self, above: str, prefix: str) -> Iterator[str]:
        for key in iter_ordered(lambda: self._scan(above)):
            if key.startswith(prefix) and not key.endswith("/"):
                yield key
            elif key.endswith("/") and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._keys_below(key, prefix)

    def _scan(self, above: str) -> Iterable[str]:
        with suppress(NotFound), translated_errors(), os.scandir(self._objects / above) as entries:
            for entry in entries:
                yield f"{above}{entry.name}/" if entry.is_dir(follow_symlinks=False) else f"{above}{entry.name}"
