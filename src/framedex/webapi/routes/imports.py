"""Importing by manifest: JSON or CSV as the body, or as the file of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments
from framedex.core.ids import FolderId, IntegrationId, parse_id
from framedex.core.registration import Manifest
from framedex.http.multipart import parse_form
from framedex.services.imports import ImportRequest, Problem, problems_of, read_manifest
from framedex.webapi.context import Context, CurrentCaller, ManifestBody, WebContext
from framedex.webapi.schemas import ImportOut, ProblemErrorOut

router = APIRouter(tags=["imports"])

_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no", ""})
_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "folder": {"type": "string"},
                        "integration": {"type": "string"},
                        "title": {"type": "string"},
                        "ignore_errors": {"type": "boolean"},
                        "dry_run": {"type": "boolean"},
                    },
                }
            },
        },
    }
}


class ImportQuery(BaseModel):
    """Parameters of an import. The fields of a form of the same names do as well; the address wins."""

    folder: str | None = Field(None, description="Where to.")
    integration: str | None = Field(None, description="What reaches the addresses.")
    title: str | None = Field(None, description="What the job is called.")
    ignore_errors: str | None = Field(None, description="`true`: good units stay where others fail.")
    dry_run: str | None = Field(None, description="`true`: answers the problems and starts nothing.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An import as sent, whichever way."""

    content: bytes | memoryview
    is_csv: bool
    folder_id: FolderId
    integration_id: IntegrationId | None
    title: str
    ignore_errors: bool
    dry_run: bool


@router.post("/imports", openapi_extra=_DOC)
def start_import(
    request: Request,
    response: Response,
    context: Context,
    caller: CurrentCaller,
    body: ManifestBody,
    query: Annotated[ImportQuery, Query()],
) -> ImportOut:
    """Starts a registration job, or with `dry_run` answers what would be refused, by path or line."""
    fields = {name: value for name, value in query.model_dump().items() if value is not None}
    wanted = _wanted(body.view, request.headers.get("content-type", "application/json"), fields)
    if wanted.dry_run:
        return _try_out(context, caller, wanted)
    asked = _asked(wanted)
    job_id, seq = context.written(lambda: context.services.imports.start(caller, asked))
    if seq is not None:
        response.headers["X-Framedex-Seq"] = str(seq)
    return ImportOut(job=job_id, units=len(asked.manifest.units), problems=[])


def _try_out(context: WebContext, caller: Caller, wanted: _Wanted) -> ImportOut:
    # Rights come first: whoever may not register here learns nothing of the manifest either.
    context.services.imports.check(caller, ImportRequest(wanted.folder_id, Manifest(), wanted.integration_id))
    try:
        asked = _asked(wanted)
    except InvalidArguments as error:
        return ImportOut(job=None, units=0, problems=[_out(p) for p in problems_of(error)])
    found = context.services.imports.check(caller, asked)
    return ImportOut(job=None, units=len(asked.manifest.units), problems=[_out(p) for p in found])


def _asked(wanted: _Wanted) -> ImportRequest:
    manifest = read_manifest(wanted.content, is_csv=wanted.is_csv)
    return ImportRequest(wanted.folder_id, manifest, wanted.integration_id, wanted.ignore_errors, wanted.title)


def _wanted(body: bytes | memoryview, content_type: str, fields: dict[str, str]) -> _Wanted:
    kind = content_type.partition(";")[0].strip().lower()
    content, title = body, ""
    if kind == "multipart/form-data":
        form = parse_form(body, content_type)
        fields = {**form.fields, **fields}
        content, title = form.file.content, form.file.filename
        kind = "text/csv" if title.lower().endswith(".csv") or form.file.content_type == "text/csv" else kind
    elif kind not in {"application/json", "text/csv"}:
        raise InvalidArguments(f"a manifest is application/json, text/csv or multipart/form-data, not {kind[:80]!r}")
    if not fields.get("folder"):
        raise InvalidArguments("name the folder to import into", path="folder")
    integration = fields.get("integration")
    return _Wanted(
        content=content,
        is_csv=kind == "text/csv",
        folder_id=FolderId(parse_id(fields["folder"], path="folder")),
        integration_id=IntegrationId(parse_id(integration, path="integration")) if integration else None,
        title=fields.get("title", title)[:1000],
        ignore_errors=_flag(fields, "ignore_errors"),
        dry_run=_flag(fields, "dry_run"),
    )


def _flag(fields: dict[str, str], name: str) -> bool:
    text = fields.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise InvalidArguments(f"{text[:40]!r} is neither true nor false", path=name)
    return text in _TRUE


def _out(problem: Problem) -> ProblemErrorOut:
    return ProblemErrorOut(path=problem.path, message=problem.message)
