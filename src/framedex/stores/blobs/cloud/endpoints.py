"""Where a store is reached: the cloud's own hosts, or an endpoint that the operator configured and we check.

obstore resolves and connects by itself, so the address that it connects to cannot be pinned as `connections` does for
`http` integrations. An endpoint's host is therefore checked before a client is made and again while it is used; see
docs/decisions/0016-buckets-are-reached-by-obstore.md for what that leaves open.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.cloud.keys import web_form
from framedex.stores.blobs.ip_guard import AddressGuard, Resolver, system_resolver
from framedex.stores.blobs.web_addresses import Origin

_CHECKED_FOR_S = 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The origin of a store and the path below which its buckets are (empty, or `/segment…` without a final slash)."""

    origin: Origin
    path: str = ""

    @property
    def is_plain_http(self) -> bool:
        return self.origin.scheme == "http"

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


def parse_endpoint(text: str) -> Endpoint:
    """An endpoint from `https://host:port[/path]`.

    Raises:
        InvalidArguments: malformed.
    """
    form = web_form(text.strip())
    return Endpoint(form.origin, form.path.rstrip("/"))


class EndpointGuard:
    """Refuses an endpoint whose host leads to an address that the integration may not reach."""

    def __init__(
        self, endpoint: Endpoint | None, *, allow_private_addresses: bool, resolver: Resolver = system_resolver
    ) -> None:
        """`endpoint` None is the cloud's own host, which may well be private (a private link into a network)."""
        self._endpoint = endpoint
        self._guard = AddressGuard(allow_private_addresses, resolver)
        self._lock = threading.Lock()
        self._good_until = 0.0

    def check(self) -> None:
        """Resolves the host at most once a minute.

        Raises:
            InvalidArguments: it leads to a private or reserved address. Unavailable: it cannot be resolved.
        """
        if self._endpoint is None or time.monotonic() < self._good_until:
            return
        with self._lock:
            origin = self._endpoint.origin
            try:
                self._guard.checked_addresses(origin.host, origin.port)
            except InvalidArguments as error:
                mend = " (--allow-private-addresses)" if "can allow private addresses" in error.message else ""
                raise InvalidArguments(f"the endpoint {origin}: {error.message}{mend}") from None
            self._good_until = time.monotonic() + _CHECKED_FOR_S
