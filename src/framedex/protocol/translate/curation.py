"""Collections and presets on the wire."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from framedex.core.clock import to_iso
from framedex.core.collections import Collection, CollectionPatch
from framedex.core.errors import InvalidArguments
from framedex.core.items import Item
from framedex.core.metadata.raw import check_metadata
from framedex.core.presets import Preset, PresetPatch
from framedex.protocol.dto.curation import PatchCollectionIn, PatchPresetIn, PresetDefinitionIn
from framedex.protocol.translate.items import ItemWriter
from framedex.services.collections import TitlesAdded


def collection_out(collection: Collection) -> dict[str, object]:
    """`Collection`."""
    return {
        "uuid": collection.id,
        "topLevelFolderUuid": collection.folder_id,
        "name": collection.name,
        "description": collection.description,
        "createdAt": to_iso(collection.created_at),
        "lastEditedAt": to_iso(collection.edited_at),
    }


def collection_patch(dto: PatchCollectionIn) -> CollectionPatch:
    """What an `UpdateCollectionPayload` changes."""
    return CollectionPatch(dto.name, dto.description)


def member_out(writer: ItemWriter, member: Item | str) -> dict[str, object]:
    """`StorageItem`, or `StorageItemInaccessible` for the bare id of an item that the caller may not read."""
    return {"uuid": member} if isinstance(member, str) else writer.out(member)


def titles_out(outcome: TitlesAdded) -> dict[str, object]:
    """`CollectionDataTitleResponse`. Nothing that matched can fail: titles match only what the caller may add."""
    return {
        "requested": outcome.requested,
        "matchedTitles": len(outcome.matches.found),
        "itemsAdded": outcome.added,
        "ambiguousTitles": list(outcome.matches.ambiguous),
        "unmatchedTitles": list(outcome.matches.unmatched),
        "failedItems": [],
    }


def preset_out(preset: Preset) -> dict[str, object]:
    """`FilterPreset`."""
    return {
        "uuid": preset.id,
        "name": preset.name,
        "description": preset.description,
        "createdAt": to_iso(preset.created_at),
        "lastUpdatedAt": to_iso(preset.edited_at),
    }


def preset_patch(dto: PatchPresetIn) -> PresetPatch:
    """What an `IndexUpdatePresetPayload` changes."""
    raw = dto.filter_preset
    if isinstance(raw, UnsetType) or bytes(raw) == b"null":
        return PresetPatch(dto.name, dto.description, None)
    return PresetPatch(dto.name, dto.description, definition_text(raw, path="$.filterPreset"))


def definition_text(raw: msgspec.Raw, *, path: str) -> str:
    """Exact text of a definition; a part of the two that was not sent is added empty.

    Raises:
        InvalidArguments: not an object, or with other keys than `local_filters` and `global_filters`.
    """
    text = check_metadata(raw, path=path)
    try:
        parts = msgspec.json.decode(text, type=PresetDefinitionIn)
    except msgspec.ValidationError as error:
        raise InvalidArguments(
            f"a preset has the keys local_filters and global_filters, in this spelling, and no other: {error}",
            path=path,
        ) from None
    if isinstance(parts.local_filters, UnsetType):
        return f'{{"local_filters":{{}},"global_filters":{_part(parts.global_filters)}}}'
    if isinstance(parts.global_filters, UnsetType):
        return f'{{"local_filters":{_part(parts.local_filters)},"global_filters":{_part(UNSET)}}}'
    return text


def _part(raw: msgspec.Raw | UnsetType) -> str:
    return '{"filters":[]}' if isinstance(raw, UnsetType) else bytes(raw).decode()
