"""Upload places: object keys with the item ids reserved for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.ids import FolderId, ItemId, UserId
from framedex.core.media_types import ItemType


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where one file may be put. `folder_id` is None on the dataset route, where the folder is named later."""

    item_id: ItemId
    object_key: str
    user_id: UserId
    folder_id: FolderId | None
    item_type: ItemType
    created_at: int
    is_registered: bool = False


class UploadReads(Protocol):
    """Reading upload places."""

    def by_keys(self, object_keys: Sequence[str]) -> Mapping[str, UploadPlace]: ...

    def by_placeholders(self, item_ids: Sequence[ItemId]) -> Mapping[ItemId, UploadPlace]: ...

    def older_than(self, instant_us: int, limit: int) -> Sequence[UploadPlace]:
        """Places that no item uses, oldest first."""
        ...


class UploadWrites(UploadReads, Protocol):
    """Writing upload places."""

    def add_many(self, places: Sequence[UploadPlace]) -> None: ...

    def close(self, object_keys: Sequence[str]) -> None:
        """Marks places as registered: nothing more may be put there."""
        ...

    def reopen(self, places: Sequence[UploadPlace]) -> None:
        """Writes places again whose items were deleted: what was put there may be registered, or ends by its age."""
        ...

    def delete(self, object_keys: Sequence[str]) -> None: ...
