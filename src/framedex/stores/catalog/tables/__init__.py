"""Tables of the catalog, on SQLite and PostgreSQL alike.

Ids are canonical UUID text; times are integer microseconds since 1970 UTC; JSON that a caller gave is TEXT, never
parsed and written again. Text sorts by code point on both databases (`Text` below).
"""

from framedex.stores.catalog.tables.base import metadata
from framedex.stores.catalog.tables.curation import collection_items, collections, presets
from framedex.stores.catalog.tables.datasets import data_rows, dataset_roles, datasets
from framedex.stores.catalog.tables.items import (
    frame_tables,
    item_children,
    item_metadata,
    item_metadata_history,
    item_vectors,
    items,
    quarantine,
    reencodings,
    schema_versions,
    uploads,
)
from framedex.stores.catalog.tables.people import (
    folder_roles,
    folder_tags,
    folder_tree,
    folders,
    group_members,
    groups,
    integration_roles,
    integrations,
    organisation_tags,
    tokens,
    user_keys,
    users,
)
from framedex.stores.catalog.tables.sync import synced_objects
from framedex.stores.catalog.tables.work import audit_log, change_log, creator_replays, job_units, jobs, settings

__all__ = [
    "audit_log",
    "change_log",
    "collection_items",
    "collections",
    "creator_replays",
    "data_rows",
    "dataset_roles",
    "datasets",
    "folder_roles",
    "folder_tags",
    "folder_tree",
    "folders",
    "frame_tables",
    "group_members",
    "groups",
    "integration_roles",
    "integrations",
    "item_children",
    "item_metadata",
    "item_metadata_history",
    "item_vectors",
    "items",
    "job_units",
    "jobs",
    "metadata",
    "organisation_tags",
    "presets",
    "quarantine",
    "reencodings",
    "schema_versions",
    "settings",
    "synced_objects",
    "tokens",
    "uploads",
    "user_keys",
    "users",
]
