"""What synced folders know of the objects of their buckets, in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framedex.core.ids import FolderId, ItemId
from framedex.core.quick import quick_dataclass


@quick_dataclass(frozen=True, slots=True)
class SyncedObject:
    """One object of a synced folder, as the newest listing that was applied showed it.

    Attributes:
        key: what listings are ordered by (`ExternalObjects.order_key`).
        item_id: what it became; of a sidecar, the item that was given its content.
        is_gone: it vanished, and the item is a tombstone.
        media_key: of a sidecar alone: the key of the object that it is about.
        given_version: of a sidecar: the version of the item's metadata that it made.
    """

    key: str
    etag: str | None
    size: int
    item_id: ItemId | None = None
    is_gone: bool = False
    media_key: str | None = None
    given_version: int | None = None

    @property
    def is_sidecar(self) -> bool:
        return self.media_key is not None


@quick_dataclass(frozen=True, slots=True)
class DueSidecar:
    """A sidecar whose content an item has not been given yet."""

    key: str
    etag: str | None
    size: int
    item_id: ItemId


class SyncReads(Protocol):
    """Reading them."""

    def between(self, folder_id: FolderId, after: str | None, last: str | None) -> Mapping[str, SyncedObject]:
        """Objects by key: those behind `after` (None: from the first) up to `last` (None: to the end), in order."""
        ...

    def get(self, folder_id: FolderId, key: str) -> SyncedObject | None: ...

    def due_sidecars(self, folder_id: FolderId, after: str | None, limit: int) -> Sequence[DueSidecar]:
        """Sidecars behind `after`, in order of the keys, that are new or changed, or whose object has another item.

        Those whose object is not there (not yet, or not any more) are left out.
        """
        ...


class SyncWrites(SyncReads, Protocol):
    """Writing them. They end with their item, or with the folder."""

    def put(self, folder_id: FolderId, objects: Sequence[SyncedObject]) -> None:
        """Keeps objects as they are now; what a sidecar gave an item stays known while it is a sidecar."""
        ...

    def given(self, folder_id: FolderId, sidecar: DueSidecar, version: int) -> None:
        """The item has the content of this sidecar; `version` is that of its metadata."""
        ...

    def set_gone(self, folder_id: FolderId, keys: Sequence[str], *, is_gone: bool) -> None: ...

    def forget(self, folder_id: FolderId, keys: Sequence[str]) -> None: ...

    def lock(self, folder_id: FolderId) -> None:
        """Lets no other process begin a sync of the folder before this unit ends."""
        ...
