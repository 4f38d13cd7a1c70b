"""Presets: save, list, edit, and what one finds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from framedex.core.access import Action, Caller
from framedex.core.clock import now_us
from framedex.core.collections import check_description, first_facts
from framedex.core.filters import evaluate, translate_preset
from framedex.core.folders import check_name
from framedex.core.ids import FolderId, ItemId, PresetId, new_id
from framedex.core.paging import Page, PageRequest
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.presets import WORKSPACE, Preset, PresetPatch, PresetQuery, check_definition, require_preset
from framedex.services.folders import require_folder, require_top_level
from framedex.services.item_views import ItemViews


class PresetService:
    """Use cases of presets."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create(
        self, caller: Caller, *, name: str, description: str, definition: str, folder_id: FolderId = WORKSPACE
    ) -> PresetId:
        """Saves a filter, for the workspace or in a top-level folder (which needs USER there).

        Args:
            definition: exact JSON text, stored as it is.

        Raises:
            InvalidArguments: a filter that nobody could apply, with the reason.
        """
        preset = Preset(PresetId(new_id()), *first_facts(folder_id, name, description, caller.user_id))
        _check(definition, "$.filterPresetJson")
        with self._catalog.write() as unit:
            if folder_id != WORKSPACE:
                require_top_level(unit, Action.WRITE, caller, folder_id)
            unit.curation.add_preset(preset, definition)
            _record(unit, caller, "preset.create", Op.CREATE, preset.id)
        return preset.id

    def list_presets(self, caller: Caller, query: PresetQuery, page: PageRequest) -> Page[Preset]:
        """A page of the workspace's presets and of those in folders that the caller may read, oldest first."""
        with self._catalog.read() as unit:
            if query.folder_id is not None and query.folder_id != WORKSPACE:
                require_folder(unit, Action.READ, caller, query.folder_id)
            return unit.curation.presets_page(caller, query, page)

    def definition(self, caller: Caller, preset_id: PresetId) -> str:
        """Exact JSON text of a preset."""
        with self._catalog.read() as unit:
            _require(unit, Action.READ, caller, preset_id)
            return unit.curation.definition(preset_id)

    def update(self, caller: Caller, preset_id: PresetId, patch: PresetPatch) -> None:
        """Renames, describes or replaces the definition."""
        if patch.name is not None:
            check_name(patch.name)
        if patch.description is not None:
            check_description(patch.description)
        if patch.definition is not None:
            _check(patch.definition, "$.filterPreset")
        with self._catalog.write() as unit:
            _require(unit, Action.WRITE, caller, preset_id)
            unit.curation.patch_preset(preset_id, patch, now_us())
            _record(unit, caller, "preset.update", Op.UPDATE, preset_id)

    def delete(self, caller: Caller, preset_id: PresetId) -> None:
        """Deletes a preset; collections that it filled keep what they have."""
        with self._catalog.write(frees=True) as unit:
            _require(unit, Action.WRITE, caller, preset_id)
            unit.curation.delete_presets([preset_id])
            _record(unit, caller, "preset.delete", Op.DELETE, preset_id)

    def matching(self, unit: ReadUnit, caller: Caller, preset_id: PresetId, folder_id: FolderId) -> Iterator[ItemId]:
        """Items below a folder that the caller may read and the preset finds; frames of groups are left out.

        Streams: a few items are held at once, however many there are.

        Raises:
            NotPermitted: the preset is not the caller's to use.
        """
        _require(unit, Action.READ, caller, preset_id)
        node = translate_preset(json.loads(unit.curation.definition(preset_id)))
        views = ItemViews(unit, caller)
        return (c.item.id for c in unit.curation.candidates(caller, folder_id) if evaluate(node, views.view(c)))


def _require(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, preset_id: PresetId) -> Preset:
    preset = unit.curation.preset(preset_id)
    is_in_folder = preset is not None and not preset.is_of_workspace
    standing = unit.folders.standing(caller, preset.folder_id) if preset is not None and is_in_folder else None
    return require_preset(action, caller, preset, standing)


def _check(definition: str, path: str) -> None:
    translate_preset(json.loads(check_definition(definition, path=path)))


def _record(unit: WriteUnit, caller: Caller, action: str, op: Op, preset_id: PresetId) -> None:
    unit.log(Entity.PRESET, op, [preset_id])
    unit.audit(caller.user_id, action, Entity.PRESET, [preset_id])
