"""Addresses that carry their own permission: bound to a method, an object, a size and an expiry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from framedex.core.ids import UserId


class UrlPurpose(StrEnum):
    """What a link is for; each purpose has a route of its own."""

    UPLOAD = "upload"
    CONTENT = "content"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class UrlGrant:
    """What the holder of a link may do.

    Attributes:
        method: HTTP method in upper case; `GET` allows `HEAD` too.
        subject: object key or item id: the only thing that the link reaches, whatever the rest of the address says.
        user_id: on whose behalf; the user's rights are looked at again when the link is used.
        max_bytes: the size cap of an upload; None otherwise.
        expires_at: microseconds since 1970 UTC.
    """

    method: str
    purpose: UrlPurpose
    subject: str
    user_id: UserId
    max_bytes: int | None
    expires_at: int


class UrlSigner(Protocol):
    """Makes and checks the tokens of signed links."""

    def sign(self, grant: UrlGrant) -> str:
        """An opaque token, safe in a URL path."""
        ...

    def verify(self, token: str, *, method: str, purpose: UrlPurpose, now_us: int) -> UrlGrant:
        """The grant of a token.

        Raises:
            NotPermitted: tampered with, expired, or for another method or purpose.
        """
        ...
