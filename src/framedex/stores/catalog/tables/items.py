"""Items, their children, metadata with history, vectors and quarantine; the schema's versions; upload places."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    text,
)

from framedex.stores.catalog.tables.base import Instant, Text, metadata

items = Table(
    "items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("folder_id", Text, ForeignKey("folders.id"), nullable=False),
    Column("item_type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_lower", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
    Column("url", Text, nullable=True, doc="address as sent; the upload key for our own objects"),
    Column("integration_id", Text, nullable=True),
    Column("object_key", Text, nullable=True, doc="key among our own objects"),
    Column("claim", LargeBinary, nullable=True, doc="digest of (folder, kind, addresses) when first to hold it"),
    Column("is_tombstone", Boolean, nullable=False),
    Column("is_child", Boolean, nullable=False, doc="a frame or slice registered as part of a group"),
    Column("facts_supplied", Boolean, nullable=False, doc="media facts came from the caller, unverified"),
    Column("file_size", Instant, nullable=True),
    Column("mime_type", Text, nullable=True),
    Column("duration", Float, nullable=True, doc="seconds"),
    Column("fps", Float, nullable=True),
    Column("width", Integer, nullable=True),
    Column("height", Integer, nullable=True),
    Column("frame_count", Integer, nullable=True),
    Column("pages", Integer, nullable=True),
    Column("audio_sample_rate", Integer, nullable=True),
    Column("audio_bit_depth", Integer, nullable=True),
    Column("audio_codec", Text, nullable=True),
    Column("audio_num_channels", Integer, nullable=True),
    Column("dicom_instance_uid", Text, nullable=True),
    Column("dicom_study_uid", Text, nullable=True),
    Column("dicom_series_uid", Text, nullable=True),
    Column("extra", Text, nullable=True, doc="JSON: facts of the kind, DICOM tags"),
    Column("timeseries_settings", Text, nullable=True),
    Column("scene", Text, nullable=True, doc="exact JSON text of a structured scene"),
    Column("scene_view_settings", Text, nullable=True),
    Column("scene_layout", Text, nullable=True),
    Column("group_layout", Text, nullable=True, doc="JSON: layout, settings, timeline, layoutContents of a data group"),
    Column(
        "remote_etag", Text, nullable=True, doc="of the object when it was read; null: never, or the store has none"
    ),
    Column("remote_size", Instant, nullable=True, doc="bytes of the object when it was read; null: never"),
    Column("object_changed_at", Instant, nullable=True, doc="since when a read finds another object than that"),
    Index("ix_items_folder_id_name_id", "folder_id", "name", "id"),
    Index("ix_items_folder_id_created_at_id", "folder_id", "created_at", "id"),
    Index(
        "ix_items_object_key",
        "object_key",
        sqlite_where=text("object_key IS NOT NULL"),
        postgresql_where=text("object_key IS NOT NULL"),
    ),
    # PostgreSQL's B-trees take no long addresses.
    Index(
        "ix_items_url",
        "url",
        postgresql_using="hash",
        sqlite_where=text("integration_id IS NOT NULL"),
        postgresql_where=text("integration_id IS NOT NULL"),
    ),
    Index(
        "uq_items_claim",
        "claim",
        unique=True,
        sqlite_where=text("claim IS NOT NULL"),
        postgresql_where=text("claim IS NOT NULL"),
    ),
)

item_children = Table(
    "item_children",
    metadata,
    Column("parent_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("child_id", Text, nullable=False, index=True),
    PrimaryKeyConstraint("parent_id", "position"),
)

item_metadata = Table(
    "item_metadata",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False, doc="exact JSON text"),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

item_metadata_history = Table(
    "item_metadata_history",
    metadata,
    Column("item_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", Instant, nullable=False),
    PrimaryKeyConstraint("item_id", "version"),
)

item_vectors = Table(
    "item_vectors",
    metadata,
    Column("item_id", Text, nullable=False),
    Column("frame", Text, nullable=False, doc="frame key as sent; empty for the item itself"),
    Column("key", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False, doc="float32, little endian"),
    PrimaryKeyConstraint("item_id", "frame", "key"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("item_id", Text, nullable=False),
    Column("frame", Text, nullable=False, doc="frame key as sent; empty for the item itself"),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sample", Text, nullable=False, doc="the value's text, shortened"),
    PrimaryKeyConstraint("item_id", "frame", "key"),
    Index("ix_quarantine_key", "key"),
)

frame_tables = Table(
    "frame_tables",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False, doc="the frame table of a video, packed"),
)

reencodings = Table(
    "reencodings",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("source_id", Text, nullable=False, index=True, doc="the item that it was encoded of; it may be gone"),
    Column("frame_map", LargeBinary, nullable=False, doc="old frames to new ones, packed"),
)

schema_versions = Table(
    "schema_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False, doc="wire form"),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", Instant, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("item_id", Text, primary_key=True, doc="placeholder: the id that the item will have"),
    Column("object_key", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("folder_id", Text, nullable=True, doc="null on the dataset route, where the folder is named later"),
    Column("item_type", Text, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("is_registered", Boolean, nullable=False, doc="closed: an item uses the object"),
)
