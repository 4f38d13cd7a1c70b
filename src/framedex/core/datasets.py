"""Datasets: lists of links to items, which others may be given without a right to the folders of the items.

A data row is a link: title, facts and metadata are those of its item, and an item may be linked more than once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from framedex.core.access import Role
from framedex.core.ids import DataRowId, DatasetId, FolderId, ItemId, UserId
from framedex.core.items import clustered_digest, in_claim_order
from framedex.core.media_types import ItemType


class DuplicatesBehavior(StrEnum):
    """What becomes of an item that the dataset links already, or that one request names twice."""

    DUPLICATE = "DUPLICATE"
    FAIL = "FAIL"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset as a caller sees it.

    Attributes:
        backing_folder_id: the mirror folder: what is registered there is linked here. None without one.
        role: the caller's own; None when only `includeOrgAccess` shows it.
        created_at: microseconds since 1970 UTC, as all instants.
        edited_at: when rows were last added or removed.
    """

    id: DatasetId
    title: str
    description: str
    backing_folder_id: FolderId | None
    created_at: int
    edited_at: int
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class NewDataset:
    id: DatasetId
    title: str
    description: str
    owner_id: UserId
    created_at: int
    backing_folder_id: FolderId | None = None


@dataclass(frozen=True, slots=True)
class DatasetQuery:
    """Which datasets of a list.

    Attributes:
        title_like: pattern of SQL LIKE, with the backslash as its escape; case-sensitive, as `description_like`.
        created_before: exclusive, as all instants here.
    """

    title_eq: str | None = None
    title_like: str | None = None
    description_eq: str | None = None
    description_like: str | None = None
    created_before: int | None = None
    created_after: int | None = None
    edited_before: int | None = None
    edited_after: int | None = None


@dataclass(frozen=True, slots=True)
class DataRow:
    """One link of a dataset with what lists show of its item.

    Attributes:
        id: the SDK's `data_hash`.
        title: the item's name.
        created_at: when it was linked.
        edited_at: when the item was last edited, but not before it was linked.
        url: as registered, or the key among our own objects; None for groups of items.
        metadata: exact JSON text; None when it was not asked for or there is none.
    """

    id: DataRowId
    item_id: ItemId
    title: str
    item_type: ItemType
    created_at: int
    edited_at: int
    url: str | None
    integration_kind: str | None
    file_size: int | None
    mime_type: str | None
    width: int | None
    height: int | None
    fps: float | None
    duration: float | None
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class DataRowQuery:
    """Which rows of one dataset; bounds of instants are exclusive, `ids` of None means all."""

    title_eq: str | None = None
    title_like: str | None = None
    created_before: int | None = None
    created_after: int | None = None
    item_types: Collection[ItemType] | None = None
    ids: Sequence[DataRowId] | None = None


def url_digest(item_type: ItemType, urls: Sequence[str]) -> bytes:
    """20 bytes that two items share exactly when kind and addresses are the same, wherever the items live."""
    return clustered_digest("\n".join((item_type.value, *in_claim_order(item_type, urls))))
