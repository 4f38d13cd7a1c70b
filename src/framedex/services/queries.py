"""Questions of people and programs: filters, pages, facets, each with the caller's rights in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from framedex.core.access import Action, Caller
from framedex.core.errors import InvalidArguments, Unavailable
from framedex.core.filters import Fields, FieldType, Kind, View, parse_filter
from framedex.core.filters.ast import And, Compare, Contains, Field, Frames, In, Node, Not, Operator, Or
from framedex.core.filters.fields import BUILTIN_TYPES, field_type_of
from framedex.core.filters.literals import near
from framedex.core.ids import CollectionId, DatasetId, FolderId
from framedex.core.metadata.schema import Schema
from framedex.core.metadata.values import Scalar, parse_uuid
from framedex.core.ports.catalog import Catalog, ReadUnit
from framedex.core.ports.index import (
    Facet,
    FacetQuestion,
    Index,
    IndexedRow,
    IndexReader,
    PageOf,
    Question,
    Scope,
    Sort,
    SortKey,
    Visibility,
)
from framedex.services.collections import require_collection
from framedex.services.datasets import require_dataset
from framedex.services.folders import require_folder
from framedex.services.indexing import IndexingService

#: Fields of one answer, facets of one request, terms of one order, values of one facet.
MAX_FIELDS = 200
MAX_FACETS = 50
MAX_SORTS = 8
MAX_BUCKETS = 1000
MAX_ROWS = 1000

_ORDERLESS = frozenset({Kind.EMBEDDING, Kind.SET, Kind.LIST})
_WITH_BINS = frozenset({Kind.NUMBER, Kind.TIME})
DEFAULT_BINS = 30
DEFAULT_TOP = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look, as callers say it: at most one of them."""

    folder: FolderId | None = None
    dataset: DatasetId | None = None
    collection: CollectionId | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as callers put it.

    Attributes:
        filter: in the filter language; empty for everything.
        min_seq: a change that the answer must know of.
    """

    filter: str = ""
    view: View = View.ITEMS
    place: Place = field(default_factory=Place)
    min_seq: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """Which rows of an answer: names of fields are bare keys or `$field`."""

    sort: Sequence[tuple[str, bool]] = ()
    limit: int = 50
    fields: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FacetAsk:
    """A field to count: `bins` for numbers and times, `top` for values; with neither, what suits its kind."""

    field: str
    bins: int | None = None
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A page, how many rows there are in all, and up to which change the index knows."""

    rows: Sequence[IndexedRow]
    next_key: SortKey | None
    count: int
    indexed_seq: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Facets by the names that were asked for."""

    facets: Sequence[tuple[str, Facet]]
    count: int
    indexed_seq: int


class KnownFields:
    """Implements `Fields`: built-in fields, keys of the schema, and keys of items that the caller may see."""

    def __init__(self, schema: Schema, index: IndexReader, visibility: Visibility) -> None:
        self._schema = schema
        self._index = index
        self._visibility = visibility

    def find(self, field: Field) -> FieldType | None:
        if field.is_builtin:
            return BUILTIN_TYPES.get(field.name)
        live = self._schema.live.get(field.name)
        if live is not None:
            return field_type_of(live)
        if field.name in self._schema.deleted:
            return None
        kinds = self._index.kinds(field.name, self._visibility)
        return FieldType(kinds, is_inferred=True) if kinds else None

    def names(self) -> Sequence[str]:
        return list(dict.fromkeys([*self._schema.live, *self._index.keys(self._visibility)]))


class QueryService:
    """Use cases of those who look for something."""

    def __init__(self, catalog: Catalog, indexing: IndexingService) -> None:
        self._catalog = catalog
        self._indexing = indexing

    def parse(self, caller: Caller, text: str, view: View) -> Node:
        """The filter that a text says.

        Raises:
            FilterSyntaxError: with the position of what is wrong.
        """
        index, schema = self._indexing.reader()
        with self._catalog.read() as unit:
            visibility = unit.documents.visibility(caller)
        return parse_filter(text, KnownFields(schema, index, visibility), view)

    def rows(self, caller: Caller, ask: Ask, listing: Listing, after: SortKey | None) -> Rows:
        """One page of the rows that a question means, and how many there are in all.

        Raises:
            FilterSyntaxError, InvalidArguments, NotPermitted (of the place), Unavailable.
        """
        index, known, question = self._put(caller, ask)
        fields = [_shown_field(name, known) for name in listing.fields]
        sort = [_sort(name, known, ask.view, is_descending=desc) for name, desc in listing.sort]
        seq = index.position().seq
        page = index.rows(question, PageOf(sort, listing.limit, after, fields))
        return Rows(page.rows, page.next_key, page.count, seq)

    def facets(self, caller: Caller, ask: Ask, facets: Sequence[FacetAsk]) -> Facets:
        """Counts of values under a question.

        Raises:
            FilterSyntaxError, InvalidArguments, NotPermitted (of the place), Unavailable.
        """
        index, known, question = self._put(caller, ask)
        seq = index.position().seq
        asked = [_facet(facet, known, ask.view) for facet in facets]
        found, count = index.facets(question, asked)
        names = [facet.field for facet in facets]
        return Facets(list(zip(names, found, strict=True)), count, seq)

    def indexed_seq(self) -> int | None:
        """How far the index is."""
        return self._indexing.indexed_seq()

    def _require_written(self, min_seq: int) -> None:
        """Refuses to wait for a change that nobody has written: waiting holds a thread."""
        if min_seq == 0:
            return
        with self._catalog.read() as unit:
            newest = unit.last_seq()
        if min_seq > newest:
            raise Unavailable(
                f"There is no change {min_seq} yet: the newest is {newest}.", indexed_seq=self.indexed_seq()
            )

    def _put(self, caller: Caller, ask: Ask) -> tuple[Index, KnownFields, Question]:
        self._require_written(ask.min_seq)
        index, schema = self._indexing.reader(min_seq=ask.min_seq)
        with self._catalog.read() as unit:
            visibility = unit.documents.visibility(caller)
            scope = _scope(unit, caller, ask.place)
        known = KnownFields(schema, index, visibility)
        node = parse_filter(ask.filter, known, ask.view)
        with self._catalog.read() as unit:
            node = _Folders(unit, caller, visibility).resolved(node)
        return index, known, Question(node, ask.view, visibility, scope)


def _scope(unit: ReadUnit, caller: Caller, place: Place) -> Scope:
    if place.folder is not None:
        require_folder(unit, Action.READ, caller, place.folder)
        return Scope(folders=unit.documents.below([place.folder]))
    if place.dataset is not None:
        require_dataset(unit, Action.READ, caller, place.dataset)
        return Scope(dataset=place.dataset)
    if place.collection is not None:
        require_collection(unit, Action.READ, caller, place.collection)
        return Scope(collection=place.collection)
    return Scope()


def _field(name: str, known: Fields, path: str) -> Field:
    found = Field(name.removeprefix("$"), is_builtin=name.startswith("$"))
    if known.find(found) is None:
        names = [f"${builtin}" for builtin in BUILTIN_TYPES] if found.is_builtin else known.names()
        raise InvalidArguments(f"there is no field {name[:80]!r}{near(name, names)}", path=path)
    return found


def _shown_field(name: str, known: Fields) -> Field:
    found = _field(name, known, "$.fields")
    field_type = known.find(found)
    if field_type is not None and Kind.EMBEDDING in field_type.kinds:
        raise InvalidArguments(f"{name[:80]} holds vectors, which rows do not carry", path="$.fields")
    return found


def _type(found: Field, known: Fields, view: View, path: str) -> FieldType:
    field_type = known.find(found)
    assert field_type is not None, "looked up before"
    if found.is_builtin and field_type.of_frames and view is View.ITEMS:
        raise InvalidArguments(f"${found.name} is of frames; ask with view frames", path=path)
    return field_type


def _sort(name: str, known: Fields, view: View, *, is_descending: bool) -> Sort:
    found = _field(name, known, "$.sort")
    if _type(found, known, view, "$.sort").kinds <= _ORDERLESS:
        raise InvalidArguments(f"{name[:80]} has no order", path="$.sort")
    return Sort(found, is_descending)


def _facet(facet: FacetAsk, known: Fields, view: View) -> FacetQuestion:
    found = _field(facet.field, known, "$.fields")
    kinds = _type(found, known, view, "$.fields").kinds
    if Kind.EMBEDDING in kinds:
        raise InvalidArguments(f"{facet.field[:80]} holds vectors, which are not counted", path="$.fields")
    bins = facet.bins
    if bins is None and facet.top is None and kinds <= _WITH_BINS:
        bins = DEFAULT_BINS
    if bins is not None and not kinds & _WITH_BINS:
        raise InvalidArguments(f"{facet.field[:80]} has neither numbers nor times: ask without bins", path="$.fields")
    return FacetQuestion(found, bins, facet.top or DEFAULT_TOP)


class _Folders:
    """Puts folders in the place of what a filter calls them: a uuid or a path, with all below it."""

    def __init__(self, unit: ReadUnit, caller: Caller, visibility: Visibility) -> None:
        self._unit = unit
        self._caller = caller
        self._seen = None if visibility.folders is None else set(visibility.folders)

    def resolved(self, node: Node) -> Node:
        if isinstance(node, And | Or):
            return replace(node, parts=tuple(self.resolved(part) for part in node.parts))
        if isinstance(node, Not | Frames):
            return replace(node, part=self.resolved(node.part))
        if not (node.field.is_builtin and node.field.name == "folder"):
            return node
        if isinstance(node, Compare) and node.operator in (Operator.EQUAL, Operator.NOT_EQUAL):
            return In(node.field, self._ids([node.literal]), is_negated=node.operator is Operator.NOT_EQUAL)
        if isinstance(node, Contains):
            return In(node.field, self._ids([node.literal]))
        return replace(node, literals=self._ids(node.literals)) if isinstance(node, In) else node

    def _ids(self, literals: Sequence[Scalar]) -> tuple[Scalar, ...]:
        named = [folder for literal in literals for folder in self._named(str(literal))]
        found = self._unit.documents.below(named) if named else []
        return tuple(folder for folder in found if self._seen is None or folder in self._seen)

    def _named(self, text: str) -> Sequence[FolderId]:
        uuid = parse_uuid(text)
        if uuid is not None:
            return [FolderId(uuid)]
        path = [name for name in text.split("/") if name]
        return self._unit.documents.folders_at(self._caller, path) if path else []
