"""From the configuration of an integration to its objects."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from framedex.core.errors import NotImplementedHere, NotPermitted
from framedex.core.ports.blobs import (
    ExternalObjects,
    Finding,
    IntegrationConfig,
    IntegrationKind,
    ObjectInfo,
    ObjectSource,
    SealedCredentials,
    WritableObjects,
)
from framedex.stores.blobs.cloud.credentials import Credentials, Environment, parse_credentials
from framedex.stores.blobs.cloud.doctor import examine
from framedex.stores.blobs.cloud.objects import CloudObjects
from framedex.stores.blobs.cloud.opening import KINDS, open_cloud
from framedex.stores.blobs.file_addresses import shown
from framedex.stores.blobs.http import HttpObjects
from framedex.stores.blobs.local import LocalObjects
from framedex.stores.blobs.local_writing import LocalWriter

Unseal = Callable[[SealedCredentials], bytes]

_KEPT = 64
"""Integrations whose connections, gate and credentials are kept; with more, those used longest ago start anew."""


class Integrations:
    """Opens integrations; safe for threads."""

    def __init__(self, unseal: Unseal, environment: Environment) -> None:
        self._unseal = unseal
        self._environment = environment
        self._clouds: OrderedDict[IntegrationConfig, CloudObjects] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, config: IntegrationConfig) -> ExternalObjects:
        """The objects of an integration. Nothing is read or connected to yet; the result is safe for threads.

        Raises:
            InvalidArguments: the root, an origin or the endpoint is malformed.
        """
        objects = self._objects(config)
        return ClientOnlyObjects(objects) if config.strict_client_only else objects

    def open_writable(self, config: IntegrationConfig) -> WritableObjects:
        """What may be written beside the objects.

        Raises:
            NotPermitted: the integration is not writable. NotImplementedHere: nor can its kind be.
        """
        if not config.writable:
            raise NotPermitted("this integration is not writable; add one with --writable")
        if config.kind is IntegrationKind.LOCAL:
            return LocalWriter(config.root)
        if config.kind not in KINDS:
            raise NotImplementedHere(f"nothing can be written to integrations of kind {config.kind.value}")
        return self._cloud(config)

    def check(self, config: IntegrationConfig, credentials: bytes | None) -> None:
        """Refuses what cannot work: a malformed root or endpoint, one that may not be reached, unusable credentials.

        Raises:
            InvalidArguments, Unavailable.
        """
        if config.kind not in KINDS:
            _simple(config)
            return
        given = None if credentials is None else parse_credentials(config.kind, credentials, self._environment)
        _ = open_cloud(config, lambda: given).client  # Made of all of it; nothing is asked for yet.

    def examine(self, config: IntegrationConfig, origin: str) -> Iterator[Finding]:
        """Tries everything that a bucket is needed for; `origin` is the one of the web page that shows its objects."""
        return examine(self._cloud(config), config, origin)

    def _objects(self, config: IntegrationConfig) -> ExternalObjects:
        return self._cloud(config) if config.kind in KINDS else _simple(config)

    def _cloud(self, config: IntegrationConfig) -> CloudObjects:
        with self._lock:
            found = self._clouds.get(config)
            if found is None:
                found = self._clouds[config] = open_cloud(config, lambda: self._credentials(config))
                while len(self._clouds) > _KEPT:
                    self._clouds.popitem(last=False)
            self._clouds.move_to_end(config)
            return found

    def _credentials(self, config: IntegrationConfig) -> Credentials | None:
        if config.credentials is None:
            return None
        return parse_credentials(config.kind, self._unseal(config.credentials), self._environment)


class ClientOnlyObjects:
    """Objects that the server must not touch: addresses are checked, listed and signed, all else is refused."""

    def __init__(self, objects: ExternalObjects) -> None:
        self._objects = objects

    def check_address(self, url: str) -> None:
        self._objects.check_address(url)

    def stat(self, url: str) -> ObjectInfo:
        raise _client_only(url)

    def open(self, url: str) -> ObjectSource:
        raise _client_only(url)

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        return self._objects.list_objects(prefix, start_after=start_after)  # Names and sizes; no object is opened.

    def check_folder(self, url: str) -> None:
        self._objects.check_folder(url)

    def order_key(self, url: str) -> str:
        return self._objects.order_key(url)

    def address_at(self, order_key: str) -> str:
        return self._objects.address_at(order_key)

    def sign(self, url: str, *, lifetime_s: int) -> str | None:
        return self._objects.sign(url, lifetime_s=lifetime_s)  # Signing reads nothing; the client will.


def _simple(config: IntegrationConfig) -> ExternalObjects:
    if config.kind is IntegrationKind.LOCAL:
        return LocalObjects(config.root)
    return HttpObjects(config.root, allow_private_addresses=config.allow_private_addresses)


def _client_only(address: str) -> NotPermitted:
    return NotPermitted(
        "this integration is strict client-only, so the server does not look at its objects; give the *Metadata block"
        f" of {shown(address)!r}"
    )
