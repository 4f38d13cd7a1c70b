"""Jobs and their units, the change log, the audit log, replays of creators, settings."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, text

from framedex.stores.catalog.tables.base import Instant, Text, metadata

#: SQLite makes only INTEGER primary keys row ids, and only those count up by themselves.
Sequence = BigInteger().with_variant(Integer, "sqlite")

#: Units that are neither settled nor cancelled. Queries say it in these words, or the index does not serve them.
OPEN = text("state < 2")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False, doc="names the handler"),
    Column("state", Text, nullable=False, doc="staging, checking, applying, done, error, cancelled"),
    Column("priority", Integer, nullable=False, doc="lower runs first"),
    Column("user_id", Text, nullable=False),
    Column("folder_id", Text, nullable=True, index=True),
    Column("dataset_id", Text, nullable=True),
    Column("title", Text, nullable=False),
    Column("options", Text, nullable=False, doc="JSON for the handler"),
    Column("problems", Text, nullable=False, doc="JSON list of texts about the job as a whole"),
    Column("units_total", Integer, nullable=False),
    Column("units_done", Integer, nullable=False),
    Column("units_error", Integer, nullable=False),
    Column("units_cancelled", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=True),
    Column("lease_owner", Text, nullable=True, doc="the worker that holds an instant job as a whole"),
    Column("lease_until", Instant, nullable=True),
    Index("ix_jobs_state_priority_created_at", "state", "priority", "created_at"),
)

job_units = Table(
    "job_units",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Integer, nullable=False, doc="0 waiting, 1 checked, 2 done, 3 error, 4 cancelled"),
    Column("payload", Text, nullable=False, doc="JSON for the handler"),
    Column("checked", Text, nullable=True, doc="JSON: what checking found (facts), kept for applying"),
    Column("receipt", Text, nullable=True, doc="JSON: the effect, or the error"),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", Text, nullable=True),
    Column("lease_until", Instant, nullable=True),
    Column("not_before", Instant, nullable=False, doc="back-off after a passing fault; 0 for now"),
    PrimaryKeyConstraint("job_id", "position"),
    # Only open units are looked for by state: a settled one leaves the index and stays out of the way of leases.
    Index("ix_job_units_open", "job_id", "state", "position", sqlite_where=OPEN, postgresql_where=OPEN),
    sqlite_with_rowid=False,
)

change_log = Table(
    "change_log",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("entity", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("op", Text, nullable=False),
    sqlite_autoincrement=True,
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Sequence, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("facts", Text, nullable=False, doc="JSON: ids and names of settings, no values of metadata"),
    sqlite_autoincrement=True,
)

creator_replays = Table(
    "creator_replays",
    metadata,
    Column("digest", Text, primary_key=True, doc="of trace id, signature and body"),
    Column("response", Text, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("is_secret", Boolean, nullable=False),
)
