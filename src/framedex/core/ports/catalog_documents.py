"""What the index is made of: items as documents, and what a caller may see of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framedex.core.access import Caller
from framedex.core.ids import CollectionId, DataRowId, DatasetId, FolderId, ItemId
from framedex.core.media_types import ItemType
from framedex.core.ports.index import Visibility
from framedex.core.quick import quick_dataclass


@quick_dataclass(frozen=True, slots=True)
class Document:
    """An item with everything that is indexed of it.

    Attributes:
        facts: values of built-in fields, by name without `$`; what is not known is None.
        metadata: exact JSON text, None when there is none.
        rows: data rows that link it, with their datasets.
        children: of a group, the ids of its children in order, with the metadata of those in the group's own folder.
        frame_table: packed, of a video that has one.
    """

    id: ItemId
    folder_id: FolderId
    item_type: ItemType
    is_child: bool
    facts: Mapping[str, object]
    metadata: str | None
    rows: Sequence[tuple[DataRowId, DatasetId]]
    collections: Sequence[CollectionId]
    parents: Sequence[ItemId]
    children: Sequence[tuple[ItemId, str | None]]
    frame_table: bytes | None


class DocumentReads(Protocol):
    """Reading for the index. A fixed number of queries each, however many ids."""

    def documents(self, item_ids: Sequence[ItemId]) -> Sequence[Document]:
        """Items as documents, at most 1000; those that are gone are left out."""
        ...

    def ids_after(self, item_id: ItemId | None, limit: int) -> Sequence[ItemId]:
        """Ids of items of the workspace behind one, in order."""
        ...

    def linked_items(self, row_ids: Sequence[DataRowId]) -> Sequence[ItemId]:
        """Items that these data rows link; rows that are gone are left out."""
        ...

    def parents(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        """Groups that have one of these items as a child."""
        ...

    def visibility(self, caller: Caller) -> Visibility:
        """What the caller may see: the rule of `core.access` as lists."""
        ...

    def folders_at(self, caller: Caller, path: Sequence[str]) -> Sequence[FolderId]:
        """Folders that the caller may see, by the names from one without a visible parent down to them."""
        ...

    def below(self, folder_ids: Sequence[FolderId]) -> Sequence[FolderId]:
        """Folders with all below them; those that do not exist are left out."""
        ...
