"""Collections: saved sets of items. Each lives in a top-level folder, which says who may see and edit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framedex.core.clock import now_us
from framedex.core.errors import InvalidArguments
from framedex.core.folders import check_name
from framedex.core.ids import CollectionId, FolderId, ItemId, UserId

#: What one request may name: titles, and bytes of their UTF-8 (the limits that the SDK splits by).
MAX_TITLES = 1000
MAX_TITLE_BYTES = 200_000

MAX_DESCRIPTION = 20_000


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Attributes:
        created_at: microseconds since 1970 UTC, as `edited_at`, which also moves when members come or go.
    """

    id: CollectionId
    folder_id: FolderId
    name: str
    description: str
    owner_id: UserId
    created_at: int
    edited_at: int


@dataclass(frozen=True, slots=True)
class CollectionPatch:
    """What to change; None leaves a field alone."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionQuery:
    """Which collections of a list: of one top-level folder, among these ids; both restrict, empty does not."""

    folder_id: FolderId | None = None
    ids: Sequence[CollectionId] = ()


@dataclass(frozen=True, slots=True)
class TitleHolders:
    """Items with one title: how many there are, and the first by id."""

    count: int
    first_id: ItemId


@dataclass(frozen=True, slots=True)
class TitleMatches:
    """What titles stand for; every distinct title is in exactly one of the three.

    Attributes:
        found: the only item with the title.
        ambiguous: several items have the title.
    """

    found: Mapping[str, ItemId]
    ambiguous: Sequence[str]
    unmatched: Sequence[str]


def distinct_titles(titles: Sequence[str]) -> list[str]:
    """Titles of one request, each once, in order.

    Raises:
        InvalidArguments: more than 1000, or more than 200,000 bytes of UTF-8 in all.
    """
    if len(titles) > MAX_TITLES:
        raise InvalidArguments(
            f"at most {MAX_TITLES} titles in one request; this has {len(titles)}", path="$.dataTitles"
        )
    size = sum(len(title.encode("utf-8", "surrogatepass")) for title in titles)
    if size > MAX_TITLE_BYTES:
        raise InvalidArguments(
            f"at most {MAX_TITLE_BYTES} bytes of titles in one request; this has {size}", path="$.dataTitles"
        )
    return list(dict.fromkeys(titles))


def match_titles(titles: Sequence[str], holders: Mapping[str, TitleHolders]) -> TitleMatches:
    """Sorts distinct titles by how many items have them; a title that several items have stands for none."""
    found = {title: holders[title].first_id for title in titles if title in holders and holders[title].count == 1}
    ambiguous = [title for title in titles if title in holders and holders[title].count > 1]
    return TitleMatches(found, ambiguous, [title for title in titles if title not in holders])


def first_facts(
    folder_id: FolderId, name: str, description: str, owner_id: UserId
) -> tuple[FolderId, str, str, UserId, int, int]:
    """What a new collection or preset has after its id.

    Raises:
        InvalidArguments: a bad name or description.
    """
    now = now_us()
    return folder_id, check_name(name), check_description(description), owner_id, now, now


def check_description(text: str, *, path: str = "$.description") -> str:
    """A description that a collection or preset may have.

    Raises:
        InvalidArguments: too long, or with a NUL (which PostgreSQL cannot store).
    """
    if len(text) > MAX_DESCRIPTION:
        raise InvalidArguments(
            f"a description may have at most {MAX_DESCRIPTION} characters; this has {len(text)}", path=path
        )
    if "\x00" in text:
        raise InvalidArguments("a description must not contain the character U+0000", path=path)
    return text
