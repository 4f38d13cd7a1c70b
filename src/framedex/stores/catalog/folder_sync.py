"""What synced folders know of the objects of their buckets, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.chunks import chunks
from framedex.core.ids import FolderId
from framedex.core.ports.catalog_sync import DueSidecar, SyncedObject
from framedex.stores.catalog.driver_sql import run, run_many
from framedex.stores.catalog.tables import folders, synced_objects

_COLUMNS = "key, etag, size, item_id, is_gone, media_key, given_version"

_PUT = """
INSERT INTO synced_objects (folder_id, key, etag, size, item_id, is_gone, media_key) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (folder_id, key) DO UPDATE SET etag = excluded.etag, size = excluded.size, is_gone = excluded.is_gone,
    media_key = excluded.media_key, item_id = excluded.item_id, given_etag = NULL, given_size = NULL,
    given_version = NULL
"""
#: Of a sidecar that was one already: what it gave stays known, and so whether it has to be given again.
_PUT_SIDECAR = """
INSERT INTO synced_objects (folder_id, key, etag, size, item_id, is_gone, media_key) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (folder_id, key) DO UPDATE SET etag = excluded.etag, size = excluded.size, is_gone = excluded.is_gone,
    media_key = excluded.media_key,
    item_id = CASE WHEN synced_objects.media_key IS NULL THEN NULL ELSE synced_objects.item_id END
"""
_GIVEN = """
UPDATE synced_objects SET item_id = ?, given_etag = ?, given_size = ?, given_version = ? WHERE folder_id = ? AND key = ?
"""
_DUE = """
SELECT sidecar.key, sidecar.etag, sidecar.size, media.item_id FROM synced_objects AS sidecar
JOIN synced_objects AS media ON media.folder_id = sidecar.folder_id AND media.key = sidecar.media_key
WHERE sidecar.folder_id = ? AND sidecar.media_key IS NOT NULL AND sidecar.key > ?
  AND media.media_key IS NULL AND media.item_id IS NOT NULL AND NOT media.is_gone
  AND (sidecar.item_id IS NULL OR sidecar.item_id != media.item_id
    OR sidecar.given_size IS NULL OR sidecar.given_size != sidecar.size
    OR coalesce(sidecar.given_etag, '') != coalesce(sidecar.etag, ''))
ORDER BY sidecar.key LIMIT ?
"""


class SqlSyncs:
    """The `SyncWrites` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def between(self, folder_id: FolderId, after: str | None, last: str | None) -> Mapping[str, SyncedObject]:
        # No key is empty.
        until, values = ("", ()) if last is None else (" AND key <= ?", (last,))
        query = f"SELECT {_COLUMNS} FROM synced_objects WHERE folder_id = ? AND key > ?{until} ORDER BY key"
        found = run(self._connection, query, (folder_id, after or "", *values))
        return {row[0]: _object(row) for row in found}

    def get(self, folder_id: FolderId, key: str) -> SyncedObject | None:
        query = f"SELECT {_COLUMNS} FROM synced_objects WHERE folder_id = ? AND key = ?"
        row = run(self._connection, query, (folder_id, key)).one_or_none()
        return None if row is None else _object(row)

    def due_sidecars(self, folder_id: FolderId, after: str | None, limit: int) -> Sequence[DueSidecar]:
        return [DueSidecar(*row) for row in run(self._connection, _DUE, (folder_id, after or "", limit))]

    def put(self, folder_id: FolderId, objects: Sequence[SyncedObject]) -> None:
        rows: dict[bool, list[tuple[object, ...]]] = {False: [], True: []}
        for o in objects:
            rows[o.is_sidecar].append((folder_id, o.key, o.etag, o.size, o.item_id, o.is_gone, o.media_key))
        run_many(self._connection, _PUT, rows[False])
        run_many(self._connection, _PUT_SIDECAR, rows[True])

    def given(self, folder_id: FolderId, sidecar: DueSidecar, version: int) -> None:
        values = (sidecar.item_id, sidecar.etag, sidecar.size, version, folder_id, sidecar.key)
        run(self._connection, _GIVEN, values)

    def set_gone(self, folder_id: FolderId, keys: Sequence[str], *, is_gone: bool) -> None:
        for part in chunks(keys):
            self._connection.execute(sa.update(synced_objects).where(_named(folder_id, part)).values(is_gone=is_gone))

    def forget(self, folder_id: FolderId, keys: Sequence[str]) -> None:
        for part in chunks(keys):
            self._connection.execute(sa.delete(synced_objects).where(_named(folder_id, part)))

    def lock(self, folder_id: FolderId) -> None:
        self._connection.execute(sa.select(folders.c.id).where(folders.c.id == folder_id).with_for_update())


def _object(row: Sequence[Any]) -> SyncedObject:
    return SyncedObject(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6])


def _named(folder_id: FolderId, keys: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(synced_objects.c.folder_id == folder_id, synced_objects.c.key.in_(keys))
