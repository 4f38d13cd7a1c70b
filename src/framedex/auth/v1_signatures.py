"""The SDK's v1 signatures: `Authorization: <public key hex>:<signature hex>`, Ed25519 over the SHA-256 of the body.

Nothing else is signed, neither time nor address nor `ResourceID`: such a request can be sent again for ever and aimed
at another resource. Whoever accepts one authorises the key's user against everything that it names (design section 8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from framedex.auth.ed25519_keys import is_signed_by
from framedex.core.errors import NotAuthenticated

_FORM = re.compile(r"([0-9a-f]{64}):([0-9a-f]{128})")


@dataclass(frozen=True, slots=True)
class KeyCredential:
    """What a v1 request claims: this key signed its body. See `verify_v1`.

    Attributes:
        key_hex: Ed25519 public key, 64 lower-case hex digits.
        signature: 64 bytes.
    """

    key_hex: str
    signature: bytes


def parse_v1_authorization(header: str) -> KeyCredential:
    """The key and signature of an `Authorization` header in the SDK's v1 form.

    Raises:
        NotAuthenticated: another form.
    """
    match = _FORM.fullmatch(header)
    if match is None:
        raise NotAuthenticated(
            "The header Authorization is malformed: expected <64 hex digits of the public key>:<128 hex digits of the "
            "signature>, both lower case, or Bearer <token>."
        )
    return KeyCredential(match[1], bytes.fromhex(match[2]))


def verify_v1(key_hex: str, signature: bytes, body_sha256: bytes) -> None:
    """Checks that the key signed the body.

    Args:
        key_hex: Ed25519 public key, 64 lower-case hex digits.
        signature: 64 bytes.
        body_sha256: SHA-256 of the raw body, 32 bytes.

    Raises:
        NotAuthenticated: it did not.
    """
    if not is_signed_by(key_hex, signature, body_sha256):
        raise NotAuthenticated(
            "The signature does not fit the body: it was made with another private key than the one named in "
            "Authorization, or the body changed on the way. Check the key file, and any proxy in between."
        )
