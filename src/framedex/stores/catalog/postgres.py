"""Connections to PostgreSQL.

One writer at a time, as on SQLite: a write transaction first takes an advisory lock, which it holds until its commit.
What services check before they write stays true until they have written, whichever process serves, and `seq` is in the
order of commits. Readers see one snapshot and never wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from framedex.core.errors import InvalidArguments, Unavailable
from framedex.stores.catalog.engine import READER_POOL

#: Any number that other users of advisory locks in the same database do not take.
_WRITER_LOCK = 7305806

_SESSION = (
    "-c lock_timeout=60s -c idle_in_transaction_session_timeout=120s -c synchronous_commit=on -c timezone=UTC"
    " -c default_text_search_config=pg_catalog.simple"
)


def postgres_engine(url: str, *, for_writing: bool) -> Engine:
    """An engine on one database; the writing one has a single connection, which queues for the writer's lock.

    Raises:
        InvalidArguments: `url` is no `postgresql://user@host/database`.
    """
    engine = sa.create_engine(
        _parsed(url),
        pool_size=1 if for_writing else READER_POOL,
        max_overflow=0,
        pool_timeout=60,
        # A database that was restarted in between is met with a new connection, not with an error.
        pool_pre_ping=True,
        isolation_level="READ COMMITTED" if for_writing else "REPEATABLE READ",
        connect_args={"options": _SESSION, "connect_timeout": 10, "application_name": "framedex"},
    )
    if for_writing:

        @sa.event.listens_for(engine, "begin")
        def take_the_lock(connection: sa.Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    return engine


@contextmanager
def reachable() -> Iterator[None]:
    """Says what to look at when a database does not answer; its address may hold a password, and is not shown."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, sqlite3.Error):  # where one is copied to the other
            raise
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unavailable(
            f"The PostgreSQL database does not answer ({reason}). Check the address, that the server runs, that the "
            "database exists and that the user may log in; a password comes from FRAMEDEX_DATABASE_URL or PGPASSFILE."
        ) from None


def _parsed(url: str) -> sa.URL:
    scheme, _, rest = url.partition("://")
    try:
        parsed = sa.make_url(f"postgresql+psycopg://{rest}")
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    if scheme not in ("postgresql", "postgres") or parsed is None or not parsed.database:
        raise InvalidArguments("The database address must have the form postgresql://USER@HOST:PORT/DATABASE.")
    return parsed
