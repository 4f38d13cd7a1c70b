"""The index: derived from the catalog, disposable, made for questions over many items.

What it answers is true of the catalog at `position().seq`. Rights are part of every question: a `Visibility` comes with
each and nothing outside it is returned, counted or told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from framedex.core.filters.ast import Field, Node
from framedex.core.filters.fields import Kind, View
from framedex.core.ids import CollectionId, DataRowId, DatasetId, FolderId, ItemId
from framedex.core.metadata.values import Value
from framedex.core.quick import quick_dataclass


class Position(NamedTuple):
    """How far an index is.

    Attributes:
        seq: that it has applied.
        schema_version: of the schema that types its columns.
        mark: what the change of that seq is about. Where the log says otherwise, the index is of another catalog.
    """

    seq: int
    schema_version: int
    mark: str = ""


@quick_dataclass(frozen=True, slots=True)
class IndexedFrame:
    """A frame on the sampling grid, or one that was named. `time` is in seconds, None for what has no time."""

    number: int
    time: float | None
    is_keyframe: bool
    values: Mapping[str, Value]


@quick_dataclass(frozen=True, slots=True)
class IndexedItem:
    """An item as the index holds it.

    Attributes:
        builtin: values of built-in fields by name without `$`, sets left out.
        values: the typed view of its metadata.
        rows: data rows that link it.
    """

    id: ItemId
    folder_id: FolderId
    is_child: bool
    builtin: Mapping[str, object]
    values: Mapping[str, Value]
    rows: Sequence[tuple[DataRowId, DatasetId]] = ()
    collections: Sequence[CollectionId] = ()
    parents: Sequence[ItemId] = ()
    frames: Sequence[IndexedFrame] = ()


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """Changes that are applied together; all of an item replaces what was there of it.

    Attributes:
        gone_places: folders and collections that were deleted.
    """

    position: Position
    items: Sequence[IndexedItem] = ()
    gone: Sequence[ItemId] = ()
    gone_places: Sequence[FolderId | CollectionId] = ()

    @property
    def is_empty(self) -> bool:
        """Whether only the position moves."""
        return not (self.items or self.gone or self.gone_places)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a caller may see: items in these folders, and items that these datasets link (or whose parent they link).

    Attributes:
        folders: None for everything.
        collections: whose membership the caller may know of.
    """

    folders: Sequence[FolderId] | None
    datasets: Sequence[DatasetId] = ()
    collections: Sequence[CollectionId] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look; everything when all are None. `folders` are a folder and all below it."""

    folders: Sequence[FolderId] | None = None
    dataset: DatasetId | None = None
    collection: CollectionId | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows are meant."""

    filter: Node
    view: View
    visibility: Visibility
    scope: Scope = field(default_factory=Scope)


class Sort(NamedTuple):
    """What rows are ordered by; rows without a value come last. Ties are ordered by the ids of items, then frames."""

    field: Field
    is_descending: bool = False


#: The values that a row is sorted by, then its item and, in the view of frames, its frame.
SortKey = tuple[str | int | float | bool | None, ...]


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which part of the rows is wanted: `limit` rows behind `after`."""

    sort: Sequence[Sort]
    limit: int
    after: SortKey | None = None
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """One row of an answer; `values` in the order of the fields asked for."""

    item_id: ItemId
    frame: int | None
    time: float | None
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class RowsPage:
    """A stretch of rows; `next_key` is the key of the last when others stand behind it, else None.

    Attributes:
        count: of all rows that the question means.
    """

    rows: Sequence[IndexedRow]
    next_key: SortKey | None
    count: int


@dataclass(frozen=True, slots=True)
class FacetQuestion:
    """A field to count values of: `bins` of equal width for numbers and times, else the `top` most frequent values."""

    field: Field
    bins: int | None = None
    top: int = 20


class Bucket(NamedTuple):
    """A value and how many rows have it."""

    value: object
    frequency: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Values by frequency, the most frequent first, ties by value. `distinct` counts all of them."""

    buckets: Sequence[Bucket]
    missing: int
    distinct: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[i]` values lie in `edges[i] <= value < edges[i + 1]`, the last edge included; no values, no edges."""

    edges: Sequence[float]
    counts: Sequence[int]
    missing: int


Facet = Terms | Histogram


class IndexReader(Protocol):
    """Questions, each answered from one snapshot. Thread-safe."""

    def position(self) -> Position: ...

    def kinds(self, key: str, visibility: Visibility) -> frozenset[Kind]:
        """Kinds that values of a metadata key have, among what may be seen; none when nothing there has the key."""
        ...

    def keys(self, visibility: Visibility) -> Sequence[str]:
        """Metadata keys with values among what may be seen, in the order in which they appeared."""
        ...

    def rows(self, question: Question, page: PageOf) -> RowsPage:
        """A page, and how many rows there are in all."""
        ...

    def facets(self, question: Question, facets: Sequence[FacetQuestion]) -> tuple[Sequence[Facet], int]:
        """One answer for each facet, in order, and how many rows there are in all."""
        ...


class Index(IndexReader, Protocol):
    """One thread writes, any number read."""

    def apply(self, batch: IndexBatch) -> None:
        """Applies a batch and its position in one transaction. Applying one again changes nothing."""
        ...

    def items_of_rows(self, row_ids: Sequence[DataRowId]) -> Sequence[ItemId]:
        """Items that these data rows linked when they were indexed."""
        ...

    def close(self) -> None: ...


class IndexFiles(Protocol):
    """The files that an index is kept in: one is current, another may be in the making."""

    def current(self) -> Index | None:
        """Opens the index that was adopted last; None where there is none that can be used."""
        ...

    def create(self) -> Index:
        """A new and empty index beside the current one; what an earlier attempt left is removed."""
        ...

    def adopt(self, index: Index) -> None:
        """Makes an index that `create` made the current one, for good; the file of the other is removed."""
        ...
