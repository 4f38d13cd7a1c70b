"""Page tokens: the position behind the last row, opaque and signed, bound to the query that they continue."""

from __future__ import annotations

from framedex.auth.cursors import CursorSigner, query_hash
from framedex.core.errors import InvalidArguments
from framedex.core.paging import MAX_PAGE_SIZE, PageRequest, Position, SortBy


class Cursors:
    """Writes and reads page tokens."""

    def __init__(self, signer: CursorSigner) -> None:
        self._signer = signer

    def page(
        self, token: str | None, *, size: int, sort_by: SortBy, descending: bool, query: tuple[object, ...]
    ) -> PageRequest:
        """The page that a request asks for; `query` is everything that decides which rows there are.

        Raises:
            InvalidArguments: a page size outside 1 to 1000, or a token that is not ours or of another query.
        """
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise InvalidArguments(f"pageSize must be from 1 to {MAX_PAGE_SIZE}; this is {size}")
        after = None if token is None else self._position(token, sort_by, descending, query)
        return PageRequest(size, after, sort_by, descending)

    def token(self, page: PageRequest, after: Position | None, query: tuple[object, ...]) -> str | None:
        """The token for the rows behind `after`; None at the end."""
        if after is None:
            return None
        return self._signer.encode(after, _hash(page.sort_by, page.descending, query))

    def _position(self, token: str, sort_by: SortBy, descending: bool, query: tuple[object, ...]) -> Position:  # noqa: FBT001
        value, row_id = self._signer.decode(token, _hash(sort_by, descending, query))
        if not isinstance(value, str | int) or not isinstance(row_id, str):
            raise InvalidArguments("this page token belongs to another query; start again without it")
        return value, row_id


def _hash(sort_by: SortBy, descending: bool, query: tuple[object, ...]) -> str:  # noqa: FBT001
    return query_hash(sort_by.value, str(descending), *(repr(part) for part in query))
