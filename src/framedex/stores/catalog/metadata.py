"""Metadata history, schema versions, vectors and quarantine in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.ids import ItemId
from framedex.core.ports.catalog_metadata import (
    CurrentText,
    MetadataVersion,
    Misfit,
    QuarantineCount,
    SchemaVersion,
    Vector,
)
from framedex.stores.catalog.access_sql import item_is_visible
from framedex.stores.catalog.driver_sql import insert_many, run_many
from framedex.stores.catalog.tables import (
    item_metadata,
    item_metadata_history,
    item_vectors,
    items,
    quarantine,
    schema_versions,
    users,
)

_SCHEMA_NUMBER = sa.select(sa.func.coalesce(sa.func.max(schema_versions.c.version), 0))
#: Rows that are fetched at once where one row may have megabytes.
_FEW = 50


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

    def schema(self, number: int | None = None) -> SchemaVersion | None:
        query = _schema_query().limit(1)
        if number is not None:
            query = query.where(schema_versions.c.version == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else SchemaVersion(*row)

    def schema_number(self) -> int:
        return int(self._connection.execute(_SCHEMA_NUMBER).scalar_one())

    def schema_page(self, *, before: int | None, limit: int) -> Sequence[SchemaVersion]:
        query = _schema_query().limit(limit)
        if before is not None:
            query = query.where(schema_versions.c.version < before)
        return [SchemaVersion(*row) for row in self._connection.execute(query)]

    def quarantine_page(
        self, caller: Caller, *, key: str | None, after: tuple[str, str] | None, limit: int, samples: int
    ) -> Sequence[QuarantineCount]:
        group = (quarantine.c.key, quarantine.c.reason)
        query = _readable_misfits(caller, *group, sa.func.count()).group_by(*group).order_by(*group).limit(limit)
        if key is not None:
            query = query.where(quarantine.c.key == key)
        if after is not None:
            query = query.where(sa.tuple_(*group) > sa.tuple_(*after))
        counts = self._connection.execute(query).all()
        return [QuarantineCount(k, r, n, self._samples(caller, k, r, samples)) for k, r, n in counts]

    def _samples(self, caller: Caller, key: str, reason: str, limit: int) -> list[str]:
        same = sa.and_(quarantine.c.key == key, quarantine.c.reason == reason)
        query = _readable_misfits(caller, quarantine.c.sample).where(same).distinct().limit(limit)
        return sorted(row[0] for row in self._connection.execute(query))

    def misfit_page(
        self, caller: Caller, *, key: str, after: tuple[ItemId, str] | None, limit: int
    ) -> Sequence[Misfit]:
        place = (quarantine.c.item_id, quarantine.c.frame)
        columns = (*place, quarantine.c.key, quarantine.c.reason, quarantine.c.sample)
        query = _readable_misfits(caller, *columns).where(quarantine.c.key == key).order_by(*place).limit(limit)
        if after is not None:
            query = query.where(sa.tuple_(*place) > sa.tuple_(*after))
        return [Misfit(*row) for row in self._connection.execute(query)]

    def vectors(self, item_id: ItemId) -> Sequence[Vector]:
        columns = (item_vectors.c.item_id, item_vectors.c.frame, item_vectors.c.key, item_vectors.c.vector)
        query = sa.select(*columns).where(item_vectors.c.item_id == item_id).order_by(*columns[1:3])
        return [Vector(row[0], row[1], row[2], bytes(row[3])) for row in self._connection.execute(query)]

    def iter_current(self, after: ItemId | None, limit: int) -> Iterator[CurrentText]:
        query = sa.select(item_metadata.c.item_id, item_metadata.c.version, item_metadata.c.text)
        query = query.order_by(item_metadata.c.item_id).limit(limit).execution_options(yield_per=_FEW)
        if after is not None:
            query = query.where(item_metadata.c.item_id > after)
        with self._connection.execute(query) as result:
            for row in result:
                yield CurrentText(*row)

    def versions_now(self, item_ids: Sequence[ItemId]) -> Mapping[ItemId, int]:
        query = sa.select(item_metadata.c.item_id, item_metadata.c.version)
        query = query.where(item_metadata.c.item_id.in_(item_ids))
        return {ItemId(row[0]): row[1] for row in self._connection.execute(query)}

    def with_derived(self, item_ids: Sequence[ItemId]) -> set[ItemId]:
        found = (sa.select(t.c.item_id).where(t.c.item_id.in_(item_ids)) for t in (quarantine, item_vectors))
        return {ItemId(row[0]) for row in self._connection.execute(sa.union(*found))}


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
        ids = [(item_id,) for item_id in item_ids]
        for table in ("quarantine", "item_vectors"):
            run_many(self._connection, f"DELETE FROM {table} WHERE item_id = ?", ids)
        self.add_derived(misfits, vectors)

    def add_derived(self, misfits: Sequence[Misfit], vectors: Sequence[Vector]) -> None:
        misfit_rows = [(m.item_id, m.frame, m.key, m.reason, m.sample) for m in misfits]
        insert_many(self._connection, "quarantine", ("item_id", "frame", "key", "reason", "sample"), misfit_rows)
        vector_rows = [(v.item_id, v.frame, v.key, v.data) for v in vectors]
        insert_many(self._connection, "item_vectors", ("item_id", "frame", "key", "vector"), vector_rows)

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


def _readable_misfits(caller: Caller, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    joined = quarantine.join(items, items.c.id == quarantine.c.item_id)
    return sa.select(*columns).select_from(joined).where(item_is_visible(caller, items.c.folder_id, items.c.id))


def _schema_query() -> sa.Select[Any]:
    columns = (schema_versions.c.version, schema_versions.c.text, users.c.email, schema_versions.c.edited_at)
    author = schema_versions.join(users, users.c.id == schema_versions.c.edited_by)
    return sa.select(*columns).select_from(author).order_by(schema_versions.c.version.desc())
