"""Items as documents of the index, and what a caller may see, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller
from framedex.core.ids import CollectionId, DataRowId, DatasetId, FolderId, ItemId
from framedex.core.media_types import ItemType
from framedex.core.metadata.values import Instant
from framedex.core.ports.catalog_documents import Document
from framedex.core.ports.index import Visibility
from framedex.stores.catalog.access_sql import visible_dataset_ids, visible_folder_ids
from framedex.stores.catalog.driver_sql import run
from framedex.stores.catalog.tables import collections, data_rows, folder_tree, folders, item_children, items

#: Built-in fields and the columns that they come from, in the order of the statement.
_FACTS = {
    "type": "i.item_type",
    "name": "i.name",
    "owner": "u.email",
    "created_at": "i.created_at",
    "edited_at": "i.edited_at",
    "url": "i.url",
    "tombstone": "i.is_tombstone",
    "file_size": "i.file_size",
    "mime_type": "i.mime_type",
    "duration": "i.duration",
    "fps": "i.fps",
    "width": "i.width",
    "height": "i.height",
    "frame_count": "i.frame_count",
    "pages": "i.pages",
    "sample_rate": "i.audio_sample_rate",
    "codec": "i.audio_codec",
    "channels": "i.audio_num_channels",
}
_NAMES = tuple(_FACTS)
_SELECT = (
    f"SELECT i.id, i.folder_id, i.is_child, m.text, {', '.join(_FACTS.values())} FROM items i "
    "JOIN users u ON u.id = i.owner_id LEFT JOIN item_metadata m ON m.item_id = i.id WHERE i.id IN "
)
#: What has frames that are items of their own.
_GROUPS = frozenset({ItemType.IMAGE_GROUP, ItemType.DICOM_SERIES})
_WITH_TABLES = frozenset({ItemType.VIDEO, ItemType.IMAGE_SEQUENCE})


class SqlDocuments:
    """The `DocumentReads` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def documents(self, item_ids: Sequence[ItemId]) -> Sequence[Document]:
        if not item_ids:
            return []
        marks = _marks(item_ids)
        found = run(self._connection, f"{_SELECT}{marks}", item_ids).all()
        linked = self._grouped("SELECT item_id, id, dataset_id FROM data_rows WHERE item_id IN ", item_ids)
        members = self._grouped("SELECT item_id, collection_id FROM collection_items WHERE item_id IN ", item_ids)
        parents = self._grouped("SELECT DISTINCT child_id, parent_id FROM item_children WHERE child_id IN ", item_ids)
        groups = [row[0] for row in found if row[4] in _GROUPS]
        children = self._grouped(
            # whoever reads a group by its folder reads no child that lies elsewhere: frames say nothing of it
            "SELECT c.parent_id, c.child_id, m.text FROM item_children c JOIN items g ON g.id = c.parent_id "
            "LEFT JOIN items i ON i.id = c.child_id AND i.folder_id = g.folder_id "
            "LEFT JOIN item_metadata m ON m.item_id = i.id WHERE c.parent_id IN ",
            groups,
            order=" ORDER BY c.parent_id, c.position",
        )
        videos = [row[0] for row in found if row[4] in _WITH_TABLES]
        tables = self._grouped("SELECT item_id, data FROM frame_tables WHERE item_id IN ", videos)
        return [
            Document(
                id=row[0],
                folder_id=row[1],
                item_type=ItemType(row[4]),
                is_child=bool(row[2]),
                facts=_facts(row),
                metadata=row[3],
                rows=[(DataRowId(row_id), DatasetId(dataset)) for row_id, dataset in linked.get(row[0], ())],
                collections=[CollectionId(one[0]) for one in members.get(row[0], ())],
                parents=[ItemId(one[0]) for one in parents.get(row[0], ())],
                children=[(ItemId(child), text) for child, text in children.get(row[0], ())],
                frame_table=bytes(tables[row[0]][0][0]) if row[0] in tables else None,
            )
            for row in found
        ]

    def _grouped(self, statement: str, ids: Sequence[str], *, order: str = "") -> dict[str, list[Any]]:
        """Rows by their first column."""
        found: dict[str, list[Any]] = defaultdict(list)
        if ids:
            for row in run(self._connection, f"{statement}{_marks(ids)}{order}", ids):
                found[row[0]].append(row[1:])
        return found

    def ids_after(self, item_id: ItemId | None, limit: int) -> Sequence[ItemId]:
        query = sa.select(items.c.id).order_by(items.c.id).limit(limit)
        if item_id is not None:
            query = query.where(items.c.id > item_id)
        return [ItemId(row[0]) for row in self._connection.execute(query)]

    def linked_items(self, row_ids: Sequence[DataRowId]) -> Sequence[ItemId]:
        query = sa.select(data_rows.c.item_id).where(data_rows.c.id.in_(row_ids)).distinct()
        return [ItemId(row[0]) for row in self._connection.execute(query)]

    def parents(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        query = sa.select(item_children.c.parent_id).where(item_children.c.child_id.in_(item_ids)).distinct()
        return [ItemId(row[0]) for row in self._connection.execute(query)]

    def visibility(self, caller: Caller) -> Visibility:
        if caller.sees_workspace:
            return Visibility(None)
        seen = collections.c.top_level_folder_id.in_(visible_folder_ids(caller))
        return Visibility(
            folders=[FolderId(i) for i in self._ids(visible_folder_ids(caller).distinct())],
            datasets=[DatasetId(i) for i in self._ids(visible_dataset_ids(caller).distinct())],
            collections=[CollectionId(i) for i in self._ids(sa.select(collections.c.id).where(seen))],
        )

    def folders_at(self, caller: Caller, path: Sequence[str]) -> Sequence[FolderId]:
        seen = None if caller.sees_workspace else visible_folder_ids(caller)
        first = sa.select(folders.c.id).where(folders.c.name == path[0])
        if seen is None:
            first = first.where(folders.c.parent_id.is_(None))
        else:
            is_top = sa.or_(folders.c.parent_id.is_(None), folders.c.parent_id.not_in(seen))
            first = first.where(folders.c.id.in_(seen), is_top)
        found = self._ids(first)
        for name in path[1:]:
            found = self._ids(sa.select(folders.c.id).where(folders.c.parent_id.in_(found), folders.c.name == name))
        return [FolderId(i) for i in found]

    def below(self, folder_ids: Sequence[FolderId]) -> Sequence[FolderId]:
        tree = sa.select(folder_tree.c.descendant_id).where(folder_tree.c.ancestor_id.in_(folder_ids)).distinct()
        return [FolderId(i) for i in self._ids(tree)]

    def _ids(self, query: sa.Select[Any]) -> list[str]:
        return [str(row[0]) for row in self._connection.execute(query)]


def _facts(row: Sequence[Any]) -> dict[str, object]:
    facts = dict(zip(_NAMES, row[4:], strict=True))
    facts["created_at"] = Instant(facts["created_at"])
    facts["edited_at"] = Instant(facts["edited_at"])
    facts["tombstone"] = bool(facts["tombstone"])
    return facts


def _marks(ids: Sequence[str]) -> str:
    return f"({', '.join('?' * len(ids))})"
