"""v2: from an HTTP request to an endpoint's handler and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TypeVar, cast

import msgspec
from anyio import to_thread
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from framedex.core.errors import DomainError
from framedex.protocol.bodies import Body, read_body
from framedex.protocol.context import Streamed, WireContext
from framedex.protocol.errors import INTERNAL_MESSAGE, v2_error
from framedex.protocol.headers import content_length, header_map, raw_target
from framedex.protocol.identity import Identified, identify_v2
from framedex.protocol.refusals import refused
from framedex.protocol.rest.endpoint import Call, Endpoint

PREFIX = "/v2/public/"

T = TypeVar("T")

#: Bytes.
_SMALL = 64 << 10

_ORG_ACCESS = "includeOrgAccess=True"
_log = logging.getLogger("framedex.protocol")
_encode = msgspec.json.Encoder().encode


def routes(context: WireContext, endpoints: Sequence[Endpoint]) -> list[Route]:
    """One route an endpoint, and last the one that refuses what is not implemented."""
    found = [Route(PREFIX + e.path, EndpointApp(context, e), methods=[e.method]) for e in endpoints]
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [*found, Route(PREFIX + "{rest:path}", _refuse, methods=every)]


async def _refuse(request: object) -> Response:
    scope = cast("dict[str, str]", getattr(request, "scope", {}))
    method, path = scope["method"], scope["path"]
    return _error_response(refused(f"{method} {path}", f"{method} {path.removeprefix(PREFIX)}"))


class EndpointApp:
    """The ASGI application of one endpoint."""

    def __init__(self, context: WireContext, endpoint: Endpoint) -> None:
        self._context = context
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except DomainError as error:
            response = _error_response(error)
        except asyncio.CancelledError:
            raise
        except Exception:  # outermost: whatever it is must become an answer that shows nothing of the inside
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = Response(_encode({"message": INTERNAL_MESSAGE}), 500, media_type="application/json")
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        context, endpoint = self._context, self._endpoint
        headers = header_map(scope)
        target = raw_target(scope)
        declared = content_length(headers)

        def identify() -> Identified:
            return identify_v2(context.services.identity, endpoint.method, target, headers)

        if endpoint.waiting is None and _is_small(headers, declared):
            # One turn of a thread instead of two: each waits for the interpreter while an import keeps it busy.
            body = await read_body(receive, cap=_SMALL, declared=declared, spool_dir=context.spool_dir)
            return await self._in_thread(lambda: self._finish(scope, headers, identify(), body))
        who = await self._in_thread(identify)
        body = await read_body(receive, cap=endpoint.body_cap, declared=declared, spool_dir=context.spool_dir)
        try:
            if endpoint.waiting is None:
                return await self._in_thread(lambda: self._finish(scope, headers, who, body))
            who.check_body(body.digest)
            waited = await endpoint.waiting(self._call(scope, who, body))
            if isinstance(waited, Streamed):
                return _streaming_response(waited.chunks, None)
            return _json_response(_encode(waited), None)
        finally:
            body.close()

    def _finish(self, scope: Scope, headers: dict[str, str], who: Identified, body: Body) -> Response:
        who.check_body(body.digest)
        call = self._call(scope, who, body)
        return self._run(call, self._retry_key(who, headers.get("x-cloud-trace-context", ""), body))

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await to_thread.run_sync(function, limiter=self._context.threads)

    def _call(self, scope: Scope, who: Identified, body: Body) -> Call:
        query = scope["query_string"].decode("latin-1")
        caller = who.caller
        if caller.is_workspace_admin and _ORG_ACCESS in query.split("&"):
            caller = replace(caller, sees_workspace=True)
        context = self._context
        return Call(
            caller,
            context.services,
            context.cursors,
            scope["path_params"],
            query,
            body.view,
            who.key_hex,
            who.token_hash,
        )

    def _retry_key(self, who: Identified, trace: str, body: Body) -> str | None:
        """What a retry of this very request shares with it. With a bearer token retries cannot be told."""
        if not self._endpoint.creates or not who.signature:
            return None
        return sha256(f"{trace}\n{who.signature}\n{body.digest.hex()}".encode()).hexdigest()

    def _run(self, call: Call, retry_key: str | None) -> Response:
        handler = self._endpoint.handler
        assert handler is not None, "an endpoint has a handler or a waiting one"
        with self._context.catalog.watch_seq() as watch:
            if retry_key is None:
                answer = handler(call)
                encoded = None if isinstance(answer, Streamed) else _encode(answer)
            else:
                answer = None
                encoded = self._context.replays.once(retry_key, lambda: _encode(handler(call)))
            seq = watch.seq
        if encoded is None:
            return _streaming_response(cast("Streamed", answer).chunks, seq)
        return _json_response(encoded, seq)


def _is_small(headers: dict[str, str], declared: int | None) -> bool:
    """Whether the body may be read before it is known who sends it."""
    return "transfer-encoding" not in headers and (declared or 0) <= _SMALL


def _json_response(encoded: bytes, seq: int | None) -> Response:
    return Response(encoded, 200, _seq_header(seq), "application/json")


def _streaming_response(chunks: Iterator[bytes], seq: int | None) -> Response:
    return StreamingResponse(chunks, 200, _seq_header(seq), "application/json")


def _seq_header(seq: int | None) -> dict[str, str]:
    return {} if seq is None else {"X-Framedex-Seq": str(seq)}


def _error_response(error: DomainError) -> Response:
    answer = v2_error(error)
    return Response(_encode(answer.body), answer.status, media_type="application/json")
