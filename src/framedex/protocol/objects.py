"""The signed addresses that the SDK is given: `/objects/upload|content|metadata/{token}`.

No other header identifies the caller here; the token names the user, whose rights are looked at again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator

import msgspec
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from framedex.core.errors import DomainError, InvalidArguments
from framedex.core.ids import ItemId
from framedex.core.ports.media import ByteSource
from framedex.core.ports.signing import UrlGrant, UrlPurpose
from framedex.protocol.errors import v2_error
from framedex.protocol.ranges import ByteRange, parse_range
from framedex.services.bundle import Services

_log = logging.getLogger("framedex.objects")
_PIECE = 1 << 20

#: Kinds of content that a browser may show; everything else is a download.
_INLINE = re.compile(r"(?:image|audio|video)/(?!.*(?:svg|xml)).+|application/pdf", re.IGNORECASE)
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}", re.ASCII)
_GUARDS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


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
        source = self._services.content.open_for(caller, item)
        size = source.size()
        wanted = parse_range(request.headers.get("range"), size)
        mime_type = _content_type(item.mime_type)
        headers = _GUARDS | {"Accept-Ranges": "bytes", "Content-Disposition": _disposition(mime_type)}
        if wanted is None:
            headers |= {"Content-Length": str(size)}
            return StreamingResponse(_pieces(source, ByteRange(0, size)), 200, headers, mime_type)
        if wanted.length == 0:
            source.close()
            return Response(b"", 416, headers | {"Content-Range": f"bytes */{size}"})
        headers |= {
            "Content-Length": str(wanted.length),
            "Content-Range": f"bytes {wanted.start}-{wanted.start + wanted.length - 1}/{size}",
        }
        return StreamingResponse(_pieces(source, wanted), 206, headers, mime_type)

    async def metadata(self, request: Request) -> Response:
        """An item's metadata as its exact JSON text."""
        try:
            text = await to_thread.run_sync(self._metadata, request)
        except DomainError as error:
            return _error(error)
        return Response(text, 200, _GUARDS, "application/json")

    def _metadata(self, request: Request) -> str:
        token = request.path_params["token"]
        grant = self._services.links.verify(token, method=request.method, purpose=UrlPurpose.METADATA)
        caller = self._services.identity.by_id(grant.user_id)
        return self._services.items.get_item(caller, ItemId(grant.subject)).metadata or "{}"


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _pieces(source: ByteSource, wanted: ByteRange) -> Iterator[bytes]:
    offset, left = wanted.start, wanted.length
    try:
        while left > 0:
            piece = source.read_at(offset, min(left, _PIECE))
            if not piece:
                _log.warning("an object became shorter while it was read")
                return
            yield piece
            offset, left = offset + len(piece), left - len(piece)
    finally:
        source.close()


def _content_type(mime_type: str | None) -> str:
    """An item's MIME type without parameters. Callers may supply any text: only what is well-formed is served."""
    essence = (mime_type or "").partition(";")[0].strip().lower()
    return essence if _MIME_TYPE.fullmatch(essence) else "application/octet-stream"


def _disposition(mime_type: str) -> str:
    return "inline" if _INLINE.fullmatch(mime_type) else "attachment"


def _error(error: DomainError) -> Response:
    answer = v2_error(error)
    return Response(msgspec.json.encode(answer.body), answer.status, _GUARDS, "application/json")
