"""The address form of Azure Blob Storage: `https://account.blob.core.windows.net/container/key`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.cloud.endpoints import Endpoint
from framedex.stores.blobs.cloud.keys import check_bucket, decoded_key, web_form
from framedex.stores.blobs.file_addresses import shown

_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web")
_HOST = re.compile(r"(?P<account>[a-z0-9]{3,24})\.blob\.core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)")
_UNENCODED = "/!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class AzureAddresses:
    """`service` is what stands before the container: the account's own host, or an endpoint."""

    bucket: str
    account: str
    service: Endpoint

    def key_of(self, address: str) -> str:
        form = web_form(address)
        if form.origin != self.service.origin or not form.path.startswith(f"{self.service.path}/"):
            raise InvalidArguments(f"{shown(address)!r} does not lie at {self.service}, the integration's account")
        named, _, encoded = form.path.removeprefix(f"{self.service.path}/").partition("/")
        check_bucket(named, self.bucket, address)
        return decoded_key(encoded, address)

    def address_of(self, key: str) -> str:
        return f"{self.service}/{self.bucket}/{quote(key, safe=_UNENCODED)}"


def azure_root(root: str, endpoint: Endpoint | None) -> tuple[AzureAddresses, str]:
    """The container and key that the root of an integration names.

    Without an endpoint the account is the first label of the host. An endpoint ends in the account's name (as the
    emulators have it, `http://host:port/account`), or its host begins with it.

    Raises:
        InvalidArguments: not `https://account.blob.core.windows.net/container/prefix`, or not at the endpoint.
    """
    form = web_form(root)
    service, account = _service(form.origin.host, Endpoint(form.origin), root) if endpoint is None else _own(endpoint)
    container = form.path.removeprefix(f"{service.path}/").partition("/")[0]
    if _CONTAINER.fullmatch(container) is None:
        raise InvalidArguments(
            f"{shown(root)!r} has no container; write {service}/container or {service}/container/folder"
        )
    addresses = AzureAddresses(container, account, service)
    return addresses, addresses.key_of(root)


def _service(host: str, service: Endpoint, root: str) -> tuple[Endpoint, str]:
    named = _HOST.fullmatch(host)
    if named is None or service.is_plain_http:
        raise InvalidArguments(
            "the root of an azure integration is https://account.blob.core.windows.net/container/folder, not"
            f" {shown(root)!r}; for another host name its --endpoint, too"
        )
    return service, named["account"]


def _own(endpoint: Endpoint) -> tuple[Endpoint, str]:
    account = endpoint.path.rpartition("/")[2] or endpoint.origin.host.partition(".")[0]
    return endpoint, account
