"""What synced folders know of the objects of their buckets."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, text

from framedex.stores.catalog.tables.base import Instant, Text, metadata

synced_objects = Table(
    "synced_objects",
    metadata,
    Column("folder_id", Text, nullable=False),
    Column("key", Text, nullable=False, doc="as listings are ordered: a key of the bucket, an address of a local file"),
    Column("etag", Text, nullable=True, doc="of the newest listing that was applied; of a sidecar, that was seen"),
    Column("size", Instant, nullable=False),
    Column("item_id", Text, nullable=True, doc="what the object became; of a sidecar, the item that has its content"),
    Column("is_gone", Boolean, nullable=False),
    Column("media_key", Text, nullable=True, doc="of a sidecar alone: the object that it is about"),
    Column("given_etag", Text, nullable=True, doc="of a sidecar: what it was when the item was given its content"),
    Column("given_size", Instant, nullable=True),
    Column(
        "given_version", Instant, nullable=True, doc="of a sidecar: the version of the item's metadata that it made"
    ),
    PrimaryKeyConstraint("folder_id", "key"),
    Index(
        "ix_synced_objects_item_id",
        "item_id",
        sqlite_where=text("item_id IS NOT NULL"),
        postgresql_where=text("item_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)
