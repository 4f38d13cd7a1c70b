"""Refuses requests whose Host is not the public URL's: no absolute address ever comes from a Host header."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: A server on loopback is reached under all of its names.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OriginGuard:
    """ASGI middleware: 421 for a foreign Host. `/healthz` answers under any."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        parts = urlsplit(public_url)
        self._port = parts.port or _DEFAULT_PORTS[parts.scheme]
        self._scheme = parts.scheme
        host = parts.hostname or ""
        self._hosts = _LOOPBACK if host in _LOOPBACK else frozenset({host})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz" and not self._is_ours(scope):
            text = (
                "This server is not known under the Host that the request names; see `framedex serve --public-url`.\n"
            )
            await PlainTextResponse(text, 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        try:
            parts = urlsplit(f"//{hosts[0].decode('latin-1')}")
            port = parts.port or _DEFAULT_PORTS[self._scheme]
        except ValueError:
            return False
        return port == self._port and (parts.hostname or "") in self._hosts
