"""Integration kind `http`: objects of named web origins."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import cached_property

from framedex.core.errors import NotImplementedHere
from framedex.core.ports.blobs import ObjectInfo, ObjectSource
from framedex.stores.blobs.file_addresses import shown
from framedex.stores.blobs.ip_guard import AddressGuard, Resolver, system_resolver
from framedex.stores.blobs.web_addresses import WebAddress, parse_address, parse_origins
from framedex.stores.blobs.web_session import WebLimits, WebScope, WebSession
from framedex.stores.blobs.web_source import WebSource


class HttpObjects:
    """Objects of web servers; safe for threads, as each reader has its own connections."""

    def __init__(
        self,
        origins: str,
        *,
        allow_private_addresses: bool = False,
        resolver: Resolver = system_resolver,
        limits: WebLimits | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Takes comma-separated origins; `ssl_context` replaces the system's certificate authorities.

        Raises:
            InvalidArguments: an origin is malformed.
        """
        guard = AddressGuard(allow_private_addresses, resolver)
        self._scope = WebScope(parse_origins(origins), guard, limits or WebLimits())
        self._given_context = ssl_context

    def check_address(self, url: str) -> None:
        self._checked(url)

    def stat(self, url: str) -> ObjectInfo:
        source = self._open(url)
        source.close()
        return source.info

    def open(self, url: str) -> ObjectSource:
        return self._open(url)

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        raise _unlistable(prefix)

    def check_folder(self, url: str) -> None:
        raise _unlistable(url)

    def order_key(self, url: str) -> str:
        self._checked(url)
        return url

    def address_at(self, order_key: str) -> str:
        return order_key

    def sign(self, url: str, *, lifetime_s: int) -> str | None:
        return None  # A web server has no keys of ours; its objects are delivered by this server.

    def _open(self, url: str) -> WebSource:
        address = self._checked(url)
        return WebSource(WebSession(self._scope, self._ssl_context), address, self._scope.limits)

    def _checked(self, url: str) -> WebAddress:
        address = parse_address(url)
        self._scope.check(address)
        return address

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Loading the system's authorities takes tens of milliseconds, so once for all readers.
        return self._given_context or ssl.create_default_context()


def _unlistable(prefix: str) -> NotImplementedHere:
    message = "a web server cannot be listed; import a manifest with the addresses of its objects instead of"
    return NotImplementedHere(f"{message} {shown(prefix)!r}")
