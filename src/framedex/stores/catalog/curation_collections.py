"""Collections in SQL, without their members."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.collections import Collection, CollectionPatch, CollectionQuery
from framedex.core.ids import CollectionId
from framedex.core.paging import Page, PageRequest
from framedex.stores.catalog.access_sql import visible_folder_ids
from framedex.stores.catalog.paging_sql import paged
from framedex.stores.catalog.tables import collection_items, collections

_SELECT = sa.select(
    collections.c.id,
    collections.c.top_level_folder_id,
    collections.c.name,
    collections.c.description,
    collections.c.owner_id,
    collections.c.created_at,
    collections.c.edited_at,
)


class SqlCollections:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def collection(self, collection_id: CollectionId) -> Collection | None:
        row = self._connection.execute(_SELECT.where(collections.c.id == collection_id)).one_or_none()
        return None if row is None else Collection(*row)

    def collections_page(self, caller: Caller, query: CollectionQuery, page: PageRequest) -> Page[Collection]:
        statement = _SELECT
        if not caller.sees_workspace:
            statement = statement.where(collections.c.top_level_folder_id.in_(visible_folder_ids(caller)))
        if query.folder_id is not None:
            statement = statement.where(collections.c.top_level_folder_id == query.folder_id)
        if query.ids:
            statement = statement.where(collections.c.id.in_(query.ids))
        wanted = paged(statement, page, collections.c.created_at, collections.c.id)
        rows = [Collection(*row) for row in self._connection.execute(wanted)]
        if len(rows) <= page.limit:
            return Page(rows, None)
        last = rows[page.limit - 1]
        return Page(rows[: page.limit], (last.created_at, last.id))

    def add_collection(self, collection: Collection) -> None:
        values = {
            "id": collection.id,
            "top_level_folder_id": collection.folder_id,
            "name": collection.name,
            "description": collection.description,
            "owner_id": collection.owner_id,
            "created_at": collection.created_at,
            "edited_at": collection.edited_at,
        }
        self._connection.execute(sa.insert(collections).values(values))

    def patch_collection(self, collection_id: CollectionId, patch: CollectionPatch, now_us: int) -> None:
        changes: dict[str, object] = {"edited_at": now_us}
        if patch.name is not None:
            changes["name"] = patch.name
        if patch.description is not None:
            changes["description"] = patch.description
        self._connection.execute(sa.update(collections).where(collections.c.id == collection_id).values(changes))

    def delete_collections(self, collection_ids: Sequence[CollectionId]) -> None:
        for column in (collection_items.c.collection_id, collections.c.id):
            self._connection.execute(sa.delete(column.table).where(column.in_(collection_ids)))
