"""Address forms of S3: `s3://bucket/key`, and https with the bucket in the host or in the path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.cloud.endpoints import Endpoint
from framedex.stores.blobs.cloud.keys import WebForm, check_bucket, decoded_key, scheme_key, web_form
from framedex.stores.blobs.file_addresses import shown

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_AWS_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
"""`s3.amazonaws.com`, `s3.eu-west-1.…`, `s3-eu-west-1.…`, `s3.dualstack.eu-west-1.…`, each behind a bucket or not."""


@dataclass(frozen=True, slots=True)
class S3Addresses:
    """`endpoint` None is AWS: a name at AWS is not a name at another store, so each takes its own hosts only."""

    bucket: str
    endpoint: Endpoint | None = None

    def key_of(self, address: str) -> str:
        key = scheme_key(address, "s3", self.bucket)
        if key is not None:
            return key
        form = web_form(address)
        return self._aws_key(form, address) if self.endpoint is None else self._own_key(self.endpoint, form, address)

    def address_of(self, key: str) -> str:
        # Encoding `%` alone keeps the order of the keys: it is the first character of its own code.
        return f"s3://{self.bucket}/{key.replace('%', '%25')}"

    def _aws_key(self, form: WebForm, address: str) -> str:
        host = _AWS_HOST.fullmatch(form.origin.host)
        if host is None or str(form.origin) != f"https://{form.origin.host}":
            raise InvalidArguments(
                f"{shown(address)!r} is not an https address of S3; s3://bucket/key is the plain form"
            )
        if host["bucket"] is None:
            return _in_path(self.bucket, form.path, address)
        check_bucket(host["bucket"], self.bucket, address)
        return decoded_key(form.path, address)

    def _own_key(self, endpoint: Endpoint, form: WebForm, address: str) -> str:
        own = endpoint.origin
        if form.origin == own and form.path.startswith(f"{endpoint.path}/"):
            return _in_path(self.bucket, form.path.removeprefix(endpoint.path), address)
        is_virtual = form.origin.host == f"{self.bucket}.{own.host}" and not endpoint.path
        if is_virtual and (form.origin.scheme, form.origin.port) == (own.scheme, own.port):
            return decoded_key(form.path, address)
        raise InvalidArguments(f"{shown(address)!r} does not lie at {endpoint}, the integration's endpoint")


def s3_root(root: str, endpoint: Endpoint | None) -> tuple[S3Addresses, str]:
    """The bucket and key that the root of an integration names.

    Raises:
        InvalidArguments: not `s3://bucket/prefix`.
    """
    head, separator, rest = root.partition("://")
    bucket = rest.partition("/")[0]
    if not separator or head.lower() != "s3" or _BUCKET.fullmatch(bucket) is None:
        raise InvalidArguments(
            f"the root of an s3 integration is s3://bucket or s3://bucket/folder, not {shown(root)!r}"
        )
    addresses = S3Addresses(bucket, endpoint)
    return addresses, addresses.key_of(root)


def _in_path(bucket: str, path: str, address: str) -> str:
    named, _, encoded = path.removeprefix("/").partition("/")
    check_bucket(named, bucket, address)
    return decoded_key(encoded, address)
