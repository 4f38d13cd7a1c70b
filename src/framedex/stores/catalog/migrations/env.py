"""Runs migrations on the connection that `stores.catalog.migrate` (or a test) hands over."""

from __future__ import annotations

from alembic import context

from framedex.stores.catalog.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
