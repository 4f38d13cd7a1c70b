"""Address forms of Google Cloud Storage: `gs://bucket/key` and its https forms."""

from __future__ import annotations

import re
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.cloud.endpoints import Endpoint
from framedex.stores.blobs.cloud.keys import check_bucket, decoded_key, scheme_key, web_form
from framedex.stores.blobs.file_addresses import shown
from framedex.stores.blobs.web_addresses import Origin

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._\-]{1,220}[a-z0-9]")
_HOST = "storage.googleapis.com"
GOOGLE = Endpoint(Origin("https", _HOST, 443))
_BROWSER_HOST = "storage.cloud.google.com"


@dataclass(frozen=True, slots=True)
class GcsAddresses:
    """`endpoint` None is Google's own host."""

    bucket: str
    endpoint: Endpoint | None = None

    def key_of(self, address: str) -> str:
        key = scheme_key(address, "gs", self.bucket)
        if key is not None:
            return key
        form = web_form(address)
        if self._is_path_style(str(form.origin)) and form.path.startswith(f"{self._path}/"):
            named, _, encoded = form.path.removeprefix(f"{self._path}/").partition("/")
            check_bucket(named, self.bucket, address)
            return decoded_key(encoded, address)
        if self.endpoint is None and str(form.origin) == f"https://{self.bucket}.{_HOST}":
            return decoded_key(form.path, address)
        raise InvalidArguments(
            f"{shown(address)!r} is not in the integration's bucket; gs://bucket/key is the plain form"
        )

    def address_of(self, key: str) -> str:
        return f"gs://{self.bucket}/{key.replace('%', '%25')}"

    @property
    def home(self) -> Endpoint:
        """Where the bucket answers."""
        return self.endpoint or GOOGLE

    @property
    def _path(self) -> str:
        return "" if self.endpoint is None else self.endpoint.path

    def _is_path_style(self, origin: str) -> bool:
        if self.endpoint is not None:
            return origin == str(self.endpoint.origin)
        return origin in (f"https://{_HOST}", f"https://{_BROWSER_HOST}")


def gcs_root(root: str, endpoint: Endpoint | None) -> tuple[GcsAddresses, str]:
    """The bucket and key that the root of an integration names.

    Raises:
        InvalidArguments: not `gs://bucket/prefix`.
    """
    head, separator, rest = root.partition("://")
    bucket = rest.partition("/")[0]
    if not separator or head.lower() != "gs" or _BUCKET.fullmatch(bucket) is None:
        raise InvalidArguments(
            f"the root of a gcs integration is gs://bucket or gs://bucket/folder, not {shown(root)!r}"
        )
    addresses = GcsAddresses(bucket, endpoint)
    return addresses, addresses.key_of(root)
