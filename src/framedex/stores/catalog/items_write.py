"""Writing items in SQL. Registration comes in batches: rows are built as tuples and sent in one call a table."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from operator import itemgetter

import sqlalchemy as sa

from framedex.core.chunks import chunks
from framedex.core.ids import DataRowId, FolderId, ItemId, UserId
from framedex.core.items import RESET, ItemPatch, claim_digest
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog_items import Location, NewItem
from framedex.stores.catalog.driver_sql import insert_many, run_many
from framedex.stores.catalog.items_read import SqlItemReads
from framedex.stores.catalog.tables import (
    collection_items,
    data_rows,
    folders,
    frame_tables,
    item_children,
    item_metadata,
    item_metadata_history,
    item_vectors,
    items,
    quarantine,
    reencodings,
    synced_objects,
    uploads,
)

_INSERT_COLUMNS = (
    "id", "folder_id", "item_type", "name", "name_lower", "owner_id", "created_at", "edited_at", "url",
    "integration_id", "object_key", "claim", "is_tombstone", "is_child", "facts_supplied", "file_size", "mime_type",
    "duration", "fps", "width", "height", "frame_count", "pages", "audio_sample_rate", "audio_bit_depth",
    "audio_codec", "audio_num_channels", "dicom_instance_uid", "dicom_study_uid", "dicom_series_uid", "extra",
    "timeseries_settings", "scene", "group_layout", "remote_etag", "remote_size",
)  # fmt: skip

#: What is true of an item's object, and of no other.
_FACT_COLUMNS = (
    *_INSERT_COLUMNS[_INSERT_COLUMNS.index("file_size") : _INSERT_COLUMNS.index("timeseries_settings")],
    "remote_etag",
    "remote_size",
)

_KEEP_VERSION = """
INSERT INTO item_metadata_history (item_id, version, text, edited_by, edited_at)
SELECT item_id, version, text, edited_by, edited_at FROM item_metadata WHERE item_id = ?
"""
_NEXT_VERSION = """
INSERT INTO item_metadata (item_id, version, text, edited_by, edited_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (item_id) DO UPDATE SET version = item_metadata.version + 1, text = excluded.text,
    edited_by = excluded.edited_by, edited_at = excluded.edited_at
"""


_RELOCATE = """
UPDATE items SET url = ?, integration_id = ?, remote_etag = ?, remote_size = ?, object_changed_at = NULL, edited_at = ?
WHERE id = ?
"""


class SqlItems(SqlItemReads):
    """The `ItemWrites` port."""

    def add_many(self, items: Sequence[NewItem], *, user_id: UserId, now_us: int) -> None:
        claims = [claim_digest(i.folder_id, i.item_type, i.claim_urls) if i.claim_urls else None for i in items]
        if not self._are_all_free(items, claims, now_us):
            self._insert_items(items, self._free_claims(items, claims), now_us)
        texts = [(i.id, 1, i.metadata, user_id, now_us) for i in items if i.metadata is not None]
        if texts:
            self._insert("item_metadata", ("item_id", "version", "text", "edited_by", "edited_at"), texts)
        tables = [(i.id, b64decode(i.facts.frame_table)) for i in items if i.facts.frame_table is not None]
        if tables:
            self._insert("frame_tables", ("item_id", "data"), tables)
        links = [(i.id, position, child) for i in items for position, child in enumerate(i.children)]
        if links:
            self._insert("item_children", ("parent_id", "position", "child_id"), links)

    def _are_all_free(self, new: Sequence[NewItem], claims: Sequence[bytes | None], now_us: int) -> bool:
        """Adds items whose claims are all free, as nearly always; else adds none.

        The index finds out as it is written: a look beforehand would take half as long again.
        """
        try:
            with self._connection.begin_nested():
                self._insert_items(new, claims, now_us)
        except sa.exc.IntegrityError:
            return False
        return True

    def _insert_items(self, new: Sequence[NewItem], claims: Sequence[bytes | None], now_us: int) -> None:
        self._insert("items", _INSERT_COLUMNS, [_item_row(i, c, now_us) for i, c in zip(new, claims, strict=True)])

    def _free_claims(self, new: Sequence[NewItem], digests: Sequence[bytes | None]) -> list[bytes | None]:
        """The claim of each item, None where an older item or one before it in the batch holds it."""
        taken = set(self.holders([d for d in digests if d is not None]))
        repeats: set[FolderId] = set()
        claims: list[bytes | None] = []
        for item, digest in zip(new, digests, strict=True):
            is_free = digest is not None and digest not in taken
            claims.append(digest if is_free else None)
            if is_free and digest is not None:
                taken.add(digest)
            elif digest is not None:
                repeats.add(item.folder_id)
        self._mark_repeats(repeats)
        return claims

    def _mark_repeats(self, folder_ids: set[FolderId]) -> None:
        if folder_ids:
            self._connection.execute(sa.update(folders).where(folders.c.id.in_(folder_ids)).values(has_repeats=True))

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        """Leaves out columns that are empty in all rows: most kinds of items fill half of them."""
        used = [i for i, column in enumerate(zip(*rows, strict=True)) if column.count(None) < len(column)]
        insert_many(self._connection, table, [columns[i] for i in used], list(map(itemgetter(*used), rows)))

    def patch(self, item_id: ItemId, patch: ItemPatch, *, user_id: UserId, now_us: int) -> None:
        self.patch_many({item_id: patch}, user_id=user_id, now_us=now_us)

    def patch_many(self, patches: Mapping[ItemId, ItemPatch], *, user_id: UserId, now_us: int) -> None:
        alike: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
        for item_id, patch in patches.items():
            changes = _changes(patch, now_us)
            alike.setdefault(tuple(changes), []).append((*changes.values(), item_id))
        for columns, rows in alike.items():
            settings = ", ".join(f"{column} = ?" for column in columns)
            run_many(self._connection, f"UPDATE items SET {settings} WHERE id = ?", rows)
        texts = [(item_id, p.metadata) for item_id, p in patches.items() if p.metadata is not None]
        if texts:
            run_many(self._connection, _KEEP_VERSION, [(item_id,) for item_id, _ in texts])
            run_many(self._connection, _NEXT_VERSION, [(item_id, 1, text, user_id, now_us) for item_id, text in texts])

    def refresh(self, item_id: ItemId, facts: MediaFacts, seen: ObjectInfo | None, *, now_us: int) -> None:
        as_new = NewItem(item_id, FolderId(""), ItemType.IMAGE, "", UserId(""), facts, seen=seen)
        row = dict(zip(_INSERT_COLUMNS, _item_row(as_new, None, now_us), strict=True))
        changes: dict[str, object] = {column: row[column] for column in _FACT_COLUMNS}
        changes |= {"edited_at": now_us, "is_tombstone": False, "facts_supplied": False, "object_changed_at": None}
        self._connection.execute(sa.update(items).where(items.c.id == item_id).values(changes))
        self._connection.execute(sa.delete(frame_tables).where(frame_tables.c.item_id == item_id))
        if facts.frame_table is not None:
            self._insert("frame_tables", ("item_id", "data"), [(item_id, b64decode(facts.frame_table))])

    def set_tombstones(self, item_ids: Sequence[ItemId], *, is_tombstone: bool, now_us: int) -> None:
        for part in chunks(item_ids):
            change = sa.update(items).where(items.c.id.in_(part))
            self._connection.execute(change.values(is_tombstone=is_tombstone, edited_at=now_us))

    def move(self, item_ids: Sequence[ItemId], folder_id: FolderId, now_us: int) -> None:
        moved = self.get_many(item_ids, with_metadata=False)
        self._give_up_claims(item_ids)
        change = sa.update(items).where(items.c.id.in_(item_ids)).values(folder_id=folder_id, edited_at=now_us)
        self._connection.execute(change)
        for item in moved.values():
            urls = self._claim_urls(item.id, item.item_type, item.url)
            if urls:
                self._claim(item.id, folder_id, claim_digest(folder_id, item.item_type, urls))

    def relocate(self, places: Mapping[ItemId, Location], *, now_us: int) -> Sequence[ItemId]:
        affected = [*places, *self._claiming_parents(list(places))]
        for part in chunks(affected):
            self._give_up_claims(part)
        rows = [
            (p.url, p.integration_id, p.seen and p.seen.etag, p.seen and p.seen.size, now_us, item_id)
            for item_id, p in places.items()
        ]
        run_many(self._connection, _RELOCATE, rows)
        for part in chunks(list(places)):  # what is at the new place may be another object
            self._connection.execute(sa.delete(frame_tables).where(frame_tables.c.item_id.in_(part)))
        for part in chunks(affected):
            self._claim_all(part)
        return affected

    def _claiming_parents(self, item_ids: Sequence[ItemId]) -> list[ItemId]:
        """Groups whose claims are made of the addresses of these children."""
        query = (
            sa.select(item_children.c.parent_id)
            .join(items, items.c.id == item_children.c.parent_id)
            .where(item_children.c.child_id.in_(item_ids), items.c.item_type != ItemType.GROUP.value)
            .distinct()
        )
        moved = set(item_ids)
        return [ItemId(row[0]) for row in self._connection.execute(query) if row[0] not in moved]

    def _claim_all(self, item_ids: Sequence[ItemId]) -> None:
        """Claims the addresses of items that have none now, as far as they are free."""
        query = sa.select(items.c.id, items.c.folder_id, items.c.item_type, items.c.url).where(items.c.id.in_(item_ids))
        wanted: dict[ItemId, tuple[FolderId, bytes]] = {}
        for item_id, folder_id, item_type, url in self._connection.execute(query.order_by(items.c.id)).all():
            urls = self._claim_urls(item_id, ItemType(item_type), url)
            if urls:
                wanted[item_id] = (folder_id, claim_digest(folder_id, ItemType(item_type), urls))
        taken = set(self.holders([digest for _, digest in wanted.values()]))
        free: dict[bytes, ItemId] = {}
        for item_id, (_, digest) in wanted.items():
            if digest not in taken:
                free.setdefault(digest, item_id)
        self._mark_repeats({folder for item_id, (folder, digest) in wanted.items() if free.get(digest) != item_id})
        if free:
            run_many(self._connection, "UPDATE items SET claim = ? WHERE id = ?", list(free.items()))

    def mark_changed(self, item_id: ItemId, changed_at_us: int | None) -> None:
        changed = sa.update(items).where(items.c.id == item_id).values(object_changed_at=changed_at_us)
        self._connection.execute(changed)

    def _claim_urls(self, item_id: ItemId, item_type: ItemType, url: str | None) -> list[str]:
        if url is not None:
            return [url]
        if item_type is ItemType.GROUP:
            return []
        return [u for u in self._child_urls(item_id) if u is not None]

    def _claim(self, item_id: ItemId, folder_id: FolderId, digest: bytes) -> None:
        if digest in self.holders([digest]):
            self._mark_repeats({folder_id})
        else:
            self._connection.execute(sa.update(items).where(items.c.id == item_id).values(claim=digest))

    def _give_up_claims(self, item_ids: Sequence[ItemId]) -> None:
        """Frees the claims of items that leave their folder; another item with the same addresses inherits."""
        repeated = (
            sa.select(items.c.id, items.c.folder_id, items.c.item_type, items.c.url, items.c.claim)
            .join(folders, folders.c.id == items.c.folder_id)
            .where(items.c.id.in_(item_ids), items.c.claim.is_not(None), folders.c.has_repeats)
        )
        leaving = self._connection.execute(repeated).all()
        self._connection.execute(sa.update(items).where(items.c.id.in_(item_ids)).values(claim=None))
        for _, folder_id, item_type, url, claim in leaving:
            heir = self._heir(folder_id, ItemType(item_type), url, bytes(claim), item_ids)
            if heir is not None:
                self._connection.execute(sa.update(items).where(items.c.id == heir).values(claim=claim))

    def _heir(
        self, folder_id: FolderId, item_type: ItemType, url: str | None, claim: bytes, leaving: Sequence[ItemId]
    ) -> ItemId | None:
        query = sa.select(items.c.id, items.c.url).where(
            items.c.folder_id == folder_id,
            items.c.item_type == item_type.value,
            items.c.claim.is_(None),
            items.c.id.not_in(leaving),
            items.c.url.is_(None) if url is None else items.c.url == url,
        )
        for item_id, own_url in self._connection.execute(query.order_by(items.c.created_at, items.c.id)).all():
            urls = self._claim_urls(ItemId(item_id), item_type, own_url)
            if urls and claim_digest(folder_id, item_type, urls) == claim:
                return ItemId(item_id)
        return None

    def delete(self, item_ids: Sequence[ItemId]) -> Sequence[str]:
        self._give_up_claims(item_ids)
        keys = sa.select(items.c.object_key).where(items.c.id.in_(item_ids), items.c.object_key.is_not(None))
        object_keys = [row[0] for row in self._connection.execute(keys)]
        for column in (
            collection_items.c.item_id,
            data_rows.c.item_id,
            item_children.c.parent_id,
            item_children.c.child_id,
            item_vectors.c.item_id,
            quarantine.c.item_id,
            reencodings.c.item_id,
            synced_objects.c.item_id,
            frame_tables.c.item_id,
            item_metadata_history.c.item_id,
            item_metadata.c.item_id,
            items.c.id,
        ):
            self._connection.execute(sa.delete(column.table).where(column.in_(item_ids)))
        self._connection.execute(sa.delete(uploads).where(uploads.c.object_key.in_(object_keys)))
        still = self._connection.execute(sa.select(items.c.object_key).where(items.c.object_key.in_(object_keys)))
        used = {row[0] for row in still}
        return [key for key in object_keys if key not in used]

    def unlink(self, row_ids: Sequence[DataRowId]) -> None:
        self._connection.execute(sa.delete(data_rows).where(data_rows.c.id.in_(row_ids)))

    def unused_frames(self, item_ids: Sequence[ItemId]) -> Sequence[ItemId]:
        others = item_children.alias("others")
        elsewhere = sa.exists(
            sa.select(others.c.parent_id).where(
                others.c.child_id == item_children.c.child_id, others.c.parent_id.not_in(item_ids)
            )
        )
        linked = sa.exists(sa.select(data_rows.c.id).where(data_rows.c.item_id == item_children.c.child_id))
        query = (
            sa.select(item_children.c.child_id)
            .join(items, items.c.id == item_children.c.child_id)
            .where(item_children.c.parent_id.in_(item_ids), items.c.is_child, ~elsewhere, ~linked)
            .distinct()
        )
        gone = set(item_ids)
        return [ItemId(row[0]) for row in self._connection.execute(query) if row[0] not in gone]


def _changes(patch: ItemPatch, now_us: int) -> dict[str, object]:
    changes: dict[str, object] = {"edited_at": now_us}
    if patch.name is not None:
        changes |= {"name": patch.name, "name_lower": patch.name.lower()}
    for column in ("timeseries_settings", "scene_view_settings", "scene_layout"):
        value = getattr(patch, column)
        if value is not None:
            changes[column] = None if value == RESET else value
    return changes


def _item_row(item: NewItem, claim: bytes | None, now_us: int) -> tuple[object, ...]:
    facts = item.facts
    extra = facts.extra if facts.dicom_tags is None else {**facts.extra, "dicom_tags": facts.dicom_tags}
    return (
        item.id, item.folder_id, item.item_type.value, item.name, item.name.lower(), item.owner_id, now_us, now_us,
        item.url, item.integration_id, item.object_key, claim, False, item.is_child, item.facts_supplied,
        facts.file_size, facts.mime_type, facts.duration, facts.fps, facts.width, facts.height, facts.frame_count,
        facts.pages, facts.audio_sample_rate, facts.audio_bit_depth, facts.audio_codec, facts.audio_num_channels,
        facts.dicom_instance_uid, facts.dicom_study_uid, facts.dicom_series_uid,
        json.dumps(extra) if extra else None, item.timeseries_settings, item.scene, item.group_layout,
        None if item.seen is None else item.seen.etag, None if item.seen is None else item.seen.size,
    )  # fmt: skip
