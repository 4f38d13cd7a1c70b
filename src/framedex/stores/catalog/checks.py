"""What must hold in a SQLite catalog beyond what its constraints say; looked at beside a server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from framedex.core.clock import now_us
from framedex.core.errors import Unavailable
from framedex.core.ids import FolderId
from framedex.core.items import claim_digest
from framedex.core.media_types import ItemType
from framedex.core.ports.upkeep import Finding

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
    ("children", "item_children", "parent_id", "child links of the item {} that is not there"),
    ("children", "item_children", "child_id", "a group holds the item {} that is not there"),
    ("data-rows", "data_rows", "item_id", "a data row links the item {} that is not there"),
    ("collections", "collection_items", "item_id", "a collection holds the item {} that is not there"),
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
WHERE item_children.parent_id = ? ORDER BY item_children.position
"""
_LEASES = """
SELECT jobs.id, count(*) FROM job_units JOIN jobs ON jobs.id = job_units.job_id
WHERE min(coalesce(job_units.lease_until, :now), coalesce(jobs.lease_until, :now)) < :dead
  AND job_units.state IN (0, 1) GROUP BY jobs.id
"""
_COUNTERS = """
SELECT jobs.id FROM jobs JOIN (
    SELECT job_id, sum(state = 3) AS errors, sum(state = 4) AS cancelled, count(*) AS total
    FROM job_units GROUP BY job_id
) AS units ON units.job_id = jobs.id
WHERE jobs.state != 'staging'
  AND (jobs.units_error != units.errors OR jobs.units_cancelled != units.cancelled OR jobs.units_total != units.total)
"""


class SqliteChecks:
    """The `CatalogChecks` port over one file. Each check reads one snapshot."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def findings(self) -> Iterator[Finding]:
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                for check in (_integrity, _foreign_keys, _orphans, _tree, _claims, _leases, _counters):
                    yield from _limited(check(connection))
        except sqlite3.Error as error:
            yield Finding("database", f"the catalog {self._path} cannot be read: {error}", _RESTORE)

    def mend(self) -> None:
        try:
            with closing(self._connect("rw")) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM folder_tree")
                connection.execute(f"INSERT INTO folder_tree (ancestor_id, descendant_id, depth) {_TREE_WHOLE}")
                for _, table, column, _ in _ORPHANS:
                    connection.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM items)")
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"The catalog {self._path} cannot be mended: {error}; {_RESTORE}.") from error

    def object_keys(self) -> dict[str, bool]:
        with closing(self._connect()) as connection:
            connection.execute("BEGIN")
            found: dict[str, bool] = dict.fromkeys(_texts(connection, "SELECT object_key FROM uploads"), False)
            # Videos that were encoded for units which are checked and not written yet.
            waiting = "SELECT checked FROM job_units WHERE checked LIKE '%\"encoded\"%'"
            for text in _texts(connection, waiting):
                found.update((key, True) for _, key, _ in json.loads(text)["encoded"])
            used = _texts(connection, "SELECT object_key FROM items WHERE object_key IS NOT NULL")
            found.update((key, True) for key in used)
        return found

    def _connect(self, mode: str = "ro") -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        connection.execute("PRAGMA busy_timeout=30000")
        return connection


def _texts(connection: sqlite3.Connection, query: str) -> Iterator[str]:
    for row in connection.execute(query):
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


def _integrity(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (verdict,) in connection.execute("PRAGMA integrity_check(20)"):
        if verdict != "ok":
            yield Finding("integrity", f"the database file is damaged: {verdict}", _RESTORE)


def _foreign_keys(connection: sqlite3.Connection) -> Iterator[Finding]:
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        message = f"row {row} of the table {table} names a row of {parent} that is not there"
        yield Finding("foreign-keys", message, _RESTORE)


def _orphans(connection: sqlite3.Connection) -> Iterator[Finding]:
    mend = f"{_MEND} drops what is left of it; to have the item back, {_RESTORE}"
    for check, table, column, message in _ORPHANS:
        for item_id in _texts(connection, f"SELECT {column} FROM {table} EXCEPT SELECT id FROM items"):
            yield Finding(check, message.format(item_id), mend)


def _tree(connection: sqlite3.Connection) -> Iterator[Finding]:
    mend = f"{_MEND} writes the tree anew from the parents of folders"
    for ancestor, descendant, depth in connection.execute(_TREE_MISSING):
        message = f"the folder tree lacks that {descendant} lies {depth} below {ancestor}: roles there do not reach it"
        yield Finding("folder-tree", message, mend)
    for ancestor, descendant, depth in connection.execute(_TREE_EXTRA):
        message = f"the folder tree says that {descendant} lies {depth} below {ancestor}, and it does not"
        yield Finding("folder-tree", message, mend)


def _claims(connection: sqlite3.Connection) -> Iterator[Finding]:
    mend = "move the item to another folder and back, which claims its addresses anew"
    for item_id, folder_id, item_type, url, claim in connection.execute(_CLAIMED):
        urls = [url] if url is not None else [row[0] for row in connection.execute(_CHILD_URLS, (item_id,))]
        if None in urls or claim_digest(FolderId(folder_id), ItemType(item_type), urls) != bytes(claim):
            message = f"the claim of the item {item_id} is not that of its folder, kind and addresses"
            yield Finding("claims", f"{message}: duplicates of it are not seen", mend)


def _leases(connection: sqlite3.Connection) -> Iterator[Finding]:
    moments = {"now": now_us(), "dead": now_us() - _DEAD_US}
    for job_id, count in connection.execute(_LEASES, moments):
        message = f"{count} units of the job {job_id} are held by a process that died"
        yield Finding("leases", message, "start the server (framedex serve): it takes them over")


def _counters(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (job_id,) in connection.execute(_COUNTERS):
        yield Finding("jobs", f"the counters of the job {job_id} are not those of its units", _RESTORE)
