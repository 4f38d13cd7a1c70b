"""Requests about folders and items."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from framedex.core.media_types import ItemType
from framedex.core.paging import DEFAULT_PAGE_SIZE, SortBy


class ListFoldersIn(msgspec.Struct, rename="camel", frozen=True):
    search: str | None = None
    is_recursive: bool = False
    dataset_synced: bool | None = None
    include_org_access: bool | None = None
    organisation_tag_names_allof: list[str] = []
    order: SortBy = SortBy.NAME
    desc: bool = False
    page_token: str | None = None
    page_size: int = DEFAULT_PAGE_SIZE


class ListItemsIn(msgspec.Struct, rename="camel", frozen=True):
    search: str | None = None
    is_recursive: bool = False
    is_in_dataset: bool | None = None
    item_types: list[ItemType] = []
    include_org_access: bool | None = None
    order: SortBy = SortBy.NAME
    desc: bool = False
    page_token: str | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    sign_urls: bool = False
    include_client_metadata: bool | None = None
    client_metadata_as_signed_url: bool | None = None


class CloudSyncedFolderIn(msgspec.Struct, rename="camel", frozen=True):
    integration_uuid: str
    remote_url: str


class CreateFolderIn(msgspec.Struct, rename="camel", frozen=True):
    """`client_metadata` is a JSON *string* here, and an object in patches."""

    name: str
    description: str | None = None
    parent: str | None = None
    client_metadata: str | None = None
    cloud_synced_folder_params: CloudSyncedFolderIn | None = None


class PatchFolderIn(msgspec.Struct, rename="camel", frozen=True):
    name: str | None = None
    description: str | None = None
    client_metadata: msgspec.Raw | UnsetType = UNSET


class PatchFoldersBulkIn(msgspec.Struct, rename="camel", frozen=True):
    folder_patches: dict[str, PatchFolderIn]


class MoveFoldersIn(msgspec.Struct, rename="camel", frozen=True):
    """No `new_parent_uuid` means: to the top level."""

    folder_uuids: list[str]
    new_parent_uuid: str | None = None


class FolderGroupsIn(msgspec.Struct, rename="camel", frozen=True):
    group_hash_list: list[str]
    user_role: str


class GroupHashesIn(msgspec.Struct, rename="camel", frozen=True):
    group_hash_list: list[str] = []


class GetItemIn(msgspec.Struct, rename="camel", frozen=True):
    sign_url: bool = False


class ChildItemsIn(msgspec.Struct, rename="camel", frozen=True):
    sign_urls: bool = False


class GetItemsBulkIn(msgspec.Struct, rename="camel", frozen=True):
    item_uuids: list[str]
    sign_urls: bool = False


class PatchItemIn(msgspec.Struct, rename="camel", frozen=True):
    """An explicit null of the last three resets; absence leaves alone."""

    name: str | None = None
    description: str | None = None
    client_metadata: msgspec.Raw | UnsetType = UNSET
    timeseries_settings: msgspec.Raw | UnsetType = UNSET
    scene_view_settings: msgspec.Raw | UnsetType = UNSET
    scene_layout: msgspec.Raw | UnsetType = UNSET


class PatchItemsBulkIn(msgspec.Struct, rename="camel", frozen=True):
    item_patches: dict[str, PatchItemIn]


class MoveItemsIn(msgspec.Struct, rename="camel", frozen=True):
    item_uuids: list[str]
    new_parent_uuid: str
    allow_synced_dataset_move: bool = False


class DeleteItemsIn(msgspec.Struct, rename="camel", frozen=True):
    child_uuids: list[str]
    remove_unused_frames: bool = True


class ReencodeIn(msgspec.Struct, rename="camel", frozen=True):
    storage_items: list[str]
    process_title: str
    force_full_reencoding: bool = False


class MigrateStorageIn(msgspec.Struct, rename="camel", frozen=True):
    """A null in a map keeps the item's address; no `to_integration_hash` keeps its integration."""

    urls_map: dict[str, str | None] | None = None
    items_map: dict[str, str | None] | None = None
    from_integration_hash: str | None = None
    to_integration_hash: str | None = None
    validate_access: bool = False
    skip_missing: bool = False
