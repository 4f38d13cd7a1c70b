"""Members of collections in SQL, and the items that may become members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.collections import TitleHolders
from framedex.core.ids import CollectionId, DatasetId, FolderId, ItemId
from framedex.core.ports.catalog_curation import Candidate
from framedex.stores.catalog.access_sql import item_is_visible, visible_dataset_ids, visible_folder_ids
from framedex.stores.catalog.items_read import item_of_row, select_items
from framedex.stores.catalog.tables import (
    collection_items,
    collections,
    data_rows,
    folder_tree,
    items,
)

#: Metadata may have 10 MB an item, so only a few rows are held at once.
_ROWS_HELD = 32


class SqlMembers:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def member_ids(
        self, collection_id: CollectionId, *, after: ItemId | None, limit: int, visible_to: Caller | None = None
    ) -> Sequence[ItemId]:
        member = collection_items.c
        query = sa.select(member.item_id).where(member.collection_id == collection_id)
        if after is not None:
            query = query.where(member.item_id > after)
        if visible_to is not None:
            query = query.join(items, items.c.id == member.item_id)
            query = query.where(item_is_visible(visible_to, items.c.folder_id, items.c.id))
        return [ItemId(row[0]) for row in self._connection.execute(query.order_by(member.item_id).limit(limit))]

    def add_members(self, collection_id: CollectionId, item_ids: Sequence[ItemId], now_us: int) -> Sequence[ItemId]:
        members = sa.select(collection_items.c.item_id).where(collection_items.c.collection_id == collection_id)
        fresh = sa.select(items.c.id).where(items.c.id.in_(item_ids), items.c.id.not_in(members))
        added = [ItemId(row[0]) for row in self._connection.execute(fresh)]
        if added:
            rows = [{"collection_id": collection_id, "item_id": item_id} for item_id in added]
            self._connection.execute(sa.insert(collection_items), rows)
            self._touch(collection_id, now_us)
        return added

    def remove_members(self, collection_id: CollectionId, item_ids: Sequence[ItemId], now_us: int) -> Sequence[ItemId]:
        member = collection_items.c
        chosen = sa.and_(member.collection_id == collection_id, member.item_id.in_(item_ids))
        gone = [ItemId(row[0]) for row in self._connection.execute(sa.select(member.item_id).where(chosen))]
        if gone:
            self._connection.execute(sa.delete(collection_items).where(chosen))
            self._touch(collection_id, now_us)
        return gone

    def _touch(self, collection_id: CollectionId, now_us: int) -> None:
        change = sa.update(collections).where(collections.c.id == collection_id).values(edited_at=now_us)
        self._connection.execute(change)

    def title_holders(self, caller: Caller, folder_id: FolderId, titles: Sequence[str]) -> Mapping[str, TitleHolders]:
        query = (
            sa.select(items.c.name, sa.func.count(), sa.func.min(items.c.id))
            .where(items.c.name.in_(titles), *_below(caller, folder_id))
            .group_by(items.c.name)
        )
        return {row[0]: TitleHolders(row[1], ItemId(row[2])) for row in self._connection.execute(query)}

    def candidates(self, caller: Caller, folder_id: FolderId) -> Iterator[Candidate]:
        query = (
            select_items(with_metadata=True)
            .add_columns(_dataset_ids(caller), _collection_ids(caller))
            .where(*_below(caller, folder_id))
            .execution_options(yield_per=_ROWS_HELD)
        )
        with self._connection.execute(query) as result:
            for row in result:
                datasets = frozenset(DatasetId(i) for i in _split(row[-2]))
                yield Candidate(item_of_row(row[:-2]), datasets, frozenset(CollectionId(i) for i in _split(row[-1])))


def _below(caller: Caller, folder_id: FolderId) -> list[sa.ColumnElement[bool]]:
    tree = sa.select(folder_tree.c.descendant_id).where(folder_tree.c.ancestor_id == folder_id)
    return [
        items.c.folder_id.in_(tree),
        items.c.is_child.is_(False),
        item_is_visible(caller, items.c.folder_id, items.c.id),
    ]


def _dataset_ids(caller: Caller) -> sa.ScalarSelect[Any]:
    linked = sa.select(sa.func.aggregate_strings(data_rows.c.dataset_id, ",")).where(data_rows.c.item_id == items.c.id)
    if not caller.sees_workspace:
        linked = linked.where(data_rows.c.dataset_id.in_(visible_dataset_ids(caller)))
    return linked.scalar_subquery()


def _collection_ids(caller: Caller) -> sa.ScalarSelect[Any]:
    member = collection_items.c
    held = sa.select(sa.func.aggregate_strings(member.collection_id, ",")).where(member.item_id == items.c.id)
    if not caller.sees_workspace:
        seen = sa.select(collections.c.id).where(collections.c.top_level_folder_id.in_(visible_folder_ids(caller)))
        held = held.where(member.collection_id.in_(seen))
    return held.scalar_subquery()


def _split(ids: str | None) -> list[str]:
    return ids.split(",") if ids else []
