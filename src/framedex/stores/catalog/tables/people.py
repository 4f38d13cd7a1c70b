"""Users, keys, groups, tags, integrations, folders and the roles on them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from framedex.stores.catalog.tables.base import Instant, Text, metadata

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True, doc="lower case"),
    Column("role", Text, nullable=False, doc="ADMIN, MEMBER, TASKER, WORKFORCE_MANAGER"),
    Column("member_type", Text, nullable=False, doc="internal, external"),
    Column("is_active", Boolean, nullable=False, doc="false after removal from the workspace"),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
)

user_keys = Table(
    "user_keys",
    metadata,
    Column("key_hex", Text, primary_key=True, doc="raw Ed25519 public key, 64 lower-case hex digits"),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("comment", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("key_hex", Text, nullable=True, index=True, doc="the key that asked for it; ends with it"),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id"), nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    PrimaryKeyConstraint("group_id", "user_id"),
)

organisation_tags = Table(
    "organisation_tags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

integrations = Table(
    "integrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("strict_client_only", Boolean, nullable=False),
    Column("writable", Boolean, nullable=False),
    Column("allow_private_addresses", Boolean, nullable=False),
    Column("endpoint", Text, nullable=True, doc="of a store that is not the cloud's own host"),
    Column("region", Text, nullable=True),
    Column("path_style", Boolean, nullable=False),
    Column("credentials", LargeBinary, nullable=True, doc="sealed with the secret key"),
    Column("created_at", Instant, nullable=False),
)

integration_roles = Table(
    "integration_roles",
    metadata,
    Column("integration_id", Text, ForeignKey("integrations.id"), nullable=False),
    Column("subject_id", Text, nullable=False, index=True, doc="a user or a group"),
    Column("role", Text, nullable=False, doc="user, admin"),
    PrimaryKeyConstraint("integration_id", "subject_id"),
)

folders = Table(
    "folders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text, ForeignKey("folders.id"), nullable=True),
    Column("name", Text, nullable=False),
    Column("name_lower", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("metadata", Text, nullable=True, doc="exact JSON text"),
    Column("owner_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant, nullable=False),
    Column("folder_type", Text, nullable=False, doc="generic, cloudLinked, synthetic"),
    Column("integration_id", Text, nullable=True),
    Column("remote_url", Text, nullable=True),
    Column("dataset_id", Text, nullable=True, index=True, doc="the dataset that this folder mirrors"),
    Column("config", Text, nullable=False, doc="folder-config, unknown keys kept"),
    Column("has_repeats", Boolean, nullable=False, doc="some item here repeats the claim of another"),
    Index("ix_folders_parent_id_name_id", "parent_id", "name", "id"),
)

folder_tree = Table(
    "folder_tree",
    metadata,
    Column("ancestor_id", Text, nullable=False),
    Column("descendant_id", Text, nullable=False, index=True),
    Column("depth", Integer, nullable=False, doc="0 for the folder itself"),
    PrimaryKeyConstraint("ancestor_id", "descendant_id"),
)

folder_roles = Table(
    "folder_roles",
    metadata,
    Column("folder_id", Text, ForeignKey("folders.id"), nullable=False),
    Column("subject_id", Text, nullable=False, index=True, doc="a user or a group"),
    Column("role", Text, nullable=False, doc="user, admin"),
    PrimaryKeyConstraint("folder_id", "subject_id"),
)

folder_tags = Table(
    "folder_tags",
    metadata,
    Column("folder_id", Text, ForeignKey("folders.id"), nullable=False),
    Column("tag_id", Text, ForeignKey("organisation_tags.id"), nullable=False, index=True),
    PrimaryKeyConstraint("folder_id", "tag_id"),
)
