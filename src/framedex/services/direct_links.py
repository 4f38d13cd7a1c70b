"""Addresses at the bucket itself: clients read there, and the bytes of an item never pass through this server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from framedex.core.errors import DomainError
from framedex.core.ids import IntegrationId
from framedex.core.items import Item
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog import Catalog
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

    def sign(self, item: Item, *, lifetime_s: int) -> str | None:
        """An address that reads the item's object until it expires; None where only this server can deliver it."""
        if item.url is None or item.integration_id is None or item.integration_kind not in _SIGNING_KINDS:
            return None
        config = self._configs().get(item.integration_id)
        if config is None:
            return None
        try:
            return self._open_integration(config).sign(item.url, lifetime_s=lifetime_s)
        except DomainError as error:
            # The server's own address answers what is wrong, to the one who uses it; a list must not fail for it.
            _log.warning("no signed address of integration %s: %s", item.integration_id, error.message)
            return None

    def _configs(self) -> Mapping[IntegrationId, IntegrationConfig]:
        with self._lock:
            if time.monotonic() >= self._known_until:
                with self._catalog.read() as unit:
                    self._known = {i.id: i.config for i in unit.people.integrations()}
                self._known_until = time.monotonic() + _KNOWN_FOR_S
            return self._known
