"""From the configuration of an integration to its objects."""

from __future__ import annotations

from collections.abc import Iterator

from framedex.core.errors import NotImplementedHere, NotPermitted
from framedex.core.ports.blobs import ExternalObjects, IntegrationConfig, IntegrationKind, ObjectInfo
from framedex.core.ports.media import ByteSource
from framedex.stores.blobs.file_addresses import shown
from framedex.stores.blobs.http import HttpObjects
from framedex.stores.blobs.local import LocalObjects


def open_integration(config: IntegrationConfig) -> ExternalObjects:
    """The objects of an integration. Nothing is read or connected to yet; the result is safe for threads.

    Raises:
        InvalidArguments: the root or an origin is malformed.
        NotImplementedHere: a kind that this release does not have.
    """
    objects = _objects(config)
    return ClientOnlyObjects(objects) if config.strict_client_only else objects


class ClientOnlyObjects:
    """Objects that the server must not touch: addresses are checked, everything else is refused."""

    def __init__(self, objects: ExternalObjects) -> None:
        self._objects = objects

    def check_address(self, url: str) -> None:
        self._objects.check_address(url)

    def stat(self, url: str) -> ObjectInfo:
        raise _client_only(url)

    def open(self, url: str) -> ByteSource:
        raise _client_only(url)

    def list_objects(self, prefix: str) -> Iterator[tuple[str, ObjectInfo]]:
        raise _client_only(prefix)


def _objects(config: IntegrationConfig) -> ExternalObjects:
    if config.kind is IntegrationKind.LOCAL:
        return LocalObjects(config.root)
    if config.kind is IntegrationKind.HTTP:
        return HttpObjects(config.root, allow_private_addresses=config.allow_private_addresses)
    raise NotImplementedHere(f"integrations of kind {config.kind.value} come with the next release; use local or http")


def _client_only(address: str) -> NotPermitted:
    return NotPermitted(
        "this integration is strict client-only, so the server does not look at its objects; give the *Metadata block"
        f" of {shown(address)!r}"
    )
