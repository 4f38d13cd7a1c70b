"""Collections and presets of the index."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table

from framedex.stores.catalog.tables.base import Instant, Text, metadata

collections = Table(
    "collections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("top_level_folder_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
)

collection_items = Table(
    "collection_items",
    metadata,
    Column("collection_id", Text, ForeignKey("collections.id"), nullable=False),
    Column("item_id", Text, nullable=False, index=True),
    PrimaryKeyConstraint("collection_id", "item_id"),
)

presets = Table(
    "presets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("top_level_folder_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("definition", Text, nullable=False, doc="exact JSON text"),
    Column("owner_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
)
