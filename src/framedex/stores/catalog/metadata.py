"""Metadata history, schema versions, vectors and quarantine in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.ids import ItemId
from framedex.core.ports.catalog_metadata import MetadataVersion, Misfit, QuarantineCount, SchemaVersion, Vector
from framedex.stores.catalog.access_sql import item_is_visible
from framedex.stores.catalog.tables import (
    item_metadata,
    item_metadata_history,
    item_vectors,
    items,
    quarantine,
    schema_versions,
    users,
)


class SqlMetadataReads:
    """The `MetadataReads` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def texts(self, item_ids: Sequence[ItemId]) -> dict[ItemId, str]:
        query = sa.select(item_metadata.c.item_id, item_metadata.c.text).where(item_metadata.c.item_id.in_(item_ids))
        return {ItemId(row[0]): row[1] for row in self._connection.execute(query)}

    def history(self, item_id: ItemId) -> Sequence[MetadataVersion]:
        rows = self._connection.execute(sa.union_all(*_versions_of(item_id))).all()
        return sorted((MetadataVersion(*row) for row in rows), key=lambda v: v.version, reverse=True)

    def history_page(self, item_id: ItemId, *, before: int | None, limit: int) -> Sequence[MetadataVersion]:
        kept = sa.union_all(*_versions_of(item_id)).subquery()
        query = sa.select(kept).order_by(kept.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(kept.c.version < before)
        return [MetadataVersion(*row) for row in self._connection.execute(query)]

    def version(self, item_id: ItemId, number: int | None = None) -> MetadataVersion | None:
        kept = sa.union_all(*_versions_of(item_id)).subquery()
        query = sa.select(kept).order_by(kept.c.version.desc()).limit(1)
        if number is not None:
            query = query.where(kept.c.version == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else MetadataVersion(*row)

    def schema(self) -> SchemaVersion | None:
        row = self._connection.execute(_schema_query().limit(1)).one_or_none()
        return None if row is None else SchemaVersion(*row)

    def schema_versions(self) -> Sequence[SchemaVersion]:
        return [SchemaVersion(*row) for row in self._connection.execute(_schema_query())]

    def quarantine(self, caller: Caller, *, samples: int) -> Sequence[QuarantineCount]:
        visible = quarantine.join(items, items.c.id == quarantine.c.item_id)
        may_see = item_is_visible(caller, items.c.folder_id, items.c.id)
        count = sa.func.count()
        query = (
            sa.select(quarantine.c.key, quarantine.c.reason, count)
            .select_from(visible)
            .where(may_see)
            .group_by(quarantine.c.key, quarantine.c.reason)
            .order_by(quarantine.c.key, quarantine.c.reason)
        )
        counts = self._connection.execute(query).all()
        return [QuarantineCount(k, r, n, self._samples(caller, k, r, samples)) for k, r, n in counts]

    def _samples(self, caller: Caller, key: str, reason: str, limit: int) -> list[str]:
        query = (
            sa.select(quarantine.c.sample)
            .join(items, items.c.id == quarantine.c.item_id)
            .where(quarantine.c.key == key, quarantine.c.reason == reason)
            .where(item_is_visible(caller, items.c.folder_id, items.c.id))
            .distinct()
            .limit(limit)
        )
        return [row[0] for row in self._connection.execute(query)]

    def vectors(self, item_id: ItemId) -> Sequence[Vector]:
        columns = (item_vectors.c.item_id, item_vectors.c.frame, item_vectors.c.key, item_vectors.c.vector)
        query = sa.select(*columns).where(item_vectors.c.item_id == item_id).order_by(*columns[1:3])
        return [Vector(row[0], row[1], row[2], bytes(row[3])) for row in self._connection.execute(query)]

    def iter_texts(self, after: ItemId | None, limit: int) -> Iterator[tuple[ItemId, str]]:
        query = sa.select(item_metadata.c.item_id, item_metadata.c.text).order_by(item_metadata.c.item_id).limit(limit)
        if after is not None:
            query = query.where(item_metadata.c.item_id > after)
        for item_id, text in self._connection.execute(query):
            yield ItemId(item_id), text


class SqlMetadata(SqlMetadataReads):
    """The `MetadataWrites` port."""

    def add_schema(self, version: SchemaVersion, user_id: str) -> None:
        values = {
            "version": version.version,
            "text": version.text,
            "edited_by": user_id,
            "edited_at": version.edited_at,
        }
        self._connection.execute(sa.insert(schema_versions).values(values))

    def set_derived(self, item_ids: Sequence[ItemId], misfits: Sequence[Misfit], vectors: Sequence[Vector]) -> None:
        for table in (quarantine, item_vectors):
            self._connection.execute(sa.delete(table).where(table.c.item_id.in_(item_ids)))
        self.add_derived(misfits, vectors)

    def add_derived(self, misfits: Sequence[Misfit], vectors: Sequence[Vector]) -> None:
        """Adds rows for items that have none yet."""
        rows = [
            {"item_id": m.item_id, "frame": m.frame, "key": m.key, "reason": m.reason, "sample": m.sample}
            for m in misfits
        ]
        if rows:
            self._connection.execute(sa.insert(quarantine), rows)
        blobs = [{"item_id": v.item_id, "frame": v.frame, "key": v.key, "vector": v.data} for v in vectors]
        if blobs:
            self._connection.execute(sa.insert(item_vectors), blobs)

    def prune_history(self, older_than_us: int) -> int:
        old = item_metadata_history.c.edited_at < older_than_us
        return self._connection.execute(sa.delete(item_metadata_history).where(old)).rowcount


def _versions_of(item_id: ItemId) -> list[sa.Select[Any]]:
    """The current version, and the older ones."""
    return [
        sa.select(t.c.version, t.c.text, users.c.email, t.c.edited_at)
        .join(users, users.c.id == t.c.edited_by)
        .where(t.c.item_id == item_id)
        for t in (item_metadata, item_metadata_history)
    ]


def _schema_query() -> sa.Select[Any]:
    columns = (schema_versions.c.version, schema_versions.c.text, users.c.email, schema_versions.c.edited_at)
    author = schema_versions.join(users, users.c.id == schema_versions.c.edited_by)
    return sa.select(*columns).select_from(author).order_by(schema_versions.c.version.desc())
