"""Integration kind `local`: files below one folder of the server."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, unquote

from framedex.core.errors import InvalidArguments, NotFound, NotPermitted
from framedex.core.ports.blobs import ObjectInfo, ObjectSource
from framedex.stores.blobs.containment import ContainedRoot, translated_errors
from framedex.stores.blobs.file_addresses import address_of, path_of
from framedex.stores.blobs.file_source import FileSource, info_of
from framedex.stores.blobs.ordered_names import BATCH_NAMES, iter_ordered

_log = logging.getLogger(__name__)

_LEFT_OUT = (InvalidArguments, NotFound, NotPermitted)
"""What a listing passes over. `Unavailable` is not among them: a disk that went away must not look like an end."""


class LocalObjects:
    """Files of one folder as `file://` objects; see `ContainedRoot` for what keeps them inside."""

    def __init__(self, root: str, *, batch: int = BATCH_NAMES) -> None:
        self._root = ContainedRoot(root)
        self._batch = batch

    def check_address(self, url: str) -> None:
        self._root.check_name(path_of(url))

    def stat(self, url: str) -> ObjectInfo:
        return info_of(self._root.stat_file(self._path(url)))

    def open(self, url: str) -> ObjectSource:
        return FileSource(self._root.open_file(self._path(url)))

    def sign(self, url: str, *, lifetime_s: int) -> str | None:
        return None

    def check_folder(self, url: str) -> None:
        self._path(url)

    def order_key(self, url: str) -> str:
        return address_of(self._path(url))

    def address_at(self, order_key: str) -> str:
        return order_key

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        """Every regular file below the folder (or the one file) that `prefix` names; `""` is the whole root.

        Symlinks to files and folders inside are followed, a folder never into itself. What leads outside, is special,
        may not be read, or vanishes meanwhile is left out; names that are no UTF-8 have no address and are logged by
        number. One batch of names is held for each level of folders.
        """
        path = self._path(prefix).rstrip("/") if prefix else self._root.path.rstrip("/")
        after = "" if start_after is None else self.order_key(start_after)
        if (found := self._find_file(path)) is not None:
            if address_of(path) > after:
                yield address_of(path), found
            return
        os.close(self._root.open_folder(path or "/"))  # Says now that there is no such folder; below, absence is quiet.
        yield from self._walk(path, after)

    def _path(self, url: str) -> str:
        path = path_of(url)
        self._root.check_name(path)
        return path

    def _find_file(self, path: str) -> ObjectInfo | None:
        """Facts of a readable regular file inside, else None."""
        try:
            return info_of(self._root.stat_file(path or "/"))
        except _LEFT_OUT:
            return None

    def _walk(self, top: str, after: str) -> Iterator[tuple[str, ObjectInfo]]:
        # An explicit stack: folders nest deeper than Python's recursion goes.
        stack = [(top, self._entries(top), self._identity(top))]
        while stack:
            folder, entries, _ = stack[-1]
            entry = next(entries, None)
            if entry is None:
                stack.pop()
                continue
            path = f"{folder}/{unquote(entry.rstrip('/'))}"
            if after and _is_before(address_of(path), after, is_folder=entry.endswith("/")):
                continue
            if not entry.endswith("/"):
                if (found := self._find_file(path)) is not None:
                    yield address_of(path), found
            elif (identity := self._identity(path)) and all(identity != above for _, _, above in stack):
                stack.append((path, self._entries(path), identity))

    def _identity(self, folder: str) -> tuple[int, int] | None:
        """Device and inode of a folder inside, else None. Tells a symlink that leads back to a folder above it."""
        try:
            descriptor = self._root.open_folder(folder or "/")
        except _LEFT_OUT:
            return None
        try:
            facts = os.fstat(descriptor)
            return facts.st_dev, facts.st_ino
        finally:
            os.close(descriptor)

    def _entries(self, folder: str) -> Iterator[str]:
        """Percent-encoded names in the order of the addresses below: a folder's name sorts with its final slash."""
        return iter_ordered(self._scanner(folder), batch=self._batch)

    def _scanner(self, folder: str) -> Callable[[], Iterable[str]]:
        def scan() -> Iterator[str]:
            try:
                descriptor = self._root.open_folder(folder or "/")
            except _LEFT_OUT:
                return
            try:
                with translated_errors(), os.scandir(descriptor) as entries:
                    yield from _encoded(entries)
            except NotFound:
                return
            finally:
                os.close(descriptor)

        return scan


def _is_before(address: str, after: str, *, is_folder: bool) -> bool:
    """Whether nothing at or below an address comes behind `after`."""
    if is_folder:
        return f"{address}/" < after and not after.startswith(f"{address}/")
    return address <= after


def _encoded(entries: Iterable[os.DirEntry[str]]) -> Iterator[str]:
    nameless = 0
    for entry in entries:
        try:
            name = quote(entry.name, safe="", errors="strict")
        except UnicodeEncodeError:
            nameless += 1
            continue
        yield f"{name}/" if _is_folder(entry) else name
    if nameless:
        _log.warning("left out %d files whose names are not UTF-8", nameless)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A symlink loop: it is no folder, and as a file it is left out.
        return False
