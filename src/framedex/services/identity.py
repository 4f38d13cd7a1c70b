"""Who is calling: from a verified key or token to a caller with groups."""

from __future__ import annotations

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import NotAuthenticated, UnknownKey
from framedex.core.ids import UserId
from framedex.core.ports.catalog import Catalog


class IdentityService:
    """Looks callers up. The proof (a signature, a token's hash) is checked by the caller of these methods."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def by_key(self, key_hex: str) -> Caller:
        """The user whose registered public key this is.

        Raises:
            UnknownKey: nobody's.
        """
        with self._catalog.read() as unit:
            caller = unit.people.caller_by_key(key_hex)
        if caller is None:
            raise UnknownKey(
                f"The public key {key_hex[:12]}… is not registered here. "
                "Register it with `framedex users add EMAIL --public-key FILE`."
            )
        return caller

    def by_token(self, token_hash: str) -> Caller:
        """The user of a bearer token.

        Raises:
            NotAuthenticated: unknown or expired.
        """
        with self._catalog.read() as unit:
            caller = unit.people.caller_by_token(token_hash, now_us())
        if caller is None:
            raise NotAuthenticated("This bearer token is unknown or has expired; ask for a new one.")
        return caller

    def by_id(self, user_id: str) -> Caller:
        """The user on whose behalf a signed address was made.

        Raises:
            NotAuthenticated: removed meanwhile.
        """
        with self._catalog.read() as unit:
            caller = unit.people.caller_by_id(UserId(user_id))
        if caller is None:
            raise NotAuthenticated("The user of this address is not in the workspace any more.")
        return caller
