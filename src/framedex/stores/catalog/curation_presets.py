"""Presets in SQL."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.ids import PresetId
from framedex.core.paging import Page, PageRequest
from framedex.core.presets import WORKSPACE, Preset, PresetPatch, PresetQuery
from framedex.stores.catalog.access_sql import visible_folder_ids
from framedex.stores.catalog.paging_sql import paged
from framedex.stores.catalog.tables import presets

_SELECT = sa.select(
    presets.c.id,
    presets.c.top_level_folder_id,
    presets.c.name,
    presets.c.description,
    presets.c.owner_id,
    presets.c.created_at,
    presets.c.edited_at,
)


class SqlPresets:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def preset(self, preset_id: PresetId) -> Preset | None:
        row = self._connection.execute(_SELECT.where(presets.c.id == preset_id)).one_or_none()
        return None if row is None else Preset(*row)

    def definition(self, preset_id: PresetId) -> str:
        query = sa.select(presets.c.definition).where(presets.c.id == preset_id)
        text: str = self._connection.execute(query).scalar_one()
        return text

    def presets_page(self, caller: Caller, query: PresetQuery, page: PageRequest) -> Page[Preset]:
        folder_id = presets.c.top_level_folder_id
        statement = _SELECT
        if not caller.sees_workspace:
            statement = statement.where(sa.or_(folder_id == WORKSPACE, folder_id.in_(visible_folder_ids(caller))))
        if query.folder_id is not None:
            statement = statement.where(folder_id.in_({WORKSPACE, query.folder_id}))
        if query.ids:
            statement = statement.where(presets.c.id.in_(query.ids))
        wanted = paged(statement, page, presets.c.created_at, presets.c.id)
        rows = [Preset(*row) for row in self._connection.execute(wanted)]
        if len(rows) <= page.limit:
            return Page(rows, None)
        last = rows[page.limit - 1]
        return Page(rows[: page.limit], (last.created_at, last.id))

    def add_preset(self, preset: Preset, definition: str) -> None:
        values = {
            "id": preset.id,
            "top_level_folder_id": preset.folder_id,
            "name": preset.name,
            "description": preset.description,
            "definition": definition,
            "owner_id": preset.owner_id,
            "created_at": preset.created_at,
            "edited_at": preset.edited_at,
        }
        self._connection.execute(sa.insert(presets).values(values))

    def patch_preset(self, preset_id: PresetId, patch: PresetPatch, now_us: int) -> None:
        changes: dict[str, object] = {"edited_at": now_us}
        if patch.name is not None:
            changes["name"] = patch.name
        if patch.description is not None:
            changes["description"] = patch.description
        if patch.definition is not None:
            changes["definition"] = patch.definition
        self._connection.execute(sa.update(presets).where(presets.c.id == preset_id).values(changes))

    def delete_presets(self, preset_ids: Sequence[PresetId]) -> None:
        self._connection.execute(sa.delete(presets).where(presets.c.id.in_(preset_ids)))
