"""Creates and upgrades the database. Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from framedex.core.errors import Conflict

#: The newest revision in `migrations/versions`; a test holds it to what Alembic finds.
HEAD = "0001"

_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(engine: sa.Engine) -> str | None:
    """The revision of a database; None for an empty one."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def migrate(engine: sa.Engine) -> None:
    """Brings a database to `HEAD`.

    Raises:
        Conflict: the database is newer than this program.
    """
    revision = current_revision(engine)
    if revision == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Conflict(f"The data directory was written by a newer Framedex (revision {revision}); upgrade Framedex.")
    # The transaction takes the writer's turn first: of several processes that start at once, one migrates.
    with engine.begin() as connection:
        if _revision(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
