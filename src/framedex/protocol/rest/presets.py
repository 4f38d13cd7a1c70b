"""Filter presets (sdk-protocol 2.7 and 6)."""

from __future__ import annotations

import msgspec

from framedex.core.ids import FolderId, PresetId, parse_id
from framedex.core.paging import SortBy
from framedex.core.presets import PresetQuery
from framedex.protocol.dto.curation import CreatePresetIn, ListCuratedIn, PatchPresetIn, PresetPlaceIn
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.curation import definition_text, preset_out, preset_patch
from framedex.protocol.translate.paging import page

_PLACE = "topLevelFolderUuid"


def list_presets(call: Call) -> object:
    """`user_client.get_filter_preset(s)`, `user_client.list_presets`: oldest first; absent ids are left out."""
    dto = call.query(ListCuratedIn)
    folder = dto.top_level_folder_uuid
    query = PresetQuery(
        folder_id=None if folder is None else FolderId(parse_id(folder, path=_PLACE)),
        ids=[PresetId(parse_id(text, path="uuids")) for text in dto.uuids],
    )
    same = ("presets", query.folder_id, tuple(query.ids))
    wanted = call.cursors.page(
        dto.page_token, size=dto.page_size, sort_by=SortBy.CREATED_AT, descending=False, query=same
    )
    found = call.services.presets.list_presets(call.caller, query, wanted)
    return page([preset_out(p) for p in found.rows], call.cursors.token(wanted, found.after, same))


def create_preset(call: Call) -> object:
    """`user_client.create_preset`: answers the bare id."""
    dto = call.body(CreatePresetIn)
    folder = call.query(PresetPlaceIn).top_level_folder_uuid
    return call.services.presets.create(
        call.caller,
        name=dto.name,
        description=dto.description or "",
        definition=definition_text(dto.filter_preset_json, path="$.filterPresetJson"),
        folder_id=FolderId(parse_id(folder, path=_PLACE)),
    )


def get_preset(call: Call) -> object:
    """`preset.get_filter_preset_json`: the definition alone, as it was sent."""
    return msgspec.Raw(call.services.presets.definition(call.caller, _id(call)).encode())


def patch_preset(call: Call) -> object:
    """`preset.update_preset`."""
    call.services.presets.update(call.caller, _id(call), preset_patch(call.body(PatchPresetIn)))
    return None


def delete_preset(call: Call) -> object:
    """`user_client.delete_preset`."""
    call.services.presets.delete(call.caller, _id(call))
    return None


def _id(call: Call) -> PresetId:
    return PresetId(call.id("preset"))


ENDPOINTS = (
    Endpoint("GET", "index/presets", list_presets),
    Endpoint("POST", "index/presets", create_preset, creates=True),
    Endpoint("GET", "index/presets/{preset}", get_preset),
    Endpoint("PATCH", "index/presets/{preset}", patch_preset),
    Endpoint("DELETE", "index/presets/{preset}", delete_preset),
)
