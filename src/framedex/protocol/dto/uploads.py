"""Requests about uploads and upload jobs."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from framedex.core.media_types import ItemType


class UploadSignedUrlsIn(msgspec.Struct, rename="camel", frozen=True):
    item_type: ItemType
    count: int
    frames_subfolder_name: str | None = None


class PresignedUrlsIn(msgspec.Struct, rename="camel", frozen=True):
    count: int
    upload_item_type: ItemType


class UploadJobIn(msgspec.Struct, rename="camel", frozen=True):
    """Either dialect of a manifest, kept as its raw JSON."""

    data_items: msgspec.Raw | UnsetType = UNSET
    external_files: msgspec.Raw | UnsetType = UNSET
    integration_hash: str | None = None
    ignore_errors: bool = False
    file_name: str | None = None


class PollIn(msgspec.Struct, rename="camel", frozen=True):
    timeout_seconds: int = 60
