"""Payloads of v1 queries about datasets: snake_case, but for the one that registers data."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class AccessSettingsIn(msgspec.Struct, frozen=True):
    fetch_client_metadata: bool = False
    fetch_rows: bool = True


class GetDatasetIn(msgspec.Struct, frozen=True):
    dataset_access_settings: AccessSettingsIn = AccessSettingsIn()


class ListDataRowsIn(msgspec.Struct, frozen=True):
    title_eq: str | None = None
    title_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    data_types: list[str] | None = None
    data_hashes: list[str] | None = None
    dataset_access_settings: AccessSettingsIn = AccessSettingsIn()


class ImagesDataIn(msgspec.Struct, frozen=True):
    fetch_signed_urls: bool = False


class AdditionalDataIn(msgspec.Struct, frozen=True):
    signed_url: bool = False
    images_data_fetch_options: ImagesDataIn | None = None
    client_metadata: bool = False


class GetDataRowIn(msgspec.Struct, frozen=True):
    additional_data: AdditionalDataIn = AdditionalDataIn()


class SaveDataRowIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SDK refuses an answer that does not name exactly the fields sent, so others cannot be passed over."""

    client_metadata: msgspec.Raw | UnsetType = UNSET
    data_title: str | UnsetType = UNSET


class LinkItemsIn(msgspec.Struct, frozen=True):
    item_uuids: list[str]
    duplicates_behavior: str = "SKIP"


class TitleIn(msgspec.Struct, frozen=True):
    """One change of `dataset.update_data_item`, whatever kind the data is."""

    video_hash: str
    title: str


class DatasetUsersIn(msgspec.Struct, frozen=True):
    user_emails: list[str]
    user_role: int


class DatasetUploadIn(msgspec.Struct, rename="camel", frozen=True):
    """Either dialect of a manifest, kept as its raw JSON."""

    data_items: msgspec.Raw | UnsetType = UNSET
    files: msgspec.Raw | UnsetType = UNSET
    integration_id: str | None = None
    ignore_errors: bool = False
    folder_uuid: str | None = None
    file_name: str | None = None


class PollDatasetUploadIn(msgspec.Struct, frozen=True):
    process_hash: str
    timeout_seconds: float = 0


class ReencodeRowsIn(msgspec.Struct, frozen=True):
    data_hash: list[str]
