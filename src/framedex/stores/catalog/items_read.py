"""Reading items in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller, Standing
from framedex.core.ids import FolderId, ItemId
from framedex.core.items import Item, ItemQuery
from framedex.core.media_types import ItemType
from framedex.core.paging import Page, PageRequest, SortBy
from framedex.core.ports.catalog_items import ItemUse
from framedex.stores.catalog.access_sql import (
    folder_role_of,
    item_is_visible,
    linked_item_ids,
    role_of_rank,
    visible_dataset_ids,
)
from framedex.stores.catalog.paging_sql import escaped_substring, paged
from framedex.stores.catalog.tables import (
    data_rows,
    folder_tree,
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
    _ROW_COUNT,
)

_JOINED = items.join(users, users.c.id == items.c.owner_id).outerjoin(
    integrations, integrations.c.id == items.c.integration_id
)


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
        roles = {ItemId(row[0]): role_of_rank(row[1]) for row in self._connection.execute(query)}
        without = [item_id for item_id, role in roles.items() if role is None]
        linked = self._linked(caller, without) if without else frozenset()
        return {i: Standing(role=role, is_linked=i in linked) for i, role in roles.items()}

    def _linked(self, caller: Caller, item_ids: Sequence[ItemId]) -> frozenset[str]:
        query = sa.select(items.c.id).where(items.c.id.in_(item_ids), items.c.id.in_(linked_item_ids(caller)))
        return frozenset(row[0] for row in self._connection.execute(query))

    def get_many(self, item_ids: Sequence[ItemId], *, with_metadata: bool = True) -> Mapping[ItemId, Item]:
        query = select_items(with_metadata=with_metadata).where(items.c.id.in_(item_ids))
        return {row[0]: item_of_row(row) for row in self._connection.execute(query)}

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

    def children(self, parent_id: ItemId) -> Sequence[Item]:
        query = (
            select_items(with_metadata=True)
            .join(item_children, item_children.c.child_id == items.c.id)
            .where(item_children.c.parent_id == parent_id)
            .order_by(item_children.c.position)
        )
        return [item_of_row(row) for row in self._connection.execute(query)]

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
        rows = sa.select(data_rows.c.dataset_id).where(data_rows.c.item_id == item_id).distinct()
        used = [row[0] for row in self._connection.execute(rows)]
        mine = rows if caller.sees_workspace else rows.where(data_rows.c.dataset_id.in_(visible_dataset_ids(caller)))
        return ItemUse(
            frame_in_groups=all_groups,
            groups=[item_of_row(row) for row in self._connection.execute(visible.order_by(items.c.name, items.c.id))],
            used_in_datasets=len(used),
            dataset_ids=sorted(row[0] for row in self._connection.execute(mine)),
        )

    def holders(self, claims: Sequence[bytes]) -> Mapping[bytes, ItemId]:
        query = sa.select(items.c.claim, items.c.id).where(items.c.claim.in_(claims))
        return {bytes(row[0]): ItemId(row[1]) for row in self._connection.execute(query)}

    def linked_holders(self, dataset_id: str, item_type: ItemType, urls: Sequence[str]) -> ItemId | None:
        query = (
            sa.select(items.c.id, items.c.url)
            .join(data_rows, data_rows.c.item_id == items.c.id)
            .where(data_rows.c.dataset_id == dataset_id, items.c.item_type == item_type.value)
        )
        if len(urls) == 1 and item_type not in _WITH_CHILDREN:
            return self._connection.execute(query.where(items.c.url == urls[0]).limit(1)).scalar_one_or_none()
        candidates = [row[0] for row in self._connection.execute(query)]
        return next((c for c in candidates if self._child_urls(c) == list(urls)), None)

    def _child_urls(self, parent_id: str) -> list[str | None]:
        query = (
            sa.select(items.c.url)
            .join(item_children, item_children.c.child_id == items.c.id)
            .where(item_children.c.parent_id == parent_id)
            .order_by(item_children.c.position)
        )
        return [row[0] for row in self._connection.execute(query)]

    def iter_ids(self, folder_ids: Sequence[FolderId]) -> Iterator[ItemId]:
        query = sa.select(items.c.id).where(items.c.folder_id.in_(folder_ids)).execution_options(yield_per=5000)
        for row in self._connection.execute(query):
            yield ItemId(row[0])


_WITH_CHILDREN = frozenset({ItemType.IMAGE_GROUP, ItemType.IMAGE_SEQUENCE, ItemType.DICOM_SERIES, ItemType.GROUP})


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
