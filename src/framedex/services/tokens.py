"""Bearer tokens: what a signed-in user gives to tools that cannot sign."""

from __future__ import annotations

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import NotAuthenticated
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit


class TokenService:
    """Keeps tokens. Making and hashing them is the edge's work: no token itself comes here."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def keep_token(
        self,
        caller: Caller,
        token_hash: str,
        *,
        expires_at: int,
        key_hex: str | None = None,
        asked_with: str | None = None,
    ) -> None:
        """Makes a token valid for the caller until it expires or the key behind it is removed.

        Args:
            caller: whose token it is.
            token_hash: what the token is looked up by.
            expires_at: microseconds since 1970 UTC.
            key_hex: the key that signed the request.
            asked_with: instead, the hash of the token that the request carried: the new one hangs on the same key.

        Raises:
            NotAuthenticated: the user, the key or the older token has gone since the request came in.
        """
        now = now_us()
        with self._catalog.write() as unit:
            held_by = key_hex if asked_with is None else _key_behind(unit, asked_with, now)
            people = unit.people
            owner = people.caller_by_id(caller.user_id) if held_by is None else people.caller_by_key(held_by)
            if owner is None or owner.user_id != caller.user_id:
                raise NotAuthenticated("The key of this request has just been removed.")
            people.add_token(token_hash, caller.user_id, held_by, now, expires_at)
            unit.log(Entity.TOKEN, Op.CREATE, [token_hash])
            unit.audit(caller.user_id, "token.create", Entity.TOKEN, [token_hash])


def _key_behind(unit: WriteUnit, token_hash: str, now: int) -> str | None:
    older = unit.people.token(token_hash, now)
    if older is None:
        raise NotAuthenticated("This bearer token has just ended; ask for a new one with your key.")
    return older.key_hex
