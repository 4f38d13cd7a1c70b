"""Opaque text that only this server can have made: base64url of an HMAC-SHA256 and the payload that it covers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_MAC_BYTES = hashlib.sha256().digest_size


def mint(key: bytes, context: bytes, payload: bytes) -> str:
    """Text that holds `payload`, readable by anybody, and proves that it was made for `context` with `key`."""
    return base64.urlsafe_b64encode(_mac(key, context, payload) + payload).rstrip(b"=").decode("ascii")


def verified_payload(key: bytes, context: bytes, text: str) -> bytes | None:
    """The payload, or None when `text` was not minted with this key for this context. Never raises."""
    raw = _decoded(text)
    if raw is None or len(raw) < _MAC_BYTES:
        return None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    return payload if hmac.compare_digest(mac, _mac(key, context, payload)) else None


def _mac(key: bytes, context: bytes, payload: bytes) -> bytes:
    # The length in front keeps context and payload apart: no other pair gives the same bytes.
    return hmac.digest(key, len(context).to_bytes(8) + context + payload, "sha256")


def _decoded(text: str) -> bytes | None:
    try:
        encoded = text.encode("ascii")
        raw = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None
    # The decoder drops foreign characters and spare bits; one grant has one spelling.
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == encoded else None
