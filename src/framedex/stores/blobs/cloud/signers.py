"""Signed addresses of objects, made with a key at hand: nobody is asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from framedex.stores.blobs.cloud.azure_addresses import AzureAddresses
from framedex.stores.blobs.cloud.failures import translated
from framedex.stores.blobs.cloud.gate import Gate

if TYPE_CHECKING:
    from framedex.stores.blobs.cloud.stores import Store

Signer = Callable[[str, int], str]
"""An address that reads a key for a number of seconds."""

_SAS_VERSION = "2021-12-02"
_SKEW = timedelta(minutes=5)


def gated(signer: Signer, gate: Gate) -> Signer:
    """A signer that may wait for others: it takes part in the limits of the bucket."""

    def sign(key: str, lifetime_s: int) -> str:
        with gate.passing(), translated():
            return signer(key, lifetime_s)

    return sign


def query_signer(store: Store) -> Signer:
    """Signs as S3 (SigV4) and GCS (V4) want it."""
    import obstore

    def sign(key: str, lifetime_s: int) -> str:
        return obstore.sign(store, "GET", key, timedelta(seconds=lifetime_s))

    return sign


def azure_signer(addresses: AzureAddresses, account_key: str) -> Signer:
    """Signs one blob with the account's key (a service SAS).

    Not by obstore 0.12, which signs the percent-encoded name, so that Azure refuses any name that needs encoding.
    """
    secret = base64.b64decode(account_key)

    def sign(key: str, lifetime_s: int) -> str:
        now = datetime.now(UTC)
        fields = {
            "sp": "r",
            "st": _stamp(now - _SKEW),
            "se": _stamp(now + timedelta(seconds=lifetime_s)),
            "spr": "https,http" if addresses.service.is_plain_http else "https",
            "sv": _SAS_VERSION,
            "sr": "b",
        }
        # Fields in this order, the empty ones too: identifier and IP; then snapshot, encryption scope, five headers.
        resource = f"/blob/{addresses.account}/{addresses.bucket}/{key}"
        named = [fields["sp"], fields["st"], fields["se"], resource, "", "", fields["spr"], fields["sv"], fields["sr"]]
        text = "\n".join([*named, *[""] * 7])
        digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        return f"{addresses.address_of(key)}?{urlencode(fields | {'sig': base64.b64encode(digest).decode()})}"

    return sign


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
