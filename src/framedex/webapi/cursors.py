"""Cursors of the own API's lists: the position behind the last row, signed, bound to route and query."""

from __future__ import annotations

from framedex.auth.cursors import CursorSigner, CursorValue, query_hash
from framedex.core.errors import InvalidArguments


class ListCursor:
    """Reads and writes the cursors of one list."""

    def __init__(self, signer: CursorSigner, *query: str | int | None) -> None:
        self._signer = signer
        self._hash = query_hash("own", *query)

    def texts(self, cursor: str | None, count: int) -> list[str] | None:
        """The position as texts; None at the start.

        Raises:
            InvalidArguments: another list's cursor, or garbled.
        """
        values = self._values(cursor, count)
        return None if values is None else [str(value) for value in values]

    def number(self, cursor: str | None) -> int | None:
        """The position as a number; None at the start.

        Raises:
            InvalidArguments: as `texts`.
        """
        values = self._values(cursor, 1)
        if values is None:
            return None
        if not isinstance(values[0], int):
            raise InvalidArguments("this cursor belongs to another list; start again without it")
        return values[0]

    def values(self, cursor: str | None) -> tuple[CursorValue, ...] | None:
        """The position as it was, however many values it has; None at the start.

        Raises:
            InvalidArguments: as `texts`.
        """
        return None if cursor is None else tuple(self._signer.decode(cursor, self._hash))

    def after(self, *values: CursorValue) -> str:
        """The cursor behind a row."""
        return self._signer.encode(values, self._hash)

    def _values(self, cursor: str | None, count: int) -> list[CursorValue] | None:
        if cursor is None:
            return None
        values = self._signer.decode(cursor, self._hash)
        if len(values) != count:
            raise InvalidArguments("this cursor belongs to another list; start again without it")
        return values
