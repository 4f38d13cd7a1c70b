"""Bearer tokens: 256 random bits behind the prefix `fdx_`, which lets secret scanners find lost ones.

Only the SHA-256 of a token is stored. A token has so much entropy that its hash needs no salt and no slow function, and
looking it up by hash in an index tells a clock nothing about any token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

PREFIX = "fdx_"
DEFAULT_LIFETIME_S = 24 * 3600

_FORM = re.compile(r"fdx_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A fresh token. It is shown once; keep `hash_token` of it."""
    return PREFIX + secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _FORM.fullmatch(text) is not None


def hash_token(token: str) -> str:
    """SHA-256 of the token in lower-case hex: the form in which it is stored and looked up."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_matches(token: str, token_hash: str) -> bool:
    """Whether `token_hash` is this token's, compared in constant time."""
    return hmac.compare_digest(hash_token(token).encode(), token_hash.encode("utf-8", "surrogatepass"))


def expiry_us(now_us: int, lifetime_s: int = DEFAULT_LIFETIME_S) -> int:
    """When a token given out at `now_us` ends, in microseconds since 1970."""
    return now_us + lifetime_s * 1_000_000


def has_expired(expires_at_us: int, now_us: int) -> bool:
    """Whether a token has ended; at the very instant it has."""
    return now_us >= expires_at_us
