"""Upload places in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.stores.catalog.tables import uploads

_COLUMNS = (
    uploads.c.item_id,
    uploads.c.object_key,
    uploads.c.user_id,
    uploads.c.folder_id,
    uploads.c.item_type,
    uploads.c.created_at,
    uploads.c.is_registered,
)


class SqlUploads:
    """The `UploadWrites` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def by_keys(self, object_keys: Sequence[str]) -> Mapping[str, UploadPlace]:
        return {p.object_key: p for p in self._places(uploads.c.object_key.in_(object_keys))}

    def by_placeholders(self, item_ids: Sequence[ItemId]) -> Mapping[ItemId, UploadPlace]:
        return {p.item_id: p for p in self._places(uploads.c.item_id.in_(item_ids))}

    def older_than(self, instant_us: int, limit: int) -> Sequence[UploadPlace]:
        old = sa.and_(uploads.c.created_at < instant_us, uploads.c.is_registered.is_(False))
        query = sa.select(*_COLUMNS).where(old).order_by(uploads.c.created_at).limit(limit)
        return [_place(row) for row in self._connection.execute(query)]

    def _places(self, condition: sa.ColumnElement[bool]) -> list[UploadPlace]:
        return [_place(row) for row in self._connection.execute(sa.select(*_COLUMNS).where(condition))]

    def add_many(self, places: Sequence[UploadPlace]) -> None:
        rows = [
            {
                "item_id": p.item_id,
                "object_key": p.object_key,
                "user_id": p.user_id,
                "folder_id": p.folder_id,
                "item_type": p.item_type.value,
                "created_at": p.created_at,
                "is_registered": p.is_registered,
            }
            for p in places
        ]
        if rows:
            self._connection.execute(sa.insert(uploads), rows)

    def close(self, object_keys: Sequence[str]) -> None:
        named = uploads.c.object_key.in_(object_keys)
        self._connection.execute(sa.update(uploads).where(named).values(is_registered=True))

    def reopen(self, places: Sequence[UploadPlace]) -> None:
        self.delete([place.object_key for place in places])
        self.add_many([replace(place, is_registered=False) for place in places])

    def delete(self, object_keys: Sequence[str]) -> None:
        self._connection.execute(sa.delete(uploads).where(uploads.c.object_key.in_(object_keys)))


def _place(row: Sequence[Any]) -> UploadPlace:
    return UploadPlace(row[0], row[1], row[2], row[3], ItemType(row[4]), row[5], row[6])
