"""Requests signed as the SDK signs them, for tests that send the very bytes of one twice, or measure."""

from __future__ import annotations

import base64
import time
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key


class RequestSigner:
    """Headers of signed requests, by one key."""

    def __init__(self, private_pem: str) -> None:
        key = load_ssh_private_key(private_pem.encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key
        self._key_hex = key.public_key().public_bytes_raw().hex()

    def headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        digest = f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"
        params = (
            f'("@method" "@request-target" "content-digest");created={int(time.time())};'
            f'keyid="{self._key_hex}";alg="ed25519"'
        )
        lines = (
            f'"@method": {method}',
            f'"@request-target": {target}',
            f'"content-digest": {digest}',
            f'"@signature-params": {params}',
        )
        signature = base64.b64encode(self._key.sign("\n".join(lines).encode())).decode()
        return {
            "Content-Type": "application/json",
            "Content-Digest": digest,
            "Signature-Input": f"encord-sig={params}",
            "Signature": f"encord-sig=:{signature}:",
        }
