"""Page tokens: the sort values of the last row under a MAC, bound to the query they belong to.

A token holds values that the caller has already seen, and no rights: each page is authorised anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from framedex.auth.mac_tokens import mint, verified_payload
from framedex.core.errors import InvalidArguments

CursorValue = str | int | float | bool | None
QueryPart = CursorValue | Sequence["QueryPart"] | Mapping[str, "QueryPart"]


class CursorSigner:
    """Writes and reads page tokens.

    Args:
        key: 32 bytes, derived for this purpose alone (`SecretKey.derive`).
        parameter: what the API calls the token, for messages: `pageToken` in v2, `cursor` in the own API.
    """

    def __init__(self, key: bytes, parameter: str = "pageToken") -> None:
        self._key = key
        self._parameter = parameter

    def encode(self, values: Sequence[CursorValue], query_hash: str) -> str:
        """The token for the page after the row with these sort values. Types and values survive exactly."""
        payload = json.dumps(list(values), separators=(",", ":")).encode("ascii")
        return mint(self._key, _context(query_hash), payload)

    def decode(self, text: str, query_hash: str) -> list[CursorValue]:
        """The sort values of a token.

        Raises:
            InvalidArguments: it was made for another query, by another server, or is garbled.
        """
        payload = verified_payload(self._key, _context(query_hash), text)
        if payload is None:
            raise InvalidArguments(f"this page token belongs to another query; start again without {self._parameter}")
        values: list[CursorValue] = json.loads(payload)
        return values


def query_hash(*parts: QueryPart) -> str:
    """A hash of everything that shapes a list (route, filter, sort, scope), so that a cursor fits no other list.

    Parts are told apart by type, value and order; the order of keys in a mapping does not matter.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _context(query_hash: str) -> bytes:
    return b"framedex cursor 1:" + query_hash.encode("utf-8", "surrogatepass")
