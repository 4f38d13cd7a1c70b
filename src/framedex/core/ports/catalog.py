"""The catalog: the truth, in units of work.

A read unit sees one snapshot. A write unit is one transaction: its rows and its change-log entries commit together or
not at all, and commits are ordered by `seq`. Nothing slow (files, network, probing) happens inside one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from framedex.core.ports.catalog_curation import CurationReads, CurationWrites
from framedex.core.ports.catalog_datasets import DatasetReads, DatasetWrites
from framedex.core.ports.catalog_documents import DocumentReads
from framedex.core.ports.catalog_folders import FolderReads, FolderWrites
from framedex.core.ports.catalog_frames import FrameTableReads, FrameTableWrites
from framedex.core.ports.catalog_items import ItemReads, ItemWrites
from framedex.core.ports.catalog_jobs import JobReads, JobWrites
from framedex.core.ports.catalog_metadata import MetadataReads, MetadataWrites
from framedex.core.ports.catalog_people import PeopleReads, PeopleWrites
from framedex.core.ports.catalog_reencodings import ReencodingReads, ReencodingWrites
from framedex.core.ports.catalog_sync import SyncReads, SyncWrites
from framedex.core.ports.catalog_uploads import UploadReads, UploadWrites


class Entity(StrEnum):
    """What a change-log entry is about."""

    ITEM = "item"
    ITEM_METADATA = "item_metadata"
    FOLDER = "folder"
    DATASET = "dataset"
    DATA_ROW = "data_row"
    COLLECTION = "collection"
    PRESET = "preset"
    SCHEMA = "schema"
    USER = "user"
    GROUP = "group"
    TAG = "tag"
    INTEGRATION = "integration"
    KEY = "key"
    TOKEN = "token"
    JOB = "job"
    RIGHTS = "rights"


class Op(StrEnum):
    """What a change did."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


class Change(Protocol):
    """One entry of the change log."""

    @property
    def seq(self) -> int: ...
    @property
    def entity(self) -> str: ...
    @property
    def entity_id(self) -> str: ...
    @property
    def op(self) -> str: ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing. `facts` is a JSON object; `at` is microseconds since 1970 UTC."""

    id: int
    at: int
    user_id: str
    action: str
    entity: str
    entity_id: str
    facts: str


class ReadUnit(Protocol):
    """A consistent view for reading."""

    @property
    def folders(self) -> FolderReads: ...
    @property
    def items(self) -> ItemReads: ...
    @property
    def metadata(self) -> MetadataReads: ...
    @property
    def people(self) -> PeopleReads: ...
    @property
    def uploads(self) -> UploadReads: ...
    @property
    def jobs(self) -> JobReads: ...
    @property
    def datasets(self) -> DatasetReads: ...
    @property
    def curation(self) -> CurationReads: ...
    @property
    def documents(self) -> DocumentReads: ...
    @property
    def reencodings(self) -> ReencodingReads: ...
    @property
    def syncs(self) -> SyncReads: ...
    @property
    def frame_tables(self) -> FrameTableReads: ...

    def remembered_response(self, digest: str, newer_than_us: int) -> str | None:
        """The first response of a retried creator, if it was stored since then."""
        ...

    def changes_after(self, seq: int, limit: int) -> Sequence[Change]:
        """Entries with a greater seq, in order."""
        ...

    def audits_after(self, entry_id: int, limit: int, *, since_us: int, user_id: str | None) -> Sequence[AuditEntry]:
        """Audit entries with a greater id, in order, from an instant on; of one user when named."""
        ...

    def last_seq(self) -> int:
        """The newest committed seq; 0 when nothing was ever written."""
        ...


class WriteUnit(Protocol):
    """One transaction; reads inside see its own writes."""

    @property
    def folders(self) -> FolderWrites: ...
    @property
    def items(self) -> ItemWrites: ...
    @property
    def metadata(self) -> MetadataWrites: ...
    @property
    def people(self) -> PeopleWrites: ...
    @property
    def uploads(self) -> UploadWrites: ...
    @property
    def jobs(self) -> JobWrites: ...
    @property
    def datasets(self) -> DatasetWrites: ...
    @property
    def curation(self) -> CurationWrites: ...
    @property
    def reencodings(self) -> ReencodingWrites: ...
    @property
    def syncs(self) -> SyncWrites: ...
    @property
    def frame_tables(self) -> FrameTableWrites: ...

    def log(self, entity: Entity, op: Op, ids: Iterable[str]) -> None:
        """Adds change-log entries; they are written last, so that seq is in commit order."""
        ...

    def before_commit(self, call: Callable[[], object]) -> None:
        """Calls this when all is written and the commit alone is left: it waits for the disk, and others may work."""
        ...

    def after_commit(self, call: Callable[[], object]) -> None:
        """Calls this when the rows are durable, and never when they were rolled back."""
        ...

    def audit(self, user_id: str, action: str, entity: Entity, ids: Iterable[str], **facts: object) -> None:
        """Adds audit entries: who did what to which thing. `facts` never hold values of metadata."""
        ...

    def remembered_response(self, digest: str, newer_than_us: int) -> str | None:
        """As that of `ReadUnit`: nobody else can remember one before this unit ends."""
        ...

    def remember_response(self, digest: str, response: str, now_us: int) -> None: ...


class SeqWatch(Protocol):
    """Filled while it is entered: the seq of the last unit that this thread committed, or None."""

    @property
    def seq(self) -> int | None: ...


class Catalog(Protocol):
    """Opens units of work. Thread-safe. A unit is used by one thread."""

    def read(self) -> AbstractContextManager[ReadUnit]: ...

    def write(self, *, frees: bool = False, apart: bool = False) -> AbstractContextManager[WriteUnit]:
        """Waits in line for the writer (first come, first served), commits on a clean exit, else rolls back.

        Work that frees something (deletes, cancels, ends of leases) says so, and may use the disk's reserve. Batches
        that must not wait for what `together` has to add say `apart`, and commit on their own.

        Raises:
            StorageFull: the disk reserve is reached. Unavailable: the database does not answer. Conflict: a row was
            taken meanwhile.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """While it is entered, units of this thread that write are one transaction, which its end commits.

        It begins with the first of them; units that read see what was written from then on. An exception that leaves
        rolls all of it back.
        """
        ...

    def watch_seq(self) -> AbstractContextManager[SeqWatch]: ...
