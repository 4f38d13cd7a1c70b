"""One item: facts, metadata, merge patches, history."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from framedex.core.errors import InvalidArguments, VersionMismatch
from framedex.core.ids import ItemId, parse_id
from framedex.core.ports.catalog_metadata import MetadataVersion
from framedex.webapi.answers import item_body, json_response, metadata_body, version_body
from framedex.webapi.context import Context, CurrentCaller, Cursor, Limit, PatchBody
from framedex.webapi.cursors import ListCursor
from framedex.webapi.schemas import FrameMapOut, HistoryOut, ItemOut, MetadataOut
from framedex.webapi.versions import etag, expected_version, is_any

router = APIRouter(prefix="/items", tags=["items"])

_PATCH_TYPES = frozenset({"application/merge-patch+json", "application/json"})
_PATCH_DOC = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "object"}} for kind in sorted(_PATCH_TYPES)},
    }
}


@router.get("/{item}", response_model=ItemOut)
def get_item(context: Context, caller: CurrentCaller, item: str) -> Response:
    """One item, its metadata exactly as stored. The ETag is the version of the metadata, for `If-Match`."""
    found = context.services.history.get_item(caller, _id(item))
    version = 0 if found.version is None else found.version.version
    return json_response(item_body(found.item, found.version), headers={"ETag": etag(version)})


@router.patch("/{item}/metadata", response_model=MetadataOut, openapi_extra=_PATCH_DOC)
def patch_metadata(
    request: Request,
    context: Context,
    caller: CurrentCaller,
    item: str,
    body: PatchBody,
    if_match: Annotated[str | None, Header(description="The ETag of the item; 412 when it has moved on.")] = None,
) -> Response:
    """Applies a JSON Merge Patch (RFC 7396). What the patch does not name keeps its exact text."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in _PATCH_TYPES:
        raise InvalidArguments(f"a merge patch is application/merge-patch+json or application/json, not {kind[:80]!r}")
    patch = _text(bytes(body.view))
    item_id = _id(item)
    expected = _expected(context, caller, item_id, if_match)
    version, seq = context.written(
        lambda: context.services.history.patch_metadata(caller, item_id, patch, expected=expected)
    )
    return _written(version, seq)


@router.get("/{item}/frame-map", response_model=FrameMapOut)
def get_frame_map(context: Context, caller: CurrentCaller, item: str) -> Response:
    """How the frames of its original went into a re-encoded video; 404 for any other item."""
    source_id, found = context.services.reencoding.frame_map(caller, _id(item))
    return json_response(
        {"source_uuid": source_id, "rate": str(found.rate), "frame_count": found.count, "starts": list(found.starts)}
    )


@router.get("/{item}/history", response_model=HistoryOut)
def list_history(
    context: Context, caller: CurrentCaller, item: str, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Kept versions of the metadata, newest first, the current one included; who and when."""
    item_id = _id(item)
    position = ListCursor(context.cursors, "history", item_id)
    before = position.number(cursor)
    found = context.services.history.list_versions(caller, item_id, before=before, limit=limit + 1)
    following = position.after(found[limit - 1].version) if len(found) > limit else None
    return json_response({"versions": [version_body(v) for v in found[:limit]], "next_cursor": following})


@router.post("/{item}/history/{version}/restore", response_model=MetadataOut)
def restore(context: Context, caller: CurrentCaller, item: str, version: Annotated[int, Path(ge=1)]) -> Response:
    """Gives the item the metadata of a kept version again, as a new version."""
    restored, seq = context.written(lambda: context.services.history.restore(caller, _id(item), version))
    return _written(restored, seq)


def _written(version: MetadataVersion, seq: int | None) -> Response:
    return json_response(metadata_body(version, seq), seq=seq, headers={"ETag": etag(version.version)})


def _expected(context: Context, caller: CurrentCaller, item_id: ItemId, if_match: str | None) -> int | None:
    """The version that `If-Match` names; `*` is any that there is (RFC 9110 section 13.1.1)."""
    if is_any(if_match) and context.services.history.get_item(caller, item_id).version is None:
        raise VersionMismatch(f"Item {item_id} has no metadata yet.")
    return expected_version(if_match)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidArguments(f"the request body is not UTF-8 (byte {error.start})", path="$") from None


def _id(text: str) -> ItemId:
    return ItemId(parse_id(text, path="path.item"))
