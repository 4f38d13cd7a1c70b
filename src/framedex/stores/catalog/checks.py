"""What must hold in a catalog beyond what its constraints say; looked at beside a server.

The statements are the same for both databases, but for what only one of them has.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from framedex.core.clock import now_us
from framedex.core.errors import Unavailable
from framedex.core.ids import FolderId
from framedex.core.items import claim_digest
from framedex.core.media_types import ItemType
from framedex.core.ports.upkeep import Finding
from framedex.stores.catalog.engine import sqlite_engine
from framedex.stores.catalog.postgres import postgres_engine, reachable
from framedex.stores.catalog.tables import metadata
from framedex.stores.catalog.transfer import counted_columns

#: Findings of one check that are told one by one; the rest is counted.
_SHOWN = 20
#: A lease that ended this long ago belongs to a process that died and whose work nobody took over.
_DEAD_US = 60_000_000

_RESTORE = "restore the newest backup into a new directory: framedex restore BACKUP --data DIR"

_MEND = "framedex doctor --mend"

#: (check, table, column that names an item, message)
_ORPHANS = (
    ("metadata", "item_metadata", "item_id", "metadata of the item {} that is not there"),
    ("history", "item_metadata_history", "item_id", "metadata history of the item {} that is not there"),
    ("vectors", "item_vectors", "item_id", "vectors of the item {} that is not there"),
    ("quarantine", "quarantine", "item_id", "quarantined values of the item {} that is not there"),
    ("frames", "frame_tables", "item_id", "the frame table of the item {} that is not there"),
    ("children", "item_children", "parent_id", "child links of the item {} that is not there"),
    ("children", "item_children", "child_id", "a group holds the item {} that is not there"),
    ("data-rows", "data_rows", "item_id", "a data row links the item {} that is not there"),
    ("collections", "collection_items", "item_id", "a collection holds the item {} that is not there"),
    ("synced-objects", "synced_objects", "item_id", "a synced object belongs to the item {} that is not there"),
)

_TREE = """
WITH RECURSIVE above(ancestor_id, descendant_id, depth) AS (
    SELECT id, id, 0 FROM folders
    UNION ALL
    SELECT folders.parent_id, above.descendant_id, above.depth + 1
    FROM above JOIN folders ON folders.id = above.ancestor_id
    WHERE folders.parent_id IS NOT NULL AND above.depth < 1000
)
"""
_TREE_WHOLE = _TREE + "SELECT ancestor_id, descendant_id, depth FROM above"
_TREE_MISSING = _TREE + "SELECT * FROM above EXCEPT SELECT ancestor_id, descendant_id, depth FROM folder_tree"
_TREE_EXTRA = _TREE + "SELECT ancestor_id, descendant_id, depth FROM folder_tree EXCEPT SELECT * FROM above"

_CLAIMED = "SELECT id, folder_id, item_type, url, claim FROM items WHERE claim IS NOT NULL"
_CHILD_URLS = """
SELECT items.url FROM item_children JOIN items ON items.id = item_children.child_id
WHERE item_children.parent_id = :parent ORDER BY item_children.position
"""
_LEASES = """
SELECT jobs.id, count(*) FROM job_units JOIN jobs ON jobs.id = job_units.job_id
WHERE (job_units.lease_until < :dead OR jobs.lease_until < :dead) AND job_units.state IN (0, 1) GROUP BY jobs.id
"""
_COUNTERS = """
SELECT jobs.id FROM jobs JOIN (
    SELECT job_id, sum(CASE WHEN state = 3 THEN 1 ELSE 0 END) AS errors,
        sum(CASE WHEN state = 4 THEN 1 ELSE 0 END) AS cancelled, count(*) AS total
    FROM job_units GROUP BY job_id
) AS units ON units.job_id = jobs.id
WHERE jobs.state != 'staging'
  AND (jobs.units_error != units.errors OR jobs.units_cancelled != units.cancelled OR jobs.units_total != units.total)
"""

_Check = Callable[[sa.Connection], Iterator[Finding]]


class SqlChecks:
    """The `CatalogChecks` port. All checks read one snapshot.

    Args:
        reader: opens transactions that change nothing; `writer` those of `mend`.
        own: what only this database has, looked at first.
        left_out: see the port.
    """

    def __init__(
        self,
        reader: Callable[[], sa.Engine],
        writer: Callable[[], sa.Engine],
        own: Sequence[_Check],
        *,
        left_out: Sequence[str] = (),
    ) -> None:
        self.left_out = left_out
        self._reader = reader
        self._writer = writer
        self._checks = (*own, _orphans, _tree, _claims, _leases, _counters)

    def findings(self) -> Iterator[Finding]:
        try:
            with _opened(self._reader) as connection:
                for check in self._checks:
                    yield from _limited(check(connection))
        except (sa.exc.DBAPIError, sqlite3.Error, Unavailable) as error:
            yield Finding("database", f"the catalog cannot be read: {_reason(error)}", _RESTORE)

    def mend(self) -> None:
        try:
            with _opened(self._writer) as connection:
                connection.exec_driver_sql("DELETE FROM folder_tree")
                insert = f"INSERT INTO folder_tree (ancestor_id, descendant_id, depth) {_TREE_WHOLE}"
                connection.exec_driver_sql(insert)
                for _, table, column, _ in _ORPHANS:
                    connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM items)")
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            raise Unavailable(f"The catalog cannot be mended: {_reason(error)}; {_RESTORE}.") from error

    def object_keys(self) -> dict[str, bool]:
        with _opened(self._reader) as connection:
            found: dict[str, bool] = dict.fromkeys(_texts(connection, "SELECT object_key FROM uploads"), False)
            # Videos that were encoded for units which are checked and not written yet.
            waiting = "SELECT checked FROM job_units WHERE checked LIKE '%\"encoded\"%'"
            for text in _texts(connection, waiting):
                found.update((key, True) for _, key, _ in json.loads(text)["encoded"])
            used = _texts(connection, "SELECT object_key FROM items WHERE object_key IS NOT NULL")
            found.update((key, True) for key in used)
        return found


def sqlite_checks(path: Path) -> SqlChecks:
    """Checks of one file, which is opened for reading alone."""
    return SqlChecks(
        partial(_sqlite_reader, path), partial(sqlite_engine, path, for_writing=True), (_integrity, _foreign_keys)
    )


def postgres_checks(url: str) -> SqlChecks:
    """Checks of a PostgreSQL database."""
    return SqlChecks(
        partial(postgres_engine, url, for_writing=False),
        partial(postgres_engine, url, for_writing=True),
        (_references, _sequences),
        left_out=("the pages of the database: PostgreSQL looks after its own (data checksums, pg_amcheck)",),
    )


def _sqlite_reader(path: Path) -> sa.Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute("PRAGMA busy_timeout=30000")
        return connection

    engine = sa.create_engine("sqlite+pysqlite://", creator=connect, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def _opened(engine: Callable[[], sa.Engine]) -> Iterator[sa.Connection]:
    made = engine()
    try:
        if made.dialect.name == "postgresql":
            with reachable(), made.connect():
                pass  # an address that leads nowhere is told in full, and without the password
        with made.begin() as connection:
            yield connection
    finally:
        made.dispose()


def _reason(error: sa.exc.DBAPIError | sqlite3.Error | Unavailable) -> str:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return str(cause).strip()


def _rows(connection: sa.Connection, query: str, **values: object) -> Iterator[Sequence[Any]]:
    with connection.execution_options(yield_per=5000).execute(sa.text(query), values) as result:
        yield from result


def _texts(connection: sa.Connection, query: str) -> Iterator[str]:
    for row in _rows(connection, query):
        yield row[0]


def _limited(findings: Iterator[Finding]) -> Iterator[Finding]:
    last: Finding | None = None
    more = 0
    for number, finding in enumerate(findings):
        if number < _SHOWN:
            yield finding
        else:
            last, more = finding, more + 1
    if last is not None:
        yield Finding(last.check, f"and {more} more of the same check", last.mend)


def _integrity(connection: sa.Connection) -> Iterator[Finding]:
    for (verdict,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if verdict != "ok":
            yield Finding("integrity", f"the database file is damaged: {verdict}", _RESTORE)


def _foreign_keys(connection: sa.Connection) -> Iterator[Finding]:
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        message = f"row {row} of the table {table} names a row of {parent} that is not there"
        yield Finding("foreign-keys", message, _RESTORE)


def _references(connection: sa.Connection) -> Iterator[Finding]:
    """What PostgreSQL checks when it writes, and does not when its triggers are off (as in some ways to restore)."""
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            named, parent = key.column.table.alias("named"), key.column.table.name
            lost = sa.and_(key.parent.is_not(None), ~sa.exists().where(named.c[key.column.name] == key.parent))
            count = connection.execute(sa.select(sa.func.count()).select_from(table).where(lost)).scalar_one()
            if count:
                message = f"{count} rows of the table {table.name} name a row of {parent} that is not there"
                yield Finding("foreign-keys", message, _RESTORE)


def _sequences(connection: sa.Connection) -> Iterator[Finding]:
    for table, column in counted_columns():
        query = f"SELECT max({column}) FROM {table}"
        newest = connection.exec_driver_sql(query).scalar_one() or 0
        name = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table}', '{column}')").scalar_one()
        last = connection.exec_driver_sql(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}")
        if newest > (given := last.scalar_one()):
            message = f"the numbers of the table {table} go up to {newest}, and its sequence gave out {given}"
            mend = f"as the database's owner: SELECT setval('{name}', {newest})"
            yield Finding("sequences", f"{message}: new rows cannot be written", mend)


def _orphans(connection: sa.Connection) -> Iterator[Finding]:
    mend = f"{_MEND} drops what is left of it; to have the item back, {_RESTORE}"
    for check, table, column, message in _ORPHANS:
        named = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        for item_id in _texts(connection, f"{named} EXCEPT SELECT id FROM items"):
            yield Finding(check, message.format(item_id), mend)


def _tree(connection: sa.Connection) -> Iterator[Finding]:
    mend = f"{_MEND} writes the tree anew from the parents of folders"
    for ancestor, descendant, depth in _rows(connection, _TREE_MISSING):
        message = f"the folder tree lacks that {descendant} lies {depth} below {ancestor}: roles there do not reach it"
        yield Finding("folder-tree", message, mend)
    for ancestor, descendant, depth in _rows(connection, _TREE_EXTRA):
        message = f"the folder tree says that {descendant} lies {depth} below {ancestor}, and it does not"
        yield Finding("folder-tree", message, mend)


def _claims(connection: sa.Connection) -> Iterator[Finding]:
    mend = "move the item to another folder and back, which claims its addresses anew"
    for item_id, folder_id, item_type, url, claim in _rows(connection, _CLAIMED):
        urls = [url] if url is not None else [row[0] for row in _rows(connection, _CHILD_URLS, parent=item_id)]
        if None in urls or claim_digest(FolderId(folder_id), ItemType(item_type), urls) != bytes(claim):
            message = f"the claim of the item {item_id} is not that of its folder, kind and addresses"
            yield Finding("claims", f"{message}: duplicates of it are not seen", mend)


def _leases(connection: sa.Connection) -> Iterator[Finding]:
    for job_id, count in _rows(connection, _LEASES, dead=now_us() - _DEAD_US):
        message = f"{count} units of the job {job_id} are held by a process that died"
        yield Finding("leases", message, "start the server (framedex serve): it takes them over")


def _counters(connection: sa.Connection) -> Iterator[Finding]:
    for (job_id,) in _rows(connection, _COUNTERS):
        yield Finding("jobs", f"the counters of the job {job_id} are not those of its units", _RESTORE)
