"""What every route of the own API needs, and who is calling."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, TypeVar, cast

from anyio import CapacityLimiter
from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer

from framedex.auth.authorization import BearerCredential, parse_authorization
from framedex.auth.cursors import CursorSigner
from framedex.auth.tokens import hash_token
from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments, NotAuthenticated
from framedex.core.ports.catalog import Catalog
from framedex.http.bodies import MANIFEST_CAP, PATCH_CAP, Body, read_body
from framedex.services.bundle import Services

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WebContext:
    """Built once, in the composition root."""

    services: Services
    catalog: Catalog
    cursors: CursorSigner
    spool_dir: Path
    # Pictures of slow objects must not take the threads of everything else.
    making: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(8))

    def written(self, write: Callable[[], T]) -> tuple[T, int | None]:
        """Runs a write; answers its result and the seq that it committed, if it changed anything.

        The seq is this thread's, so `write` and the reading of it stay in one handler.
        """
        with self.catalog.watch_seq() as watch:
            result = write()
            return result, watch.seq


async def _context(request: Request) -> WebContext:
    # Not async for its own sake: FastAPI would send it to a thread and wait for that.
    return cast("WebContext", request.app.state.context)


Context = Annotated[WebContext, Depends(_context)]

# Only for the OpenAPI document: the scheme itself would answer refusals in a form of its own.
_SCHEME = HTTPBearer(auto_error=False, description="A token of the SDK's `get_bearer_token()`.")


def _caller(
    request: Request,
    context: Context,
    _scheme: Annotated[object, Depends(_SCHEME)],
    *,
    include_org_access: Annotated[bool, Query(description="Admins of the workspace see everything.")] = False,
) -> Caller:
    """The user of the bearer token."""
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise NotAuthenticated("The request needs one Authorization header: Bearer and a token.")
    credential = parse_authorization(headers[0])
    if not isinstance(credential, BearerCredential):
        raise NotAuthenticated("The own API takes bearer tokens; get one with get_bearer_token() of an SDK client.")
    caller = context.services.identity.by_token(hash_token(credential.token))
    return replace(caller, sees_workspace=include_org_access and caller.is_workspace_admin)


CurrentCaller = Annotated[Caller, Depends(_caller)]


async def _read(request: Request, context: WebContext, cap: int) -> Body:
    declared = request.headers.get("content-length")
    if declared is not None and not declared.isdecimal():
        raise InvalidArguments("the header Content-Length is not a number")
    size = None if declared is None else int(declared)
    return await read_body(request.receive, cap=cap, declared=size, spool_dir=context.spool_dir)


# A body is read only for callers that we know: hence the caller among the parameters.
async def _manifest(request: Request, context: Context, caller: CurrentCaller) -> AsyncIterator[Body]:
    body = await _read(request, context, MANIFEST_CAP)
    try:
        yield body
    finally:
        body.close()


async def _patch(request: Request, context: Context, caller: CurrentCaller) -> AsyncIterator[Body]:
    body = await _read(request, context, PATCH_CAP)
    try:
        yield body
    finally:
        body.close()


ManifestBody = Annotated[Body, Depends(_manifest)]
PatchBody = Annotated[Body, Depends(_patch)]

Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
