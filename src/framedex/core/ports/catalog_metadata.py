"""Metadata history, the metadata schema's versions, vectors and the quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.access import Caller
from framedex.core.ids import ItemId


@dataclass(frozen=True, slots=True)
class MetadataVersion:
    """One version of an item's metadata; `text` is exact. `edited_by` is an email."""

    version: int
    text: str
    edited_by: str
    edited_at: int


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One version of the workspace's metadata schema, in its wire form."""

    version: int
    text: str
    edited_by: str
    edited_at: int


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that does not fit its key's type. `frame` is the frame key as sent, or empty for the item itself.

    `key` is `$encord` where the frame key itself names no frame.
    """

    item_id: ItemId
    frame: str
    key: str
    reason: str
    sample: str


@dataclass(frozen=True, slots=True)
class Vector:
    """An embedding as float32, little endian."""

    item_id: ItemId
    frame: str
    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How many values of a key do not fit, for one reason, with samples."""

    key: str
    reason: str
    count: int
    samples: Sequence[str]


@dataclass(frozen=True, slots=True)
class CurrentText:
    """The metadata of one item now."""

    item_id: ItemId
    version: int
    text: str


class MetadataReads(Protocol):
    """Reading what belongs to metadata."""

    def texts(self, item_ids: Sequence[ItemId]) -> dict[ItemId, str]:
        """Exact texts of the items that have metadata."""
        ...

    def history(self, item_id: ItemId) -> Sequence[MetadataVersion]:
        """All kept versions, newest first, the current one included."""
        ...

    def history_page(self, item_id: ItemId, *, before: int | None, limit: int) -> Sequence[MetadataVersion]:
        """Kept versions with a smaller number than `before`, newest first. Texts may have 10 MB each."""
        ...

    def version(self, item_id: ItemId, number: int | None = None) -> MetadataVersion | None:
        """One kept version, or the current one; None when there is none."""
        ...

    def schema(self, number: int | None = None) -> SchemaVersion | None:
        """One version, or the newest; None when there is none."""
        ...

    def schema_number(self) -> int:
        """The number of the newest version; 0 when no schema was ever saved. One short query."""
        ...

    def schema_page(self, *, before: int | None, limit: int) -> Sequence[SchemaVersion]:
        """Versions with a smaller number than `before`, newest first."""
        ...

    def quarantine_page(
        self, caller: Caller, *, key: str | None, after: tuple[str, str] | None, limit: int, samples: int
    ) -> Sequence[QuarantineCount]:
        """Misfits of the items that the caller may read, counted by key and reason, in this order behind `after`."""
        ...

    def misfit_page(
        self, caller: Caller, *, key: str, after: tuple[ItemId, str] | None, limit: int
    ) -> Sequence[Misfit]:
        """Misfits of one key in items that the caller may read, by item and frame, behind `after`."""
        ...

    def vectors(self, item_id: ItemId) -> Sequence[Vector]: ...

    def iter_current(self, after: ItemId | None, limit: int) -> Iterator[CurrentText]:
        """Up to `limit` items with metadata in id order behind `after`. Streams: texts may have 10 MB each."""
        ...

    def versions_now(self, item_ids: Sequence[ItemId]) -> Mapping[ItemId, int]:
        """The current version of each item's metadata; items without any are left out."""
        ...

    def with_derived(self, item_ids: Sequence[ItemId]) -> set[ItemId]:
        """Those of the items that have quarantine rows or vectors."""
        ...


class MetadataWrites(MetadataReads, Protocol):
    """Writing what belongs to metadata."""

    def add_schema(self, version: SchemaVersion, user_id: str) -> None:
        """Adds a version; `edited_by` of it is not looked at.

        Raises:
            Conflict: there is one with this number.
        """
        ...

    def set_derived(self, item_ids: Sequence[ItemId], misfits: Sequence[Misfit], vectors: Sequence[Vector]) -> None:
        """Replaces what is derived of these items' metadata: their quarantine rows and vectors."""
        ...

    def add_derived(self, misfits: Sequence[Misfit], vectors: Sequence[Vector]) -> None:
        """Adds what is derived of items that have nothing derived yet (fresh ones)."""
        ...

    def prune_history(self, older_than_us: int) -> int: ...
