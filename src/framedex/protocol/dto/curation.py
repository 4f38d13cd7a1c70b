"""Requests about collections and presets."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from framedex.core.paging import DEFAULT_PAGE_SIZE
from framedex.core.presets import WORKSPACE


class ListCuratedIn(msgspec.Struct, rename="camel", frozen=True):
    top_level_folder_uuid: str | None = None
    uuids: list[str] = []
    page_token: str | None = None
    page_size: int = DEFAULT_PAGE_SIZE


class CollectionPlaceIn(msgspec.Struct, rename="camel", frozen=True):
    top_level_folder_uuid: str | None = None


class PresetPlaceIn(msgspec.Struct, rename="camel", frozen=True):
    """The SDK always sends the all-zero UUID."""

    top_level_folder_uuid: str = WORKSPACE


class CreateCollectionIn(msgspec.Struct, rename="camel", frozen=True):
    name: str
    description: str | None = None


class PatchCollectionIn(msgspec.Struct, rename="camel", frozen=True):
    name: str | None = None
    description: str | None = None


class CollectionItemsIn(msgspec.Struct, rename="camel", frozen=True):
    include_client_metadata: bool | None = None
    page_token: str | None = None
    page_size: int = DEFAULT_PAGE_SIZE


class ItemUuidsIn(msgspec.Struct, rename="camel", frozen=True):
    item_uuids: list[str]


class DataTitlesIn(msgspec.Struct, rename="camel", frozen=True):
    data_titles: list[str]


class PresetUuidIn(msgspec.Struct, rename="camel", frozen=True):
    preset_uuid: str


class CreatePresetIn(msgspec.Struct, rename="camel", frozen=True):
    """Created with `filterPresetJson`, patched with `filterPreset`, read bare."""

    name: str
    filter_preset_json: msgspec.Raw
    description: str | None = None


class PatchPresetIn(msgspec.Struct, rename="camel", frozen=True):
    name: str | None = None
    description: str | None = None
    filter_preset: msgspec.Raw | UnsetType = UNSET


class PresetDefinitionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Snake_case: the SDK reads camelCase as an empty preset."""

    local_filters: msgspec.Raw | UnsetType = UNSET
    global_filters: msgspec.Raw | UnsetType = UNSET
