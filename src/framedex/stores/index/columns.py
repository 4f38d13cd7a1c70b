"""Which column holds the values of which key: one for each key, level and storage, with generated names.

Names are generated because DuckDB ignores case in identifiers and keys do not. A key has several columns when its
values are of several kinds, which keys without a type may be; a row has a value in one of them at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from framedex.core.filters.fields import BUILTIN_TYPES, Kind
from framedex.core.metadata.values import Instant, Point


class Level(StrEnum):
    """What a column belongs to: a table of the index."""

    ITEMS = "items"
    FRAMES = "frames"


class Storage(StrEnum):
    """How values are stored; decided by the value, which the schema has made what it is."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    POINT = "point"
    LIST = "list"


_SQL_TYPES: Mapping[Storage, Mapping[str, str]] = {
    Storage.NUMBER: {"": "DOUBLE", "_x": "VARCHAR"},
    Storage.BOOLEAN: {"": "BOOLEAN"},
    Storage.TEXT: {"": "VARCHAR"},
    Storage.TIME: {"": "TIMESTAMP"},
    Storage.POINT: {"": "DOUBLE", "_lon": "DOUBLE"},
    Storage.LIST: {"": "VARCHAR[]"},
}

_KINDS: Mapping[Storage, Kind] = {
    Storage.NUMBER: Kind.NUMBER,
    Storage.BOOLEAN: Kind.BOOLEAN,
    Storage.TEXT: Kind.TEXT,
    Storage.TIME: Kind.TIME,
    Storage.POINT: Kind.POINT,
    Storage.LIST: Kind.LIST,
}


class Column(NamedTuple):
    """One column (and its companion, for storages that need two).

    Attributes:
        name: of the column; of a point it holds the latitude.
        companion: text that orders numbers beyond 2^53 (see `numbers`), or the longitude of a point.
    """

    level: Level
    storage: Storage
    name: str
    companion: str | None = None

    @property
    def kind(self) -> Kind:
        return _KINDS[self.storage]

    def definitions(self) -> Iterator[str]:
        """`name TYPE` of each column in the database."""
        for suffix, sql_type in _SQL_TYPES[self.storage].items():
            yield f"{self.name}{suffix} {sql_type}"


def column_of(level: Level, storage: Storage, number: int) -> Column:
    """The column with a generated name."""
    companions = [suffix for suffix in _SQL_TYPES[storage] if suffix]
    name = f"c{number}"
    return Column(level, storage, name, name + companions[0] if companions else None)


def storage_of(value: object) -> Storage:
    """How a value of the typed view is stored."""
    if isinstance(value, bool):
        return Storage.BOOLEAN
    if isinstance(value, str):
        return Storage.TEXT
    if isinstance(value, Instant):
        return Storage.TIME
    if isinstance(value, int | float):
        return Storage.NUMBER
    return Storage.POINT if isinstance(value, Point) else Storage.LIST


_STORAGE_OF_KIND = {
    Kind.NUMBER: Storage.NUMBER,
    Kind.BOOLEAN: Storage.BOOLEAN,
    Kind.TEXT: Storage.TEXT,
    Kind.ENUM: Storage.TEXT,
    Kind.USER: Storage.TEXT,
    Kind.UUID: Storage.TEXT,
    Kind.TIME: Storage.TIME,
}

#: Columns of built-in fields that have one value: names are those of the fields, sets are tables of their own.
BUILTINS: Mapping[str, Column] = {
    name: Column(Level.FRAMES if found.of_frames else Level.ITEMS, _STORAGE_OF_KIND[kind], name)
    for name, found in BUILTIN_TYPES.items()
    for kind in found.kinds
    if kind is not Kind.SET
}


@dataclass(frozen=True, slots=True)
class Key:
    """A metadata key at a level."""

    level: Level
    name: str


class Columns:
    """The columns of metadata keys. Immutable: `with_added` answers another."""

    def __init__(self, rows: Iterable[tuple[str, str, str, int]] = ()) -> None:
        """Takes rows of (level, key, storage, number), as the database has them."""
        self._by_key: dict[Key, dict[Storage, Column]] = {}
        self._next = 0
        for level, key, storage, number in rows:
            self._add(Key(Level(level), key), Storage(storage), number)

    def of(self, level: Level, key: str) -> Mapping[Storage, Column]:
        """The columns of a key, by storage."""
        return self._by_key.get(Key(level, key), {})

    def keys(self) -> list[str]:
        """Keys of both levels, each once, in the order in which they came."""
        return list(dict.fromkeys(key.name for key in self._by_key))

    def with_added(self, missing: Iterable[tuple[Key, Storage]]) -> tuple[Columns, list[tuple[Key, Column, int]]]:
        """These and new ones, and what is new with its number."""
        found = Columns()
        found._by_key = {key: dict(columns) for key, columns in self._by_key.items()}
        found._next = self._next
        added = []
        for key, storage in missing:
            number = found._next
            added.append((key, found._add(key, storage, number), number))
        return found, added

    def _add(self, key: Key, storage: Storage, number: int) -> Column:
        column = column_of(key.level, storage, number)
        self._by_key.setdefault(key, {})[storage] = column
        self._next = max(self._next, number + 1)
        return column
