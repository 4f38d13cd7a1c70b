"""Items in the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.access import Caller, Standing
from framedex.core.ids import DataRowId, DatasetId, FolderId, IntegrationId, ItemId, UserId
from framedex.core.items import Item, ItemPatch, ItemQuery
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.paging import Page, PageRequest
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.quick import quick_dataclass


@quick_dataclass(frozen=True, slots=True)
class NewItem:
    """An item to add.

    Attributes:
        claim_urls: the addresses that decide duplicates; none for items without addresses.
        seen: what the object was when it was read for this; None when it was not.
    """

    id: ItemId
    folder_id: FolderId
    item_type: ItemType
    name: str
    owner_id: UserId
    facts: MediaFacts
    claim_urls: tuple[str, ...] = ()
    url: str | None = None
    integration_id: str | None = None
    object_key: str | None = None
    is_child: bool = False
    facts_supplied: bool = False
    metadata: str | None = None
    children: tuple[ItemId, ...] = ()
    timeseries_settings: str | None = None
    scene: str | None = None
    group_layout: str | None = None
    seen: ObjectInfo | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where the object of an item is, and what it was when it was looked at there; None when it was not."""

    url: str
    integration_id: IntegrationId
    seen: ObjectInfo | None


@dataclass(frozen=True, slots=True)
class UsingDataset:
    """A dataset that links an item, with the data rows that do; `rows_created_at` is that of the first."""

    id: DatasetId
    title: str
    backing_folder_id: FolderId | None
    row_ids: Sequence[DataRowId]
    rows_created_at: int


@dataclass(frozen=True, slots=True)
class ItemUse:
    """Where an item is used.

    Attributes:
        frame_in_groups: how many items have it as a child, whoever may see them; `used_in_datasets` likewise.
        groups: those items that the caller may read. `datasets`: those that the caller has a role on.
        folder_names: of the folders that `groups` live in, as far as the caller may read them.
    """

    frame_in_groups: int
    groups: Sequence[Item]
    used_in_datasets: int
    datasets: Sequence[UsingDataset]
    folder_names: Mapping[FolderId, str]


class ItemReads(Protocol):
    """Reading items."""

    def standings(self, caller: Caller, item_ids: Sequence[ItemId]) -> Mapping[ItemId, Standing]:
        """What connects the caller with each item; absent items are left out. A fixed number of queries."""
        ...

    def get_many(self, item_ids: Sequence[ItemId], *, with_metadata: bool = True) -> Mapping[ItemId, Item]:
        """Items by id, whether or not anyone may see them; absent ones are left out."""
        ...

    def list_page(self, caller: Caller, query: ItemQuery, page: PageRequest) -> Page[Item]:
        """Items of the query that the caller may read."""
        ...

    def child_ids(self, parent_ids: Sequence[ItemId]) -> Mapping[ItemId, Sequence[ItemId]]:
        """Ids of child items in order; items without any are left out."""
        ...

    def use(self, caller: Caller, item_id: ItemId) -> ItemUse:
        """Groups and datasets that use the item. A fixed number of queries."""
        ...

    def linked_in(self, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> Sequence[DataRowId]:
        """The dataset's data rows of these items."""
        ...

    def holders(self, claims: Sequence[bytes]) -> Mapping[bytes, ItemId]:
        """Items that hold claims."""
        ...

    def by_urls(self, caller: Caller, urls: Sequence[str]) -> Mapping[str, Sequence[ItemId]]:
        """Items of integrations that have exactly one of up to 1000 addresses and that the caller may read."""
        ...

    def used_object_keys(self, object_keys: Sequence[str]) -> set[str]:
        """Those of the keys of our own objects that items have."""
        ...

    def iter_ids(self, folder_ids: Sequence[FolderId]) -> Iterator[ItemId]:
        """Ids of all items directly in the folders. Streams."""
        ...


class ItemWrites(ItemReads, Protocol):
    """Writing items."""

    def add_many(self, items: Sequence[NewItem], *, user_id: UserId, now_us: int) -> None:
        """Adds items with metadata (version 1), children and claims; a claim that is taken is left to its holder."""
        ...

    def patch(self, item_id: ItemId, patch: ItemPatch, *, user_id: UserId, now_us: int) -> None:
        """Applies a patch; a replaced metadata text goes to the history."""
        ...

    def patch_many(self, patches: Mapping[ItemId, ItemPatch], *, user_id: UserId, now_us: int) -> None:
        """Applies many patches as `patch` does. A few statements, however many items."""
        ...

    def refresh(self, item_id: ItemId, facts: MediaFacts, seen: ObjectInfo | None, *, now_us: int) -> None:
        """Gives an item the facts of what took the place of its object; name, metadata and history stay."""
        ...

    def set_tombstones(self, item_ids: Sequence[ItemId], *, is_tombstone: bool, now_us: int) -> None:
        """Says of items whether their objects are gone."""
        ...

    def move(self, item_ids: Sequence[ItemId], folder_id: FolderId, now_us: int) -> None: ...

    def relocate(self, places: Mapping[ItemId, Location], *, now_us: int) -> Sequence[ItemId]:
        """Gives up to 1000 items other places; claims of theirs, and of groups that they are in, follow.

        Answers all items whose addresses are others now: the groups, too.
        """
        ...

    def mark_changed(self, item_id: ItemId, changed_at_us: int | None) -> None:
        """Says since when reads find another object than the one that was registered; None: they do not."""
        ...

    def delete(self, item_ids: Sequence[ItemId]) -> Sequence[str]:
        """Deletes items with metadata, history, child links, data rows and memberships.

        Answers the keys of our own objects that nothing uses any more.
        """
        ...

    def unlink(self, row_ids: Sequence[DataRowId]) -> None:
        """Deletes data rows; the items stay."""
        ...

    def unused_frames(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        """Frames and slices that only these items use: no other group and no data row does."""
        ...
