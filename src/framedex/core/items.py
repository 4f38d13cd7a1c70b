"""Storage items: one object (or an ordered set of objects) that someone registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from framedex.core.ids import FolderId, IntegrationId, ItemId, UserId
from framedex.core.media_types import ItemType
from framedex.core.quick import quick_dataclass


@quick_dataclass(frozen=True, slots=True)
class Item:
    """One item as stored.

    Attributes:
        url: the address as registered; our own upload key for uploads; None for groups of items.
        object_key: the key among our own objects when the bytes are ours.
        is_child: registered as a frame or slice of a group.
        metadata: exact JSON text; None when it was not asked for or there is none.
        extra: JSON text of further facts; None when none.
        remote_etag, remote_size: what the object was when the server read it; None when it never did.
        object_changed_at: since when reads find another object than that.
        data_rows: number of data rows that link the item.
        owner: email. Times are microseconds since 1970 UTC; sizes are bytes; `duration` is seconds.
    """

    id: ItemId
    folder_id: FolderId
    item_type: ItemType
    name: str
    owner_id: UserId
    owner: str
    created_at: int
    edited_at: int
    url: str | None
    integration_id: IntegrationId | None
    integration_kind: str | None
    object_key: str | None
    is_tombstone: bool
    is_child: bool
    facts_supplied: bool
    file_size: int | None
    mime_type: str | None
    duration: float | None
    fps: float | None
    width: int | None
    height: int | None
    frame_count: int | None
    pages: int | None
    audio_sample_rate: int | None
    audio_bit_depth: int | None
    audio_codec: str | None
    audio_num_channels: int | None
    dicom_instance_uid: str | None
    dicom_study_uid: str | None
    dicom_series_uid: str | None
    extra: str | None
    timeseries_settings: str | None
    scene: str | None
    scene_view_settings: str | None
    scene_layout: str | None
    group_layout: str | None
    remote_etag: str | None
    remote_size: int | None
    object_changed_at: int | None
    data_rows: int
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Which items of a list.

    Attributes:
        folder_id: None: every folder that the caller may read.
        search: case-insensitive substring of the name.
    """

    folder_id: FolderId | None
    search: str | None = None
    is_recursive: bool = False
    is_in_dataset: bool | None = None
    item_types: Sequence[ItemType] = ()
    with_metadata: bool = True


@dataclass(frozen=True, slots=True)
class ItemPatch:
    """What to change; None leaves a field alone, `RESET` clears it. All but `name` are exact JSON texts."""

    name: str | None = None
    metadata: str | None = None
    timeseries_settings: str | None = None
    scene_view_settings: str | None = None
    scene_layout: str | None = None

    @property
    def is_empty(self) -> bool:
        return all(
            value is None
            for value in (
                self.name,
                self.metadata,
                self.timeseries_settings,
                self.scene_view_settings,
                self.scene_layout,
            )
        )


#: Clears a field of an `ItemPatch` (an explicit null in a request). Not JSON, so that no caller can send it as a value.
RESET = "\x00reset"


@dataclass(frozen=True, slots=True)
class FolderSummary:
    """Counts of a folder's direct contents; `total_size` in bytes."""

    folders: int
    by_type: dict[ItemType, int]
    tombstones: int
    upload_jobs: int
    total_size: int


#: Characters at the end of an address that number it among its neighbours, with the ending: `123.jpeg`.
_TAIL = 8


def claim_digest(folder_id: FolderId, item_type: ItemType, urls: Sequence[str]) -> bytes:
    """20 bytes that two items share exactly when they are duplicates: same folder, kind and ordered addresses."""
    return clustered_digest("\n".join((folder_id, item_type.value, *in_claim_order(item_type, urls))))


def clustered_digest(text: str) -> bytes:
    """20 bytes for a text that ends with an address.

    The first 4 are alike for addresses that differ in their last characters only (`frame-0001.jpg`, `frame-0002.jpg`),
    so that a batch of numbered files touches a few pages of the index instead of one a file.
    """
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data[:-_TAIL], digest_size=4).digest() + blake2b(data, digest_size=16).digest()


def in_claim_order(item_type: ItemType, urls: Sequence[str]) -> Sequence[str]:
    """Addresses in the order in which they are compared: of a DICOM series by themselves, as geometry orders slices."""
    return sorted(urls) if item_type is ItemType.DICOM_SERIES else urls
