"""The bytes of items, wherever they are."""

from __future__ import annotations

from framedex.core.access import Caller
from framedex.core.errors import DomainError, NotFound, NotPermitted
from framedex.core.ids import IntegrationId
from framedex.core.items import Item
from framedex.core.ports.blobs import ExternalObjects, OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity
from framedex.core.ports.media import ByteSource
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

    def open_for(self, caller: Caller, item: Item) -> ByteSource:
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

    def open(self, item: Item) -> ByteSource:
        """A reader of the item's object.

        Raises:
            NotFound: the kind has no object of its own, or the object is gone. NotPermitted: strict client-only.
        """
        if item.object_key is not None:
            return self._blobs.open(item.object_key)
        if item.url is None or item.integration_id is None:
            raise NotFound(f"item {item.id} is not one object; read its child items")
        with self._catalog.read() as unit:
            integration = unit.people.integration(item.integration_id)
        if integration is None:
            raise NotFound(f"the integration of item {item.id} does not exist any more")
        if integration.config.strict_client_only:
            raise NotPermitted("The server may not read objects of a strict client-only integration.")
        return self._open_integration(integration.config).open(item.url)
