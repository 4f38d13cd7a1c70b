"""What an operator does about each thing that fails with a bucket."""

from __future__ import annotations

import json
from dataclasses import dataclass

from framedex.core.errors import DomainError, InvalidArguments, NotFound, NotPermitted
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.stores.blobs.cloud.failures import StoreOutage, WrongRegion
from framedex.stores.blobs.cloud.keys import Addresses

_BAD_SECRETS = frozenset(
    {
        "SignatureDoesNotMatch",
        "AuthenticationFailed",
        "AuthorizationFailure",
        "InvalidAccessKeyId",
        "ExpiredToken",
        "InvalidToken",
    }
)
_RIGHTS = {
    (IntegrationKind.S3, "list"): "s3:ListBucket on the bucket",
    (IntegrationKind.S3, "read"): "s3:GetObject on the objects",
    (IntegrationKind.S3, "write"): "s3:PutObject and s3:DeleteObject on the objects",
    (IntegrationKind.GCS, "list"): "storage.objects.list (role Storage Object Viewer)",
    (IntegrationKind.GCS, "read"): "storage.objects.get (role Storage Object Viewer)",
    (IntegrationKind.GCS, "write"): "storage.objects.create and delete (role Storage Object User)",
    (IntegrationKind.AZURE, "list"): "the role Storage Blob Data Reader on the container",
    (IntegrationKind.AZURE, "read"): "the role Storage Blob Data Reader on the container",
    (IntegrationKind.AZURE, "write"): "the role Storage Blob Data Contributor on the container",
}
_GIVE = "framedex integrations set-credentials UUID --credentials FILE, if this machine has no identity there; or "


@dataclass(frozen=True, slots=True)
class Mends:
    """Advice about one integration."""

    config: IntegrationConfig
    addresses: Addresses
    home: str

    def of(self, error: DomainError, action: str) -> str:
        """`action`: list, read or write."""
        if isinstance(error, WrongRegion):
            return f"add the integration with --region {error.region or 'and the region that the bucket was made in'}"
        if isinstance(error, NotPermitted):
            return self._of_refusal(str(error.facts.get("store_code")), action)
        if isinstance(error, StoreOutage):
            no_credentials = self.config.credentials is None
            return f"{_GIVE if no_credentials else ''}{self.unreachable()}"
        if isinstance(error, NotFound):
            return f"make the bucket {self.addresses.bucket!r}, or add the integration with the right --root"
        if isinstance(error, InvalidArguments):
            return "add the integration with what the message asks for"
        return "try again; when it stays, look at the store's own log"

    def unreachable(self) -> str:
        return f"make sure that this machine reaches {self.home} (name, port, certificate, firewall, proxy)"

    def clock(self) -> str:
        return "set this machine's clock by NTP (for example: timedatectl set-ntp true)"

    def cors(self, origin: str) -> str:
        """The command that lets a page of `origin` read signed addresses."""
        bucket = self.addresses.bucket
        if self.config.kind is IntegrationKind.AZURE:
            more = "--allowed-headers '*' --exposed-headers '*' --max-age 3600"
            return f"az storage cors add --services b --methods GET HEAD --origins {origin} {more}"
        if self.config.kind is IntegrationKind.GCS:
            rule = {"origin": [origin], "method": ["GET", "HEAD"], "responseHeader": ["Content-Range", "ETag"]}
            command = f"gcloud storage buckets update gs://{bucket} --cors-file=cors.json"
            return f"write {json.dumps([rule])} to cors.json; {command}"
        allowed = {"AllowedOrigins": [origin], "AllowedMethods": ["GET", "HEAD"], "AllowedHeaders": ["*"]}
        rules = json.dumps({"CORSRules": [allowed | {"ExposeHeaders": ["Content-Range", "ETag"]}]})
        at = f" --endpoint-url {self.config.endpoint}" if self.config.endpoint else ""
        return f"aws s3api put-bucket-cors{at} --bucket {bucket} --cors-configuration '{rules}'"

    def _of_refusal(self, code: str, action: str) -> str:
        if code in _BAD_SECRETS:
            return "framedex integrations set-credentials UUID --credentials FILE"
        if code == "RequestTimeTooSkewed":
            return self.clock()
        right = _RIGHTS[self.config.kind, action]
        return f"give the credentials {right}, or others: framedex integrations set-credentials UUID --credentials FILE"
