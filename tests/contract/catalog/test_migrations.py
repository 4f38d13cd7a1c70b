"""The database that migrations make is the one that the tables describe."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from framedex.core.errors import Conflict
from framedex.stores.catalog import migrations
from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.migrate import HEAD, current_revision, migrate
from framedex.stores.catalog.postgres import postgres_engine
from framedex.stores.catalog.tables import metadata
from tests.builders.databases import cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    if request.param == "sqlite":
        return sqlite_engine(tmp_path / "catalog.db", for_writing=True)
    return postgres_engine(cluster().new_database(), for_writing=True)


def test_migrate__makes_what_the_tables_describe(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert current_revision(engine) == HEAD
    engine.dispose()


def test_migrate__again_changes_nothing(engine: sa.Engine) -> None:
    migrate(engine)
    migrate(engine)
    assert current_revision(engine) == HEAD
    engine.dispose()


def test_migrate__refuses_what_a_newer_program_wrote(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="newer Framedex"):
        migrate(engine)
    engine.dispose()


def test_head__is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrate__two_processes_at_once() -> None:
    url = cluster().new_database()
    engines = [postgres_engine(url, for_writing=True) for _ in range(4)]
    failures: list[BaseException] = []

    def run(engine: sa.Engine) -> None:
        try:
            migrate(engine)
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert current_revision(engines[0]) == HEAD
    for engine in engines:
        engine.dispose()
