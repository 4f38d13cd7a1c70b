"""Addresses at the bucket itself: clients read there, and the bytes of an item never pass through this server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments, NotPermitted, Unavailable
from framedex.core.ids import IntegrationId, ItemId
from framedex.core.items import Item
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog import Catalog, Entity
from framedex.services.addresses import OpenIntegration

_log = logging.getLogger(__name__)

_SIGNING_KINDS = frozenset({IntegrationKind.S3.value, IntegrationKind.GCS.value, IntegrationKind.AZURE.value})
_KNOWN_FOR_S = 2.0
"""A page of 1000 items is one look at the integration; changed credentials are seen after this time."""


class DirectLinks:
    """Signs addresses of items with the credentials of their integration. Safe for threads."""

    def __init__(self, catalog: Catalog, open_integration: OpenIntegration) -> None:
        self._catalog = catalog
        self._open_integration = open_integration
        self._lock = threading.Lock()
        self._known: Mapping[IntegrationId, IntegrationConfig] = {}
        self._known_until = 0.0

    def sign(self, items: Sequence[Item], caller: Caller, *, lifetime_s: int) -> Mapping[ItemId, str]:
        """Addresses that read the items' objects until they expire, without those that only this server can deliver.

        Whoever has such an address reads without us, so handing it out is what the audit log keeps. What cannot be
        signed now is left out, too: a list must not fail for it.
        """
        found: dict[ItemId, str] = {}
        failed: set[IntegrationId] = set()
        for item in items:
            if item.integration_id in failed:  # One wait for an integration, and not one for each of its items.
                continue
            try:
                address = self._address(item, lifetime_s)
            except (NotPermitted, Unavailable) as error:
                failed.add(IntegrationId(str(item.integration_id)))
                _log.warning("no signed addresses of integration %s: %s", item.integration_id, error.message)
                continue
            if address is not None:
                found[item.id] = address
        if found:
            # It may use the disk's reserve: reads go on where writes are refused.
            with self._catalog.write(frees=True) as unit:
                unit.audit(caller.user_id, "item.sign", Entity.ITEM, list(found))
        return found

    def _address(self, item: Item, lifetime_s: int) -> str | None:
        if item.url is None or item.integration_id is None or item.integration_kind not in _SIGNING_KINDS:
            return None
        if item.object_changed_at is not None:
            return None  # The server's own address says so; the bucket would hand out whatever is there.
        config = self._config(item.integration_id)
        if config is None:
            return None
        try:
            return self._open_integration(config).sign(item.url, lifetime_s=lifetime_s)
        except InvalidArguments:
            return None  # The root was another when it was registered. The server's own address says what is wrong.

    def _config(self, integration_id: IntegrationId) -> IntegrationConfig | None:
        with self._lock:
            if time.monotonic() >= self._known_until or integration_id not in self._known:
                with self._catalog.read() as unit:
                    self._known = {i.id: i.config for i in unit.people.integrations()}
                self._known_until = time.monotonic() + _KNOWN_FOR_S
            return self._known.get(integration_id)
