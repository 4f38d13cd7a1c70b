"""Signed links: a query token that lets its bearer do one thing to one object until it expires."""

from __future__ import annotations

import json

from framedex.auth.mac_tokens import mint, verified_payload
from framedex.core.clock import to_iso
from framedex.core.errors import NotPermitted
from framedex.core.ids import UserId
from framedex.core.ports.signing import UrlGrant, UrlPurpose

_CONTEXT = b"framedex url 1"


class UrlSigner:
    """Makes and checks the tokens of links.

    Args:
        key: 32 bytes, derived for this purpose alone (`SecretKey.derive`).
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, grant: UrlGrant) -> str:
        """A token of base64url characters only, to be put into a query as it is. Equal grants give equal tokens."""
        fields = [grant.method, grant.purpose, grant.subject, grant.user_id, grant.max_bytes, grant.expires_at]
        return mint(self._key, _CONTEXT, json.dumps(fields, separators=(",", ":")).encode("ascii"))

    def verify(self, token: str, *, method: str, purpose: UrlPurpose, now_us: int) -> UrlGrant:
        """What the token allows.

        Args:
            token: as `sign` made it.
            method: that of the request.
            purpose: that of the route.
            now_us: microseconds since 1970.

        Raises:
            NotPermitted: changed or foreign, expired, for another method or another purpose; the message says which.
        """
        payload = verified_payload(self._key, _CONTEXT, token)
        if payload is None:
            raise NotPermitted(
                "This link was changed, cut off, or not made by this server with its present key; ask for a new one."
            )
        grant = _grant(payload)
        if now_us >= grant.expires_at:
            raise NotPermitted(f"This link expired at {to_iso(grant.expires_at)}; ask for a new one.")
        if method != grant.method and (method, grant.method) != ("HEAD", "GET"):
            raise NotPermitted(f"This link is for {grant.method} requests, not for {method[:16]}.")
        if purpose is not grant.purpose:
            raise NotPermitted(f"This link is for {grant.purpose}, not for {purpose}.")
        return grant


def _grant(payload: bytes) -> UrlGrant:
    method, purpose, subject, user_id, max_bytes, expires_at = json.loads(payload)
    return UrlGrant(method, UrlPurpose(purpose), subject, UserId(user_id), max_bytes, expires_at)
