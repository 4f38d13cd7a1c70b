"""Datasets, roles on them, and data rows: the links from a dataset to items."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, PrimaryKeyConstraint, Table

from framedex.stores.catalog.tables.base import Instant, Text, metadata

datasets = Table(
    "datasets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("backing_folder_id", Text, nullable=True, doc="the mirror folder"),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
)

dataset_roles = Table(
    "dataset_roles",
    metadata,
    Column("dataset_id", Text, ForeignKey("datasets.id"), nullable=False),
    Column("subject_id", Text, nullable=False, index=True, doc="a user or a group"),
    Column("role", Text, nullable=False, doc="user, admin"),
    PrimaryKeyConstraint("dataset_id", "subject_id"),
)

data_rows = Table(
    "data_rows",
    metadata,
    Column("id", Text, primary_key=True, doc="the SDK's data_hash"),
    Column("dataset_id", Text, ForeignKey("datasets.id"), nullable=False),
    Column("item_id", Text, ForeignKey("items.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column(
        "url_digest", LargeBinary, nullable=True, doc="digest of the item's kind and addresses; null when it has none"
    ),
    Index("ix_data_rows_item_id_dataset_id", "item_id", "dataset_id"),
    Index("ix_data_rows_dataset_id_id", "dataset_id", "id"),
    Index("ix_data_rows_dataset_id_url_digest", "dataset_id", "url_digest"),
)
