"""Pages of lists: asked for by keyset (the last row's sort value and id), never by offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

#: The sort value and the id of the last row that the caller has.
Position = tuple[str | int, str]

MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 100


class SortBy(StrEnum):
    NAME = "name"
    CREATED_AT = "createdAt"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows: `limit` rows after `after`, in the order of `sort_by` (ties by id)."""

    limit: int = DEFAULT_PAGE_SIZE
    after: Position | None = None
    sort_by: SortBy = SortBy.NAME
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows and where the next page begins; `after` is None on the last page."""

    rows: Sequence[T]
    after: Position | None
