from __future__ import annotations

import hashlib

from framedex.auth.tokens import (
    DEFAULT_LIFETIME_S,
    expiry_us,
    has_expired,
    hash_token,
    is_token,
    new_token,
    token_matches,
)


def test_new_token__has_the_prefix_and_256_bits() -> None:
    token = new_token()
    assert token.startswith("fdx_")
    assert len(token) == 4 + 43
    assert is_token(token)


def test_new_token__is_never_the_same() -> None:
    assert len({new_token() for _ in range(100)}) == 100


def test_is_token__refuses_what_has_another_form() -> None:
    token = new_token()
    assert not any(is_token(text) for text in ("", token[:-1], token + "a", token + "\n", token[4:], token.upper()))


def test_hash_token__is_the_sha256_in_hex() -> None:
    assert hash_token("fdx_x") == hashlib.sha256(b"fdx_x").hexdigest()


def test_token_matches__its_own_hash_only() -> None:
    token = new_token()
    assert token_matches(token, hash_token(token))
    assert not token_matches(token, hash_token(new_token()))
    assert not token_matches(token, "")
    assert not token_matches("\ud800", "\ud800")


def test_expiry_us__counts_microseconds() -> None:
    assert expiry_us(1_000_000, 60) == 61_000_000
    assert expiry_us(0) == DEFAULT_LIFETIME_S * 1_000_000


def test_has_expired__at_the_very_instant() -> None:
    assert not has_expired(100, 99)
    assert has_expired(100, 100)
    assert has_expired(100, 101)
