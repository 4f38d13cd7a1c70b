"""The bytes of an item."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from framedex.core.ids import ItemId, parse_id
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.media import ByteSource
from framedex.http.content import GUARDS, object_response
from framedex.webapi.context import Context, CurrentCaller

router = APIRouter(prefix="/items", tags=["items"])

_BYTES: dict[str, object] = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}
_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"description": "The whole object.", **_BYTES},
    206: {"description": "The range that was asked for.", **_BYTES},
    304: {"description": "Unchanged: the caller has it."},
    307: {"description": "Where its bucket hands it out, for a while."},
    416: {"description": "The range begins behind the end."},
}


@router.head("/{item}/content", response_class=Response, include_in_schema=False)
@router.get("/{item}/content", response_class=Response, responses=_ANSWERS)
def get_content(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    *,
    redirect: Annotated[bool, Query(description="`false`: always through this server, never to a bucket.")] = True,
) -> Response:
    """The object as it is, or one `Range` of it, with `If-None-Match` and `If-Range`.

    Objects in a bucket whose integration has a key to sign with are answered with a redirect to the bucket (GET only).
    """
    services = context.services
    found = services.items.get_item(caller, ItemId(parse_id(item, path="path.item")))
    if redirect and request.method == "GET":
        address = services.links.direct(found, caller)
        if address is not None:
            return Response(b"", 307, {**GUARDS, "Location": address, "Cache-Control": "private, no-store"})

    def open_source() -> tuple[ByteSource, ObjectInfo]:
        services.read_log.note(caller, found.id, "item.read")
        source = services.content.open(found)
        return source, services.content.opened_info(found, source)

    return object_response(
        request, lambda: services.content.stat(found), open_source, mime_type=found.mime_type, name=found.name
    )
