"""The own API under `/api/v1`: what the page, the command line and notebooks use. It knows nothing of the SDK."""

from framedex.webapi.app import routes

__all__ = ["routes"]
