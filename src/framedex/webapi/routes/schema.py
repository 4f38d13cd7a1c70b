"""The metadata schema: the types of keys, its versions, and what does not fit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from framedex.core.errors import InvalidArguments, VersionMismatch
from framedex.core.ids import ItemId
from framedex.core.metadata.raw import check_metadata, child_path, member_spans
from framedex.core.ports.catalog_metadata import SchemaVersion
from framedex.webapi.answers import NO_SCHEMA, json_response, misfit_out, misfits_out, schema_body
from framedex.webapi.context import Context, CurrentCaller, Cursor, Limit, PatchBody
from framedex.webapi.cursors import ListCursor
from framedex.webapi.schemas import DryRunOut, MisfitValuesOut, QuarantineOut, SchemaOut, SchemaVersionsOut
from framedex.webapi.versions import etag, expected_version, is_any

router = APIRouter(prefix="/schema", tags=["schema"])

#: What a schema as it was answered has beside its keys; not looked at when it comes back.
_ANSWERED = frozenset({"version", "edited_by", "edited_at"})
_PUT_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["keys"], "properties": {"keys": {"type": "object"}}}
            }
        },
    }
}


@router.get("", response_model=SchemaOut)
def get_schema(context: Context, caller: CurrentCaller) -> Response:
    """The schema in force. The ETag is its version, for `If-Match`."""
    found = context.services.schema.get(caller)
    body = NO_SCHEMA if found is None else schema_body(found)
    return json_response(body, headers={"ETag": etag(0 if found is None else found.version)})


@router.put("", response_model=SchemaOut | DryRunOut, openapi_extra=_PUT_DOC)
def put_schema(
    context: Context,
    caller: CurrentCaller,
    body: PatchBody,
    *,
    dry_run: Annotated[bool, Query(description="Changes nothing; answers how many values would not fit.")] = False,
    if_match: Annotated[str | None, Header(description="The ETag of the schema; 412 when it has moved on.")] = None,
) -> Response:
    """Makes `keys` the whole schema; stored items follow by a job. The same schema again changes nothing."""
    keys = _keys(bytes(body.view))
    service = context.services.schema
    if is_any(if_match) and service.get(caller) is None:
        raise VersionMismatch("No metadata schema was ever saved.")
    expected = expected_version(if_match)
    if dry_run:
        found = service.try_out(caller, keys, expected=expected, path="$.keys")
        misfits = [misfits_out(count).model_dump() for count in found.misfits]
        return json_response({"version": found.version, "items": found.items, "misfits": misfits})
    return _written(*context.written(lambda: service.save(caller, keys, expected=expected, path="$.keys")))


@router.get("/versions", response_model=SchemaVersionsOut)
def list_versions(context: Context, caller: CurrentCaller, limit: Limit = 20, cursor: Cursor = None) -> Response:
    """Every version that ever was, newest first."""
    position = ListCursor(context.cursors, "schema")
    found = context.services.schema.list_versions(caller, before=position.number(cursor), limit=limit + 1)
    following = position.after(found[limit - 1].version) if len(found) > limit else None
    return json_response({"versions": [schema_body(v) for v in found[:limit]], "next_cursor": following})


@router.post("/versions/{version}/restore", response_model=SchemaOut)
def restore(context: Context, caller: CurrentCaller, version: Annotated[int, Path(ge=1)]) -> Response:
    """Makes a version the schema again, as a new version. What was deleted for good since then stays deleted."""
    return _written(*context.written(lambda: context.services.schema.restore(caller, version)))


@router.get("/quarantine")
def list_quarantine(
    context: Context,
    caller: CurrentCaller,
    key: Annotated[str | None, Query(description="Only this key; `$encord` for frames that are none.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuarantineOut:
    """Values that do not fit the types of their keys, in items that the caller may read: by key and reason."""
    position = ListCursor(context.cursors, "quarantine", key)
    texts = position.texts(cursor, 2)
    after = None if texts is None else (texts[0], texts[1])
    found = context.services.schema.list_quarantine(caller, key=key, after=after, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else position.after(last.key, last.reason)
    return QuarantineOut(quarantine=[misfits_out(count) for count in found[:limit]], next_cursor=following)


@router.get("/quarantine/values")
def list_misfits(
    context: Context,
    caller: CurrentCaller,
    key: Annotated[str, Query(description="The key; `$encord` for frames that are none.")],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> MisfitValuesOut:
    """The single values of one key that do not fit, with item and frame."""
    position = ListCursor(context.cursors, "misfits", key)
    texts = position.texts(cursor, 2)
    after = None if texts is None else (ItemId(texts[0]), texts[1])
    found = context.services.schema.list_misfits(caller, key=key, after=after, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else position.after(last.item_id, last.frame)
    return MisfitValuesOut(values=[misfit_out(misfit) for misfit in found[:limit]], next_cursor=following)


def _written(version: SchemaVersion, seq: int | None) -> Response:
    return json_response(schema_body(version), seq=seq, headers={"ETag": etag(version.version)})


def _keys(body: bytes) -> str:
    """The exact text of `keys`."""
    members = member_spans(check_metadata(body))
    if "keys" not in members:
        raise InvalidArguments('a schema is {"keys": {"name": {"ty": "…"}}}; this has no keys', path="$")
    for name in members.keys() - _ANSWERED - {"keys"}:
        raise InvalidArguments("not a part of a schema; what there is goes into keys", path=child_path("$", name))
    return members["keys"]
