"""Data rows in SQL: reading them in pieces, linking and unlinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.datasets import DataRow, DataRowQuery, url_digest
from framedex.core.ids import DataRowId, DatasetId, ItemId, new_id
from framedex.core.media_types import ItemType
from framedex.stores.catalog.driver_sql import run_many
from framedex.stores.catalog.tables import data_rows, datasets, integrations, item_children, item_metadata, items

#: Characters of metadata after which a piece of rows ends: one item may have ten million.
_METADATA_HELD = 8_000_000
#: Rows that the driver fetches at once, so that a piece can end before the next large text is read.
_FETCHED = 64

_COLUMNS = (
    data_rows.c.id,
    data_rows.c.item_id,
    items.c.name,
    items.c.item_type,
    data_rows.c.created_at,
    items.c.edited_at,
    items.c.url,
    integrations.c.kind,
    items.c.file_size,
    items.c.mime_type,
    items.c.width,
    items.c.height,
    items.c.fps,
    items.c.duration,
)
_JOINED = data_rows.join(items, items.c.id == data_rows.c.item_id).outerjoin(
    integrations, integrations.c.id == items.c.integration_id
)
#: Kinds whose addresses are those of their children.
_WITH_CHILDREN = frozenset({ItemType.IMAGE_GROUP, ItemType.IMAGE_SEQUENCE, ItemType.DICOM_SERIES})


class SqlDataRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rows_after(
        self, dataset_id: DatasetId, query: DataRowQuery, after: DataRowId | None, limit: int, *, with_metadata: bool
    ) -> Sequence[DataRow]:
        statement = _select(dataset_id, with_metadata=with_metadata)
        for condition in _conditions(query):
            statement = statement.where(condition)
        if after is not None:
            statement = statement.where(data_rows.c.id > after)
        return self._read(statement.order_by(data_rows.c.id).limit(limit))

    def _read(self, statement: sa.Select[Any]) -> list[DataRow]:
        found: list[DataRow] = []
        held = 0
        with self._connection.execute(statement.execution_options(yield_per=_FETCHED)) as result:
            for row in result:
                found.append(_row(row))
                held += len(row[-1] or "")
                if held > _METADATA_HELD:
                    break
        return found

    def rows(
        self, dataset_id: DatasetId, row_ids: Sequence[DataRowId], *, with_metadata: bool
    ) -> Mapping[DataRowId, DataRow]:
        statement = _select(dataset_id, with_metadata=with_metadata).where(data_rows.c.id.in_(row_ids))
        return {row[0]: _row(row) for row in self._connection.execute(statement)}

    def row_ids(self, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> Mapping[ItemId, DataRowId]:
        query = (
            sa.select(data_rows.c.item_id, sa.func.max(data_rows.c.id))
            .where(data_rows.c.item_id.in_(item_ids), data_rows.c.dataset_id == dataset_id)
            .group_by(data_rows.c.item_id)
        )
        return {ItemId(row[0]): DataRowId(row[1]) for row in self._connection.execute(query)}

    def rows_of(self, item_ids: Sequence[ItemId]) -> Sequence[DataRowId]:
        query = sa.select(data_rows.c.id).where(data_rows.c.item_id.in_(item_ids)).order_by(data_rows.c.id)
        return [DataRowId(row[0]) for row in self._connection.execute(query)]

    def datasets_of(self, row_ids: Sequence[DataRowId]) -> Mapping[DataRowId, DatasetId]:
        query = sa.select(data_rows.c.id, data_rows.c.dataset_id).where(data_rows.c.id.in_(row_ids))
        return {DataRowId(row[0]): DatasetId(row[1]) for row in self._connection.execute(query)}

    def foreign_children(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        parent = items.alias("parent")
        query = (
            sa.select(items.c.id)
            .join(item_children, item_children.c.child_id == items.c.id)
            .join(parent, parent.c.id == item_children.c.parent_id)
            .where(item_children.c.parent_id.in_(item_ids), items.c.folder_id != parent.c.folder_id)
            .distinct()
        )
        return [ItemId(row[0]) for row in self._connection.execute(query)]

    def linked_holders(self, dataset_id: DatasetId, digests: Sequence[bytes]) -> Mapping[bytes, ItemId]:
        query = sa.select(data_rows.c.url_digest, data_rows.c.item_id).where(
            data_rows.c.dataset_id == dataset_id, data_rows.c.url_digest.in_(digests)
        )
        return {bytes(row[0]): ItemId(row[1]) for row in self._connection.execute(query)}

    def link(
        self, dataset_id: DatasetId, item_ids: Sequence[ItemId], *, skip_linked: bool, now_us: int
    ) -> Sequence[DataRowId]:
        wanted = list(item_ids)
        if skip_linked:
            linked = self.row_ids(dataset_id, wanted)
            wanted = [i for i in dict.fromkeys(wanted) if i not in linked]
        if not wanted:
            return []
        digests = self._digests(wanted)
        # Ids of one moment are in no order; rows are listed by id, so they are given out in the order of the request.
        row_ids = sorted(new_id() for _ in wanted)
        self._connection.execute(
            sa.insert(data_rows),
            [
                {"id": r, "dataset_id": dataset_id, "item_id": i, "created_at": now_us, "url_digest": digests.get(i)}
                for r, i in zip(row_ids, wanted, strict=True)
            ],
        )
        self._touch(dataset_id, now_us)
        return [DataRowId(r) for r in row_ids]

    def renew_digests(self, item_ids: Sequence[ItemId]) -> None:
        linked = sa.select(data_rows.c.item_id).where(data_rows.c.item_id.in_(item_ids)).distinct()
        ids = [ItemId(row[0]) for row in self._connection.execute(linked)]
        digests = self._digests(ids)
        settings = [(digests.get(item_id), item_id) for item_id in ids]
        if settings:
            run_many(self._connection, "UPDATE data_rows SET url_digest = ? WHERE item_id = ?", settings)

    def _digests(self, item_ids: Sequence[ItemId]) -> dict[ItemId, bytes]:
        query = sa.select(items.c.id, items.c.item_type, items.c.url).where(items.c.id.in_(item_ids))
        kinds = [(ItemId(row[0]), ItemType(row[1]), row[2]) for row in self._connection.execute(query)]
        inside = self._child_urls([item_id for item_id, kind, _ in kinds if kind in _WITH_CHILDREN])
        found: dict[ItemId, bytes] = {}
        for item_id, kind, url in kinds:
            urls = inside.get(item_id, []) if kind in _WITH_CHILDREN else [url]
            known = [u for u in urls if u is not None]
            if known and len(known) == len(urls):
                found[item_id] = url_digest(kind, known)
        return found

    def _child_urls(self, parent_ids: Sequence[ItemId]) -> dict[ItemId, list[str | None]]:
        if not parent_ids:
            return {}
        query = (
            sa.select(item_children.c.parent_id, items.c.url)
            .join(items, items.c.id == item_children.c.child_id)
            .where(item_children.c.parent_id.in_(parent_ids))
            .order_by(item_children.c.parent_id, item_children.c.position)
        )
        found: dict[ItemId, list[str | None]] = {}
        for parent_id, url in self._connection.execute(query):
            found.setdefault(ItemId(parent_id), []).append(url)
        return found

    def unlink(self, dataset_id: DatasetId, row_ids: Sequence[DataRowId], now_us: int) -> None:
        gone = sa.and_(data_rows.c.dataset_id == dataset_id, data_rows.c.id.in_(row_ids))
        self._connection.execute(sa.delete(data_rows).where(gone))
        self._touch(dataset_id, now_us)

    def _touch(self, dataset_id: DatasetId, now_us: int) -> None:
        self._connection.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(edited_at=now_us))


def _select(dataset_id: DatasetId, *, with_metadata: bool) -> sa.Select[Any]:
    mine = data_rows.c.dataset_id == dataset_id
    if not with_metadata:
        return sa.select(*_COLUMNS, sa.null()).select_from(_JOINED).where(mine)
    joined = _JOINED.outerjoin(item_metadata, item_metadata.c.item_id == items.c.id)
    return sa.select(*_COLUMNS, item_metadata.c.text).select_from(joined).where(mine)


def _conditions(query: DataRowQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.title_eq is not None:
        conditions.append(items.c.name == query.title_eq)
    if query.title_like is not None:
        conditions.append(items.c.name.like(query.title_like, escape="\\"))
    if query.created_before is not None:
        conditions.append(data_rows.c.created_at < query.created_before)
    if query.created_after is not None:
        conditions.append(data_rows.c.created_at > query.created_after)
    if query.item_types is not None:
        conditions.append(items.c.item_type.in_([kind.value for kind in query.item_types]))
    if query.ids is not None:
        conditions.append(data_rows.c.id.in_(query.ids))
    return conditions


def _row(row: Sequence[Any]) -> DataRow:
    return DataRow(row[0], row[1], row[2], ItemType(row[3]), row[4], max(row[4], row[5]), *row[6:])
