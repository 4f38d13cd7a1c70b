"""Collections and presets in the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.access import Caller
from framedex.core.collections import Collection, CollectionPatch, CollectionQuery, TitleHolders
from framedex.core.ids import CollectionId, DatasetId, FolderId, ItemId, PresetId
from framedex.core.items import Item
from framedex.core.paging import Page, PageRequest
from framedex.core.presets import Preset, PresetPatch, PresetQuery


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item with its metadata that a filter may choose, and what it is part of as far as the caller may see."""

    item: Item
    dataset_ids: frozenset[DatasetId]
    collection_ids: frozenset[CollectionId]


class CurationReads(Protocol):
    """Reading collections and presets."""

    def collection(self, collection_id: CollectionId) -> Collection | None:
        """The collection, whether or not anyone may see it."""
        ...

    def collections_page(self, caller: Caller, query: CollectionQuery, page: PageRequest) -> Page[Collection]:
        """Collections whose folder the caller may read."""
        ...

    def member_ids(
        self, collection_id: CollectionId, *, after: ItemId | None, limit: int, visible_to: Caller | None = None
    ) -> Sequence[ItemId]:
        """Members behind `after` in the order of their ids; with `visible_to` those that this caller may read."""
        ...

    def title_holders(self, caller: Caller, folder_id: FolderId, titles: Sequence[str]) -> Mapping[str, TitleHolders]:
        """Items below a folder that the caller may read, frames of groups left out, by exact name."""
        ...

    def candidates(self, caller: Caller, folder_id: FolderId) -> Iterator[Candidate]:
        """Items below a folder that the caller may read, frames of groups left out. Streams a few rows at a time."""
        ...

    def preset(self, preset_id: PresetId) -> Preset | None:
        """The preset, whether or not anyone may see it."""
        ...

    def definition(self, preset_id: PresetId) -> str:
        """Exact JSON text of a preset that exists: `{"local_filters": …, "global_filters": …}`."""
        ...

    def presets_page(self, caller: Caller, query: PresetQuery, page: PageRequest) -> Page[Preset]:
        """Presets of the workspace, and of the folders that the caller may read."""
        ...


class CurationWrites(CurationReads, Protocol):
    """Writing collections and presets."""

    def add_collection(self, collection: Collection) -> None: ...

    def patch_collection(self, collection_id: CollectionId, patch: CollectionPatch, now_us: int) -> None: ...

    def delete_collections(self, collection_ids: Sequence[CollectionId]) -> None:
        """Deletes collections with their memberships; items stay."""
        ...

    def add_members(self, collection_id: CollectionId, item_ids: Sequence[ItemId], now_us: int) -> Sequence[ItemId]:
        """Adds up to 1000 items that exist and are no members yet; answers those that it added."""
        ...

    def remove_members(self, collection_id: CollectionId, item_ids: Sequence[ItemId], now_us: int) -> Sequence[ItemId]:
        """Removes up to 1000 items; answers those that were members."""
        ...

    def add_preset(self, preset: Preset, definition: str) -> None: ...

    def patch_preset(self, preset_id: PresetId, patch: PresetPatch, now_us: int) -> None: ...

    def delete_presets(self, preset_ids: Sequence[PresetId]) -> None: ...

    def of_folders(self, folder_ids: Sequence[FolderId]) -> tuple[Sequence[CollectionId], Sequence[PresetId]]:
        """Collections and presets that live in these folders."""
        ...
