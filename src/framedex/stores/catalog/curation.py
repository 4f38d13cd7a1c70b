"""Curation in SQL: collections with their members, and presets."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from framedex.core.ids import CollectionId, FolderId, PresetId
from framedex.stores.catalog.curation_collections import SqlCollections
from framedex.stores.catalog.curation_members import SqlMembers
from framedex.stores.catalog.curation_presets import SqlPresets
from framedex.stores.catalog.tables import collections, presets


class SqlCuration(SqlCollections, SqlMembers, SqlPresets):
    """The `CurationWrites` port."""

    def of_folders(self, folder_ids: Sequence[FolderId]) -> tuple[Sequence[CollectionId], Sequence[PresetId]]:
        held = sa.select(collections.c.id).where(collections.c.top_level_folder_id.in_(folder_ids))
        saved = sa.select(presets.c.id).where(presets.c.top_level_folder_id.in_(folder_ids))
        return (
            [CollectionId(row[0]) for row in self._connection.execute(held)],
            [PresetId(row[0]) for row in self._connection.execute(saved)],
        )
