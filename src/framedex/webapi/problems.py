"""Errors as problem details (RFC 9457): one table from codes to statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from framedex.core.errors import DomainError, ErrorCode, LogPruned, NotAuthenticated, UnreadableMedia, VersionMismatch
from framedex.services.imports import problems_of

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.INVALID_ARGUMENTS: 400,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.NOT_PERMITTED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ALREADY_EXISTS: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.NOT_IMPLEMENTED: 501,
    ErrorCode.STORAGE_FULL: 507,
    ErrorCode.UNAVAILABLE: 503,
}
_TITLES: Mapping[str, str] = {
    "invalid_arguments": "Something in the request is wrong",
    "not_authenticated": "The caller is not known",
    "not_permitted": "The caller may not do this",
    "not_found": "There is no such thing",
    "already_exists": "The name is taken",
    "conflict": "The state is another one meanwhile",
    "too_large": "A limit is passed",
    "rate_limited": "Too many requests",
    "not_implemented": "Framedex does not do this",
    "storage_full": "The disk is full",
    "unavailable": "A store does not answer",
    "version_mismatch": "The version is another one meanwhile",
    "unreadable_media": "Nothing can be made of this object",
    "log_pruned": "The change log does not reach there",
    "method_not_allowed": "The route has no such method",
    "internal": "Framedex failed",
}
_SPECIAL: tuple[tuple[type[DomainError], str, int], ...] = (
    (VersionMismatch, "version_mismatch", 412),
    (LogPruned, "log_pruned", 410),
    (UnreadableMedia, "unreadable_media", 422),
)
#: Facts of errors that are members of the problem, for programs.
_SHOWN_FACTS = ("position", "expected", "indexed_seq")
_INTERNAL = "Something went wrong inside Framedex; the server's log has the details."


def problem(
    code: str,
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    facts: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem details answer; `errors` are `{"path", "message"}`."""
    body: dict[str, object] = {
        "type": f"urn:framedex:problem:{code}",
        "title": _TITLES.get(code, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    body |= facts or {}
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA_TYPE)


def of_domain(error: DomainError) -> Response:
    """The answer to an expected refusal."""
    code, status = error.code.value, STATUS[error.code]
    for kind, special_code, special_status in _SPECIAL:
        if isinstance(error, kind):
            code, status = special_code, special_status
    has_paths = error.facts.get("problems") or getattr(error, "path", None)
    errors = [{"path": p.path, "message": p.message} for p in problems_of(error)] if has_paths else []
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotAuthenticated) else None
    facts = {name: error.facts[name] for name in _SHOWN_FACTS if name in error.facts}
    return problem(code, status, error.message, errors=errors, facts=facts, headers=headers)


def of_validation(error: RequestValidationError) -> Response:
    """The answer to parameters of the wrong form: 400, as for every other bad input."""
    errors = [{"path": ".".join(str(p) for p in e["loc"]), "message": str(e["msg"])} for e in error.errors()]
    detail = "; ".join(f"{e['path']}: {e['message']}" for e in errors[:5])
    return problem("invalid_arguments", 400, detail, errors=errors)


def of_http(error: HTTPException, method: str, path: str) -> Response:
    """The answer where there is no route, or none for the method."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem("not_found", 404, f"There is no {method} {path} in the own API; see /api/openapi.json.")
    code = "method_not_allowed" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "invalid_arguments"
    return problem(code, error.status_code, f"{method} {path}: {error.detail}", headers=error.headers)


def internal() -> Response:
    """The answer to a fault of ours; it tells nothing of the inside."""
    return problem("internal", 500, _INTERNAL)
