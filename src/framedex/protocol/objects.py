"""The signed addresses that the SDK is given: `/objects/upload|content|metadata/{token}`.

No other header identifies the caller here; the token names the user, whose rights are looked at again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from framedex.core.errors import DomainError, InvalidArguments
from framedex.core.ids import ItemId
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.media import ByteSource
from framedex.core.ports.signing import UrlGrant, UrlPurpose
from framedex.http.content import GUARDS, PRIVATE, object_response
from framedex.protocol.errors import v2_error
from framedex.services.bundle import Services

_METADATA = {**GUARDS, **PRIVATE, "Content-Disposition": "attachment"}


def routes(services: Services) -> list[Route]:
    """The routes of signed addresses."""
    objects = Objects(services)
    return [
        Route("/objects/upload/{token}", objects.upload, methods=["PUT"]),
        Route("/objects/content/{token}", objects.content, methods=["GET"]),
        Route("/objects/metadata/{token}", objects.metadata, methods=["GET"]),
    ]


class Objects:
    """Handlers of signed addresses."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def upload(self, request: Request) -> Response:
        """Takes the bytes of a file, once, up to the size that the address allows."""
        try:
            grant = self._services.links.verify(request.path_params["token"], method="PUT", purpose=UrlPurpose.UPLOAD)
            await to_thread.run_sync(self._require_open, grant)
            await self._services.uploads.receive(grant, _body(request))
        except DomainError as error:
            return _error(error)
        except ClientDisconnect:
            return _error(InvalidArguments("the connection ended in the middle of the upload"))
        return Response(status_code=200)

    def _require_open(self, grant: UrlGrant) -> None:
        self._services.uploads.require_open(self._services.identity.by_id(grant.user_id), grant)

    async def content(self, request: Request) -> Response:
        """The bytes of an item, with HTTP ranges."""
        try:
            return await to_thread.run_sync(self._content, request)
        except DomainError as error:
            return _error(error)

    def _content(self, request: Request) -> Response:
        grant = self._services.links.verify(
            request.path_params["token"], method=request.method, purpose=UrlPurpose.CONTENT
        )
        caller = self._services.identity.by_id(grant.user_id)
        item = self._services.items.get_item(caller, ItemId(grant.subject))
        content = self._services.content

        def open_source() -> tuple[ByteSource, ObjectInfo]:
            source = content.open_for(caller, item)
            return source, content.opened_info(item, source)

        return object_response(
            request, lambda: content.stat(item), open_source, mime_type=item.mime_type, name=item.name
        )

    async def metadata(self, request: Request) -> Response:
        """An item's metadata as its exact JSON text."""
        try:
            text = await to_thread.run_sync(self._metadata, request)
        except DomainError as error:
            return _error(error)
        return Response(text, 200, _METADATA, "application/json")

    def _metadata(self, request: Request) -> str:
        token = request.path_params["token"]
        grant = self._services.links.verify(token, method=request.method, purpose=UrlPurpose.METADATA)
        caller = self._services.identity.by_id(grant.user_id)
        return self._services.items.get_item(caller, ItemId(grant.subject)).metadata or "{}"


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _error(error: DomainError) -> Response:
    answer = v2_error(error)
    return Response(msgspec.json.encode(answer.body), answer.status, dict(GUARDS), "application/json")
