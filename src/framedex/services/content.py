"""The bytes of items, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import DomainError, NotFound, NotPermitted, ObjectChanged
from framedex.core.ids import IntegrationId
from framedex.core.items import Item
from framedex.core.ports.blobs import ExternalObjects, ObjectInfo, ObjectSource, OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.services.addresses import OpenIntegration


class ContentService:
    """Opens objects of integrations and our own."""

    def __init__(self, catalog: Catalog, blobs: OwnBlobs, open_integration: OpenIntegration) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._open_integration = open_integration

    def external(self, integration_id: IntegrationId) -> ExternalObjects:
        """The objects of an integration.

        Raises:
            NotFound: it was removed.
        """
        with self._catalog.read() as unit:
            integration = unit.people.integration(integration_id)
        if integration is None:
            raise NotFound(f"the integration {integration_id} does not exist any more")
        return self._open_integration(integration.config)

    def open_for(self, caller: Caller, item: Item) -> ObjectSource:
        """As `open`, for somebody who may read the item: who read what is kept in the audit log."""
        source = self.open(item)
        try:
            # It may use the disk's reserve: reads go on where writes are refused.
            with self._catalog.write(frees=True) as unit:
                unit.audit(caller.user_id, "item.read", Entity.ITEM, [item.id])
        except DomainError:
            source.close()
            raise
        return source

    def open(self, item: Item, url: str | None = None) -> ObjectSource:
        """A reader of the item's object, or of the one at `url`, an address that a scene names.

        Raises:
            NotFound: the kind has no object of its own, or the object is gone. NotPermitted: strict client-only.
            ObjectChanged: the object is another than the one that was registered, which the item then says.
        """
        if item.object_key is not None and url is None:
            return self._blobs.open(item.object_key)
        objects, address = self._external_of(item, url)
        with _named(item):
            source = objects.open(address)
        if url is None:
            try:
                self._compare(item, source.info)
            except DomainError:
                source.close()
                raise
        return source

    def stat(self, item: Item, url: str | None = None) -> ObjectInfo:
        """Size and ETag of what `open` would read. Our own objects never change: their key is their ETag.

        Raises: as `open`.
        """
        if item.object_key is not None and url is None:
            return _version(item, self._blobs.stat(item.object_key))
        objects, address = self._external_of(item, url)
        with _named(item):
            found = objects.stat(address)
        if url is None:
            self._compare(item, found)
        return found

    def opened_info(self, item: Item, source: ObjectSource) -> ObjectInfo:
        """As `stat`, of what was opened."""
        return source.info if item.object_key is None else _version(item, source.info)

    def _compare(self, item: Item, found: ObjectInfo) -> None:
        """Refuses another object than the registered one: facts, frames and metadata are of that."""
        if not found.is_other_than(item.remote_size, item.remote_etag):
            if item.object_changed_at is not None:
                self._mark(item, None)
            return
        if item.object_changed_at is None:
            self._mark(item, now_us())
        raise ObjectChanged(
            f"The object of item {item.id} was replaced since it was registered: its size or ETag is another. Put the "
            "registered object back, sync the folder if it is cloud-synced, or delete the item and register it anew.",
            item=item.id,
        )

    def _mark(self, item: Item, changed_at_us: int | None) -> None:
        with self._catalog.write(frees=True) as unit:
            unit.items.mark_changed(item.id, changed_at_us)
            unit.log(Entity.ITEM, Op.UPDATE, [item.id])

    def _external_of(self, item: Item, url: str | None) -> tuple[ExternalObjects, str]:
        address = item.url if url is None else url
        if address is None or item.integration_id is None:
            raise NotFound(f"item {item.id} is not one object; read its child items")
        with self._catalog.read() as unit:
            integration = unit.people.integration(item.integration_id)
        if integration is None:
            raise NotFound(f"the integration of item {item.id} does not exist any more")
        if integration.config.strict_client_only:
            raise NotPermitted("The server may not read objects of a strict client-only integration.")
        return self._open_integration(integration.config), address


@contextmanager
def _named(item: Item) -> Iterator[None]:
    """Says of what is missing whose object it is."""
    try:
        yield
    except NotFound as error:
        raise NotFound(f"The object of item {item.id} is not where it was registered: {error.message}.") from error


def _version(item: Item, info: ObjectInfo) -> ObjectInfo:
    return replace(info, etag=f'"{item.object_key}"')
