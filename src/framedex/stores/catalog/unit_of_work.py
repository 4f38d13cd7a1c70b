"""Units of work over SQL: the only place that commits."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from framedex.core.clock import now_us
from framedex.core.errors import Conflict, InvalidArguments, StorageFull, Unavailable
from framedex.core.ports.catalog import AuditEntry, Entity, Op
from framedex.stores.catalog.checkpoints import Checkpoints
from framedex.stores.catalog.curation import SqlCuration
from framedex.stores.catalog.datasets import SqlDatasets
from framedex.stores.catalog.disk import DiskReserve
from framedex.stores.catalog.documents import SqlDocuments
from framedex.stores.catalog.driver_sql import insert_many
from framedex.stores.catalog.engine import WriterLine
from framedex.stores.catalog.folder_sync import SqlSyncs
from framedex.stores.catalog.folders import SqlFolders
from framedex.stores.catalog.frame_tables import SqlFrameTables
from framedex.stores.catalog.items_write import SqlItems
from framedex.stores.catalog.jobs import SqlJobs
from framedex.stores.catalog.metadata import SqlMetadata
from framedex.stores.catalog.people import SqlPeople
from framedex.stores.catalog.reencodings import SqlReencodings
from framedex.stores.catalog.tables import audit_log, change_log, creator_replays
from framedex.stores.catalog.uploads import SqlUploads


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    seq: int
    entity: str
    entity_id: str
    op: str


class SqlUnit:
    """One transaction on one connection; the stores of all aggregates share it."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.folders = SqlFolders(connection)
        self.items = SqlItems(connection)
        self.metadata = SqlMetadata(connection)
        self.people = SqlPeople(connection)
        self.uploads = SqlUploads(connection)
        self.jobs = SqlJobs(connection)
        self.datasets = SqlDatasets(connection)
        self.curation = SqlCuration(connection)
        self.documents = SqlDocuments(connection)
        self.reencodings = SqlReencodings(connection)
        self.syncs = SqlSyncs(connection)
        self.frame_tables = SqlFrameTables(connection)
        self._changes: list[tuple[str, str, str]] = []
        self._audits: list[tuple[object, ...]] = []
        self._others: list[Callable[[], object]] = []
        self.afterwards: list[Callable[[], object]] = []

    def changes_after(self, seq: int, limit: int) -> Sequence[ChangeEntry]:
        query = (
            sa.select(change_log.c.seq, change_log.c.entity, change_log.c.entity_id, change_log.c.op)
            .where(change_log.c.seq > seq)
            .order_by(change_log.c.seq)
            .limit(limit)
        )
        return [ChangeEntry(*row) for row in self.connection.execute(query)]

    def audits_after(self, entry_id: int, limit: int, *, since_us: int, user_id: str | None) -> Sequence[AuditEntry]:
        entry = audit_log.c
        query = sa.select(entry.id, entry.at, entry.user_id, entry.action, entry.entity, entry.entity_id, entry.facts)
        query = query.where(entry.id > entry_id, entry.at >= since_us)
        if user_id is not None:
            query = query.where(entry.user_id == user_id)
        return [AuditEntry(*row) for row in self.connection.execute(query.order_by(entry.id).limit(limit))]

    def last_seq(self) -> int:
        # By the driver: each writing request asks this, and compiling it takes longer than answering.
        return int(self.connection.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM change_log").scalar_one())

    def log(self, entity: Entity, op: Op, ids: Iterable[str]) -> None:
        self._changes.extend((entity.value, entity_id, op.value) for entity_id in ids)

    def audit(self, user_id: str, action: str, entity: Entity, ids: Iterable[str], **facts: object) -> None:
        text = json.dumps(facts) if facts else "{}"
        at = now_us()
        self._audits.extend((at, user_id, action, entity.value, i, text) for i in ids)

    def remembered_response(self, digest: str, newer_than_us: int) -> str | None:
        query = sa.select(creator_replays.c.response).where(
            creator_replays.c.digest == digest, creator_replays.c.created_at >= newer_than_us
        )
        return self.connection.execute(query).scalar_one_or_none()

    def remember_response(self, digest: str, response: str, now_us: int) -> None:
        ten_minutes = 600 * 1_000_000
        old = creator_replays.c.created_at < now_us - ten_minutes
        self.connection.execute(sa.delete(creator_replays).where(sa.or_(old, creator_replays.c.digest == digest)))
        row = {"digest": digest, "response": response, "created_at": now_us}
        self.connection.execute(sa.insert(creator_replays).values(row))

    def before_commit(self, call: Callable[[], object]) -> None:
        self._others.append(call)

    def after_commit(self, call: Callable[[], object]) -> None:
        self.afterwards.append(call)

    def call_others(self) -> None:
        for call in self._others:
            call()

    def flush_logs(self) -> int | None:
        """Writes audit and, last of all, change-log entries; answers the last seq."""
        audit_columns = ("at", "user_id", "action", "entity", "entity_id", "facts")
        insert_many(self.connection, "audit_log", audit_columns, self._audits)
        if not self._changes:
            return None
        insert_many(self.connection, "change_log", ("entity", "entity_id", "op"), self._changes)
        return self.last_seq()


class _Transaction:
    """A transaction that writes: one unit, or several that belong together."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.seq: int | None = None
        self.afterwards: list[Callable[[], object]] = []

    @contextmanager
    def unit(self) -> Iterator[SqlUnit]:
        unit = SqlUnit(self.connection)
        yield unit
        seq = unit.flush_logs()
        unit.call_others()
        self.seq = self.seq if seq is None else seq
        self.afterwards += unit.afterwards

    @contextmanager
    def part(self) -> Iterator[SqlUnit]:
        """A unit beside others; when it fails, nothing of it is kept, whatever becomes of them."""
        with self.connection.begin_nested(), self.unit() as unit:
            yield unit


class _Together:
    """What `SqlCatalog.together` holds: nothing until the first unit that writes."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.transaction: _Transaction | None = None


class _Thread(threading.local):
    """What a thread has under way: the newest seq that it committed while watched, and units that belong together."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self.together: _Together | None = None


class SqlCatalog:
    """The `Catalog` port over SQLAlchemy engines: one for reading, one for writing.

    Args:
        reserve: of the disk that the database lies on; None where that is another machine's.
        sqlite_file: the file of a SQLite database, whose WAL is moved into it meanwhile.
    """

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, reserve: DiskReserve | None, *, sqlite_file: Path | None = None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._reserve = reserve
        self._line = WriterLine()
        self._checkpoints = None if sqlite_file is None else Checkpoints(sqlite_file, self._line)
        self._thread = _Thread()

    @contextmanager
    def read(self) -> Iterator[SqlUnit]:
        together = self._thread.together
        if together is not None and together.transaction is not None:
            with _translated():
                yield SqlUnit(together.transaction.connection)
            return
        with _translated(), self._reader.connect() as connection, connection.begin():
            yield SqlUnit(connection)

    @contextmanager
    def write(self, *, frees: bool = False, apart: bool = False) -> Iterator[SqlUnit]:
        if self._reserve is not None and not frees:
            self._reserve.check()
        together = self._thread.together
        if together is None or (apart and together.transaction is None):
            with self._transaction() as transaction, transaction.unit() as unit:
                yield unit
            return
        if together.transaction is None:
            together.transaction = together.stack.enter_context(self._transaction())
        with _translated(), together.transaction.part() as unit:
            yield unit

    @contextmanager
    def together(self) -> Iterator[None]:
        assert self._thread.together is None, "units that belong together hold no others that do"
        try:
            with ExitStack() as stack:
                self._thread.together = _Together(stack)
                yield
        finally:
            self._thread.together = None

    @contextmanager
    def _transaction(self) -> Iterator[_Transaction]:
        with _translated(), self._line.turn(), self._writer.connect() as connection:
            transaction = _Transaction(connection)
            with connection.begin() as begun:
                yield transaction
                _commit(begun)
        if transaction.seq is not None:
            self._thread.seq = transaction.seq
        if self._checkpoints is not None:
            self._checkpoints.committed()
        for call in transaction.afterwards:
            call()

    @contextmanager
    def watch_seq(self) -> Iterator[_Thread]:
        self._thread.seq = None
        yield self._thread

    def close(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.close()
        self._reader.dispose()
        self._writer.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors become domain errors; texts of SQL stay inside."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody else changed the same thing at this moment; try again.") from error
    except sa.exc.TimeoutError as error:
        raise Unavailable("The server has too much to do at this moment; nothing was written; try again.") from error
    except sa.exc.OperationalError as error:
        raise _operational(error) from error
    except (sa.exc.InterfaceError, sa.exc.InternalError) as error:  # a connection that the database ended
        raise Unavailable(_SILENT) from error
    except sa.exc.DataError as error:
        raise InvalidArguments(
            "A value cannot be stored: a NUL character in a text, or a number out of range."
        ) from error


def _commit(transaction: sa.RootTransaction) -> None:
    """Commits, and does not claim to know what became of it when the database goes away in that moment."""
    try:
        transaction.commit()
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(
                "The catalog's database went away while it kept this change: look whether it is there, then try again."
            ) from error
        raise


#: What SQLite says on a full disk: of the database, its WAL, and the shared memory beside them.
_FULL = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)


_SILENT = "The catalog's database does not answer; nothing was written; try again."

#: `disk_full` (PostgreSQL, appendix A).
_POSTGRES_FULL = "53100"


def _operational(error: sa.exc.OperationalError) -> StorageFull | Unavailable:
    cause = error.orig
    is_full = isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode in _FULL
    if is_full or getattr(cause, "sqlstate", None) == _POSTGRES_FULL:
        return StorageFull("The disk of the catalog is full: nothing was written; free space and try again.")
    return Unavailable(_SILENT)
