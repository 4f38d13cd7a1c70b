"""Integration kinds `s3`, `gcs`, `azure`: the objects of one bucket, or of one folder in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import dropwhile
from typing import BinaryIO

from framedex.core.errors import NotFound
from framedex.core.ports.blobs import ObjectInfo
from framedex.stores.blobs.cloud.client import BucketClient, Listed
from framedex.stores.blobs.cloud.endpoints import Endpoint
from framedex.stores.blobs.cloud.keys import Addresses, Prefix, check_key
from framedex.stores.blobs.cloud.listing import as_promised, in_order, without_markers
from framedex.stores.blobs.cloud.source import CloudSource


class CloudObjects:
    """Safe for threads. The client (credentials, connections) is made when an object is first asked for."""

    def __init__(
        self,
        addresses: Addresses,
        prefix: Prefix,
        connect: Callable[[], BucketClient],
        *,
        home: Endpoint,
        is_ordered: bool,
    ) -> None:
        """`home` answers. `is_ordered`: it promises to list in the order of the keys; others are sorted here."""
        self.addresses = addresses
        self.home = home
        self.prefix = prefix
        self._connect = connect
        self._is_ordered = is_ordered

    @cached_property
    def client(self) -> BucketClient:
        # Two threads may both make one at first; they share gate and credentials, and one of them is kept.
        return self._connect()

    def check_address(self, url: str) -> None:
        self.key(url)

    def stat(self, url: str) -> ObjectInfo:
        return self.client.head(self.key(url))

    def open(self, url: str) -> CloudSource:
        return CloudSource(self.client, self.key(url))

    def sign(self, url: str, *, lifetime_s: int) -> str | None:
        """None when no key to sign with is at hand (an identity of a machine at Google or Azure, a SAS)."""
        key = self.key(url)
        return self.client.sign(key, lifetime_s)

    def check_folder(self, url: str) -> None:
        self.prefix.folder_of(self.addresses.key_of(url), url)

    def order_key(self, url: str) -> str:
        return self.addresses.key_of(url)

    def address_at(self, order_key: str) -> str:
        return self.addresses.address_of(order_key)

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        """Every object below the folder (or the one object) that `prefix` names, `""` being the whole root.

        Nothing, when there is none: a bucket knows no folders. The order is that of the keys. Folder markers are left
        out.
        """
        folder = self.prefix.folder_of(self.addresses.key_of(prefix), prefix) if prefix else self.prefix.folder
        after = None if start_after is None else self.order_key(start_after)
        if folder and prefix and not prefix.endswith("/") and (found := self._find(folder)) is not None:
            if after is None or folder > after:
                yield prefix, found
            return
        for entry in self.listed_below(folder, after):
            yield self.addresses.address_of(entry.key), entry.info

    def peek(self) -> Iterator[tuple[str, ObjectInfo]]:
        """Objects of the whole root in the store's own order: the first of them without listing all."""
        for entry in without_markers(self.client.list_below(self.prefix.folder), self._is_object):
            yield self.addresses.address_of(entry.key), entry.info

    def write_new(self, url: str, data: bytes | BinaryIO) -> None:
        """Writes an object that is not there yet."""
        self.client.put_new(self.key(url), data)

    def delete(self, url: str) -> None:
        """Removes an object; absence is no error."""
        self.client.delete(self.key(url))

    def key(self, url: str) -> str:
        """The key that an address of this integration names."""
        key = self.addresses.key_of(url)
        check_key(key, url)
        self.prefix.check(key, url)
        return key

    def listed_below(self, folder: str, after: str | None = None) -> Iterator[Listed]:
        """Every object below a folder of the bucket (`""`: all of it), in the order of the keys, behind `after`.

        A store without that order is listed from its start each time.
        """
        asked = self.client.list_below(folder, after if self._is_ordered else None)
        real = without_markers(asked, self._is_object)
        listed = as_promised(real) if self._is_ordered else in_order(real)
        return listed if after is None else dropwhile(lambda entry: entry.key <= after, listed)

    def _is_object(self, key: str) -> bool:
        return self._find(key) is not None

    def _find(self, key: str) -> ObjectInfo | None:
        try:
            return self.client.head(key)
        except NotFound:
            return None
