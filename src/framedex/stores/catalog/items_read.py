"""Reading items in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller, Standing
from framedex.core.chunks import chunks
from framedex.core.ids import DataRowId, DatasetId, FolderId, ItemId
from framedex.core.items import Item, ItemQuery
from framedex.core.media_types import ItemType
from framedex.core.paging import Page, PageRequest, SortBy
from framedex.core.ports.catalog_items import ItemUse, UsingDataset
from framedex.stores.catalog.access_sql import (
    folder_role_of,
    item_is_linked,
    item_is_visible,
    role_of_rank,
    visible_dataset_ids,
    visible_folder_ids,
)
from framedex.stores.catalog.driver_sql import run
from framedex.stores.catalog.paging_sql import escaped_substring, paged
from framedex.stores.catalog.tables import (
    data_rows,
    datasets,
    folder_tree,
    folders,
    integrations,
    item_children,
    item_metadata,
    items,
    users,
)

_ROW_COUNT = sa.select(sa.func.count()).where(data_rows.c.item_id == items.c.id).scalar_subquery()

#: In the order of the fields of `Item`, metadata left out.
ITEM_COLUMNS = (
    items.c.id,
    items.c.folder_id,
    items.c.item_type,
    items.c.name,
    items.c.owner_id,
    users.c.email,
    items.c.created_at,
    items.c.edited_at,
    items.c.url,
    items.c.integration_id,
    integrations.c.kind,
    items.c.object_key,
    items.c.is_tombstone,
    items.c.is_child,
    items.c.facts_supplied,
    items.c.file_size,
    items.c.mime_type,
    items.c.duration,
    items.c.fps,
    items.c.width,
    items.c.height,
    items.c.frame_count,
    items.c.pages,
    items.c.audio_sample_rate,
    items.c.audio_bit_depth,
    items.c.audio_codec,
    items.c.audio_num_channels,
    items.c.dicom_instance_uid,
    items.c.dicom_study_uid,
    items.c.dicom_series_uid,
    items.c.extra,
    items.c.timeseries_settings,
    items.c.scene,
    items.c.scene_view_settings,
    items.c.scene_layout,
    items.c.group_layout,
    items.c.remote_etag,
    items.c.remote_size,
    items.c.object_changed_at,
    _ROW_COUNT,
)

_JOINED = items.join(users, users.c.id == items.c.owner_id).outerjoin(
    integrations, integrations.c.id == items.c.integration_id
)


@cache
def select_items(*, with_metadata: bool) -> sa.Select[Any]:
    """Rows that `item_of_row` reads."""
    if not with_metadata:
        return sa.select(*ITEM_COLUMNS, sa.null()).select_from(_JOINED)
    joined = _JOINED.outerjoin(item_metadata, item_metadata.c.item_id == items.c.id)
    return sa.select(*ITEM_COLUMNS, item_metadata.c.text).select_from(joined)


def item_of_row(row: Sequence[Any]) -> Item:
    return Item(row[0], row[1], ItemType(row[2]), *row[3:])


class SqlItemReads:
    """The `ItemReads` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def standings(self, caller: Caller, item_ids: Sequence[ItemId]) -> Mapping[ItemId, Standing]:
        query = sa.select(items.c.id, folder_role_of(caller, items.c.folder_id)).where(items.c.id.in_(item_ids))
        roles = {ItemId(row[0]): role_of_rank(row[1]) for row in self._connection.execute(query).all()}
        without = [item_id for item_id, role in roles.items() if role is None]
        linked = self._linked(caller, without) if without else frozenset()
        return {i: Standing(role=role, is_linked=i in linked) for i, role in roles.items()}

    def _linked(self, caller: Caller, item_ids: Sequence[ItemId]) -> frozenset[str]:
        query = sa.select(items.c.id).where(items.c.id.in_(item_ids), item_is_linked(caller, items.c.id))
        return frozenset(row[0] for row in self._connection.execute(query))

    def get_many(self, item_ids: Sequence[ItemId], *, with_metadata: bool = True) -> Mapping[ItemId, Item]:
        query = select_items(with_metadata=with_metadata).where(items.c.id.in_(item_ids))
        return {row[0]: item_of_row(row) for row in self._connection.execute(query).all()}

    def list_page(self, caller: Caller, query: ItemQuery, page: PageRequest) -> Page[Item]:
        value = items.c.name if page.sort_by is SortBy.NAME else items.c.created_at
        statement = select_items(with_metadata=query.with_metadata)
        for condition in _conditions(caller, query):
            statement = statement.where(condition)
        rows = [item_of_row(r) for r in self._connection.execute(paged(statement, page, value, items.c.id))]
        if len(rows) <= page.limit:
            return Page(rows, None)
        last = rows[page.limit - 1]
        return Page(rows[: page.limit], (last.name if page.sort_by is SortBy.NAME else last.created_at, last.id))

    def child_ids(self, parent_ids: Sequence[ItemId]) -> Mapping[ItemId, Sequence[ItemId]]:
        query = (
            sa.select(item_children.c.parent_id, item_children.c.child_id)
            .where(item_children.c.parent_id.in_(parent_ids))
            .order_by(item_children.c.parent_id, item_children.c.position)
        )
        found: dict[ItemId, list[ItemId]] = {}
        for parent_id, child_id in self._connection.execute(query):
            found.setdefault(parent_id, []).append(child_id)
        return found

    def use(self, caller: Caller, item_id: ItemId) -> ItemUse:
        parents = sa.select(item_children.c.parent_id).where(item_children.c.child_id == item_id).distinct()
        all_groups = self._connection.execute(sa.select(sa.func.count()).select_from(parents.subquery())).scalar_one()
        visible = select_items(with_metadata=False).where(
            items.c.id.in_(parents), item_is_visible(caller, items.c.folder_id, items.c.id)
        )
        groups = [item_of_row(row) for row in self._connection.execute(visible.order_by(items.c.name, items.c.id))]
        linking = sa.select(data_rows.c.dataset_id).where(data_rows.c.item_id == item_id).distinct()
        used = self._connection.execute(sa.select(sa.func.count()).select_from(linking.subquery())).scalar_one()
        names = self._folder_names(caller, [group.folder_id for group in groups])
        return ItemUse(all_groups, groups, used, self._using_datasets(caller, item_id), names)

    def _using_datasets(self, caller: Caller, item_id: ItemId) -> list[UsingDataset]:
        query = (
            sa.select(
                datasets.c.id, datasets.c.title, datasets.c.backing_folder_id, data_rows.c.id, data_rows.c.created_at
            )
            .join(datasets, datasets.c.id == data_rows.c.dataset_id)
            .where(data_rows.c.item_id == item_id)
            .order_by(datasets.c.title, datasets.c.id, data_rows.c.id)
        )
        if not caller.sees_workspace:
            query = query.where(datasets.c.id.in_(visible_dataset_ids(caller)))
        found: dict[str, list[Any]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row[0], []).append(row)
        return [
            UsingDataset(rows[0][0], rows[0][1], rows[0][2], [row[3] for row in rows], min(row[4] for row in rows))
            for rows in found.values()
        ]

    def _folder_names(self, caller: Caller, folder_ids: Sequence[FolderId]) -> dict[FolderId, str]:
        query = sa.select(folders.c.id, folders.c.name).where(folders.c.id.in_(folder_ids))
        if not caller.sees_workspace:
            query = query.where(folders.c.id.in_(visible_folder_ids(caller)))
        return {FolderId(row[0]): row[1] for row in self._connection.execute(query).all()}

    def linked_in(self, dataset_id: DatasetId, item_ids: Sequence[ItemId]) -> Sequence[DataRowId]:
        query = sa.select(data_rows.c.id).where(data_rows.c.dataset_id == dataset_id, data_rows.c.item_id.in_(item_ids))
        return [DataRowId(row[0]) for row in self._connection.execute(query)]

    def holders(self, claims: Sequence[bytes]) -> Mapping[bytes, ItemId]:
        if not claims:
            return {}
        # Written out: putting a thousand bound values into a compiled statement takes longer than finding them.
        marks = ", ".join("?" * len(claims))
        found = run(self._connection, f"SELECT claim, id FROM items WHERE claim IN ({marks})", claims)
        return {bytes(claim): ItemId(item_id) for claim, item_id in found.all()}

    def by_urls(self, caller: Caller, urls: Sequence[str]) -> Mapping[str, Sequence[ItemId]]:
        query = sa.select(items.c.url, items.c.id).where(
            items.c.url.in_(urls),
            items.c.integration_id.is_not(None),
            item_is_visible(caller, items.c.folder_id, items.c.id),
        )
        found: dict[str, list[ItemId]] = {}
        for url, item_id in self._connection.execute(query.order_by(items.c.id)):
            found.setdefault(url, []).append(ItemId(item_id))
        return found

    def _child_urls(self, parent_id: str) -> list[str | None]:
        query = (
            sa.select(items.c.url)
            .join(item_children, item_children.c.child_id == items.c.id)
            .where(item_children.c.parent_id == parent_id)
            .order_by(item_children.c.position)
        )
        return [row[0] for row in self._connection.execute(query)]

    def used_object_keys(self, object_keys: Sequence[str]) -> set[str]:
        query = sa.select(items.c.object_key).where(items.c.object_key.in_(object_keys))
        return {row[0] for row in self._connection.execute(query).all()}

    def iter_ids(self, folder_ids: Sequence[FolderId]) -> Iterator[ItemId]:
        for chunk in chunks(folder_ids):
            query = sa.select(items.c.id).where(items.c.folder_id.in_(chunk)).execution_options(yield_per=5000)
            with self._connection.execute(query) as result:
                for row in result:
                    yield ItemId(row[0])


def _conditions(caller: Caller, query: ItemQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.folder_id is None:
        conditions.append(item_is_visible(caller, items.c.folder_id, items.c.id))
    elif query.is_recursive:
        below = sa.select(folder_tree.c.descendant_id).where(folder_tree.c.ancestor_id == query.folder_id)
        conditions.append(items.c.folder_id.in_(below))
    else:
        conditions.append(items.c.folder_id == query.folder_id)
    if query.search:
        conditions.append(items.c.name_lower.like(escaped_substring(query.search.lower()), escape="\\"))
    if query.is_in_dataset is not None:
        is_linked = sa.exists(sa.select(data_rows.c.id).where(data_rows.c.item_id == items.c.id))
        conditions.append(is_linked if query.is_in_dataset else ~is_linked)
    if query.item_types:
        conditions.append(items.c.item_type.in_([t.value for t in query.item_types]))
    return conditions
