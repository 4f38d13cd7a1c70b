"""The `Authorization` header, which holds either a bearer token or a v1 signature."""

from __future__ import annotations

from dataclasses import dataclass, field

from framedex.auth.tokens import is_token
from framedex.auth.v1_signatures import KeyCredential, parse_v1_authorization
from framedex.core.errors import NotAuthenticated

_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class BearerCredential:
    """A token of the right form; whether it is known and not yet expired remains to be looked up by its hash."""

    token: str = field(repr=False)


def parse_authorization(header: str) -> BearerCredential | KeyCredential:
    """What kind of credential a header holds; only its form is checked.

    Raises:
        NotAuthenticated: neither a Framedex token nor a v1 signature.
    """
    if not is_bearer(header):
        return parse_v1_authorization(header)
    token = header[len(_BEARER) :].strip(" ")
    if not is_token(token):
        raise NotAuthenticated(
            "This bearer token is none of Framedex's (fdx_ and 43 characters). Get one with get_bearer_token() of an "
            "SDK client that has an SSH key."
        )
    return BearerCredential(token)


def is_bearer(header: str) -> bool:
    """Whether the header uses the scheme `Bearer`, in any case (RFC 9110 section 11.1)."""
    return header[: len(_BEARER)].lower() == _BEARER
