"""What is answered outside of all APIs: no such address, or another method there."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


def no_route(request: Request, error: Exception) -> Response:
    """404 or 405 in the form of v2: the SDK reads `message`."""
    assert isinstance(error, HTTPException), "registered for this kind alone"
    asked = f"{request.method} {request.url.path}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        text = f"{asked}: another method is needed here ({(error.headers or {}).get('Allow', 'none is known')})."
    else:
        text = f"There is no {asked} on this server; the SDK's APIs are /v2/public and /public, the own API is /api/v1."
    body = msgspec.json.encode({"message": text})
    return Response(body, error.status_code, error.headers, "application/json")
