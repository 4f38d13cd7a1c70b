"""Data groups (sdk-protocol 2.2)."""

from __future__ import annotations

from framedex.core.ids import FolderId
from framedex.protocol.dto.data_groups import DataGroupIn
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.data_groups import new_data_group


def create_groups(call: Call) -> object:
    """`folder.create_data_group(s)`: answers the bare ids in order."""
    dtos: list[DataGroupIn] = call.body(list[DataGroupIn])
    groups = [new_data_group(dto, path=f"$[{i}]") for i, dto in enumerate(dtos)]
    return call.services.data_groups.create_groups(call.caller, FolderId(call.id("folder")), groups)


ENDPOINTS = (Endpoint("POST", "storage/folders/{folder}/create-group-items", create_groups, creates=True),)
