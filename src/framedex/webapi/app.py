"""The application of the own API, mounted under `/api`."""

from __future__ import annotations

import logging
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from framedex.core.errors import DomainError
from framedex.webapi import problems
from framedex.webapi.context import WebContext
from framedex.webapi.routes import (
    content,
    frames,
    imports,
    items,
    jobs,
    pictures,
    places,
    previews,
    query,
    schema,
    system,
)
from framedex.webapi.schemas import ProblemOut
from framedex.webapi.version import server_version

_log = logging.getLogger("framedex.webapi")

_REFUSALS: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "A refusal, as problem details (RFC 9457).",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
        "model": ProblemOut,
    }
}


def routes(context: WebContext) -> list[BaseRoute]:
    """The one route that everything under `/api` goes through."""
    return [Mount("/api", app=Guard(create_api(context)))]


def create_api(context: WebContext | None) -> FastAPI:
    """The FastAPI application; without a context it can only describe itself."""
    api = FastAPI(
        title="Framedex",
        version=server_version(),
        summary="The own API of Framedex; the SDK's protocol is another one.",
        openapi_url="/openapi.json",
        # Their pages load scripts from elsewhere; the document itself is enough for every tool.
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/api"}],
        redirect_slashes=False,
        responses=_REFUSALS,
    )
    api.state.context = context
    for module in (system, items, content, frames, previews, pictures, schema, imports, jobs, places, query):
        api.include_router(module.router, prefix="/v1")
    api.add_exception_handler(DomainError, _refuse)
    api.add_exception_handler(RequestValidationError, _refuse_parameters)
    api.add_exception_handler(HTTPException, _refuse_route)
    return api


class Guard:
    """ASGI middleware, outermost of the own API: an unforeseen failure becomes a problem that tells nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            # What FastAPI answers to an unforeseen failure before it raises it is not problem details.
            if message["type"] == "http.response.start" and message["status"] == 500:
                return
            has_begun = has_begun or message["type"] == "http.response.start"
            if has_begun:
                await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            _log.exception("%s %s failed", scope.get("method"), scope.get("path"))
            if not has_begun:
                await problems.internal()(scope, receive, send)


def _refuse(_request: Request, error: Exception) -> Response:
    return problems.of_domain(cast("DomainError", error))


def _refuse_parameters(_request: Request, error: Exception) -> Response:
    return problems.of_validation(cast("RequestValidationError", error))


def _refuse_route(request: Request, error: Exception) -> Response:
    return problems.of_http(cast("HTTPException", error), request.method, request.url.path)
