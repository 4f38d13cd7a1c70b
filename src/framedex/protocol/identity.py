"""Who sent a request, in all three ways that the SDK has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framedex.auth.authorization import BearerCredential, parse_authorization
from framedex.auth.tokens import hash_token
from framedex.auth.v1_signatures import verify_v1
from framedex.auth.v2_signatures import check_digest, verify_v2
from framedex.core.access import Caller
from framedex.core.errors import NotAuthenticated
from framedex.services.identity import IdentityService

#: Called with the body's SHA-256 once it was read; raises NotAuthenticated when the signature does not cover it.
BodyCheck = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Identified:
    """The caller, what is left to check of the body, and what identifies a retry of the same request.

    Attributes:
        signature: the signature as sent; empty with a bearer token.
        key_hex: the signing key; None with a bearer token.
        token_hash: the bearer token's; None with a signature.
    """

    caller: Caller
    check_body: BodyCheck
    signature: str
    key_hex: str | None
    token_hash: str | None = None


def identify_v2(identity: IdentityService, method: str, target: str, headers: Mapping[str, str]) -> Identified:
    """The caller of a v2 request, from its headers alone: a body is read only for those we know.

    Raises:
        NotAuthenticated: no proof, a wrong one, or nobody's.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        credential = parse_authorization(authorization)
        if not isinstance(credential, BearerCredential):
            raise NotAuthenticated("This is a signature of the v1 API; v2 needs Signature headers or a bearer token.")
        return _by_bearer(identity, credential)
    signed = verify_v2(method, target, headers, time.time())
    caller = identity.by_key(signed.key_hex)
    return Identified(caller, lambda digest: check_digest(signed, digest), signed.signature.hex(), signed.key_hex)


def identify_v1(identity: IdentityService, headers: Mapping[str, str]) -> Identified:
    """The caller of a v1 request; its signature covers the body alone, so the body decides.

    Raises:
        NotAuthenticated: no proof, a malformed one, or nobody's.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        raise NotAuthenticated("The request has no Authorization header.")
    credential = parse_authorization(authorization)
    if isinstance(credential, BearerCredential):
        return _by_bearer(identity, credential)
    key_hex, signature = credential.key_hex, credential.signature
    caller = identity.by_key(key_hex)
    return Identified(caller, lambda digest: verify_v1(key_hex, signature, digest), authorization, key_hex)


def _by_bearer(identity: IdentityService, credential: BearerCredential) -> Identified:
    token_hash = hash_token(credential.token)
    return Identified(identity.by_token(token_hash), lambda _digest: None, "", None, token_hash)
