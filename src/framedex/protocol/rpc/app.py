"""v1: from the envelope to a query's handler and back (sdk-protocol 1.3, 2.5, 5.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from framedex.core.errors import DomainError, InvalidArguments, NotImplementedHere
from framedex.protocol.bodies import MANIFEST_CAP, check_size, not_readable, read_body
from framedex.protocol.context import Streamed, WireContext
from framedex.protocol.errors import ErrorAnswer, v1_error, v1_internal_error
from framedex.protocol.headers import content_length, header_map
from framedex.protocol.identity import Identified, identify_v1
from framedex.protocol.refusals import refused
from framedex.protocol.rpc.queries import QUERIES
from framedex.protocol.rpc.query import Query, QueryCall

T = TypeVar("T")
_log = logging.getLogger("framedex.protocol")
_encode = msgspec.json.Encoder().encode


_NULL = msgspec.Raw(b"null")


class ValuesIn(msgspec.Struct, frozen=True):
    """What a query is about (`uid`) and what it says (`payload`)."""

    uid: msgspec.Raw = _NULL
    payload: msgspec.Raw = _NULL


class EnvelopeIn(msgspec.Struct, frozen=True):
    """The body of every v1 request."""

    query_type: str
    query_method: str
    values: ValuesIn


_decode = msgspec.json.Decoder(EnvelopeIn).decode


def routes(context: WireContext) -> list[Route]:
    """Both addresses; the second serves what belongs to no project or dataset."""
    app = RpcApp(context)
    return [Route("/public", app, methods=["POST"]), Route("/public/user", app, methods=["POST"])]


def switched_off() -> list[Route]:
    """Both addresses where an operator has switched v1 off: the SDK is told so in its dialect."""

    async def refuse(_request: Request) -> Response:
        return _error(v1_error(NotImplementedHere("The v1 API is switched off on this server (FRAMEDEX_V1=off).")))

    return [Route(path, refuse, methods=["POST"]) for path in ("/public", "/public/user")]


class RpcApp:
    """The ASGI application of both v1 addresses."""

    def __init__(self, context: WireContext, queries: Mapping[tuple[str, str], Query] = QUERIES) -> None:
        self._context = context
        self._queries = queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except DomainError as error:
            response = _error(v1_error(error))
        except asyncio.CancelledError:
            raise
        except Exception:  # outermost: whatever it is must become an answer that shows nothing of the inside
            _log.exception("v1 request failed")
            response = _error(v1_internal_error())
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        context = self._context
        headers = header_map(scope)
        who = await self._in_thread(lambda: identify_v1(context.services.identity, headers))
        body = await read_body(receive, cap=MANIFEST_CAP, declared=content_length(headers), spool_dir=context.spool_dir)
        try:
            who.check_body(body.digest)
            envelope = await self._in_thread(lambda: _envelope(body.view))
            query = self._queries.get((envelope.query_type, envelope.query_method))
            if query is None:
                kind, method = envelope.query_type, envelope.query_method
                raise refused(f"{kind} {method}", f"v1 {method} {kind}")
            # Which query it is, only the body says; larger ones than any query takes were not read at all.
            check_size(len(body.view), query.body_cap)
            call = _call(context, who, headers, envelope)
            if query.waiting is not None:
                return _finish(await query.waiting(call), None)
            handler = query.handler
            assert handler is not None, "a query has a handler or a waiting one"
            return await self._in_thread(lambda: self._run(handler, call))
        finally:
            body.close()

    def _run(self, handler: Callable[[QueryCall], object], call: QueryCall) -> Response:
        with self._context.catalog.watch_seq() as watch:
            answer = handler(call)
            return _finish(answer, watch.seq)

    def _in_thread(self, function: Callable[[], T]) -> Awaitable[T]:
        return to_thread.run_sync(function, limiter=self._context.threads)


def _finish(answer: object, seq: int | None) -> Response:
    headers = {} if seq is None else {"X-Framedex-Seq": str(seq)}
    if isinstance(answer, Streamed):
        return StreamingResponse(_enveloped(answer.chunks), 200, headers, "application/json")
    return Response(_encode({"status": 200, "response": answer}), 200, headers, "application/json")


def _enveloped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield b'{"status":200,"response":'
    yield from chunks
    yield b"}"


def _envelope(body: bytes | memoryview) -> EnvelopeIn:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise InvalidArguments(f"the request body is wrong: {error}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise not_readable(body) from None


def _call(context: WireContext, who: Identified, headers: Mapping[str, str], envelope: EnvelopeIn) -> QueryCall:
    return QueryCall(
        caller=who.caller,
        services=context.services,
        resource_type=headers.get("resourcetype", ""),
        resource_id=headers.get("resourceid", ""),
        uid=envelope.values.uid,
        payload=envelope.values.payload,
        key_hex=who.key_hex,
    )


def _error(answer: ErrorAnswer) -> Response:
    return Response(_encode(answer.body), answer.status, media_type="application/json")
