"""Routes of the own API."""

from __future__ import annotations

from starlette.routing import BaseRoute

from framedex.core.ports.catalog import Catalog
from framedex.services.bundle import Services


def routes(services: Services, catalog: Catalog) -> list[BaseRoute]:
    """All routes under `/api/v1`."""
    return []
