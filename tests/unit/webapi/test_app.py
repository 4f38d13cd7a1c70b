from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from framedex.webapi.app import Guard, create_api

pytestmark = pytest.mark.anyio


async def _sent(app: ASGIApp) -> list[MutableMapping[str, Any]]:
    messages: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    await app({"type": "http", "method": "GET", "path": "/api/v1/x", "headers": []}, receive, send)
    return messages


async def test_guard__an_unforeseen_failure_tells_nothing() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"Traceback: secret"})
        raise RuntimeError("secret")

    start, body = await _sent(Guard(failing))
    assert start["status"] == 500
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert json.loads(body["body"])["code"] == "internal"
    assert b"secret" not in body["body"]


async def test_guard__passes_answers_on() -> None:
    async def fine(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    assert [m.get("body") for m in await _sent(Guard(fine))] == [None, b"ok"]


async def test_guard__a_failure_in_the_middle_sends_no_second_answer() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    assert [m["type"] for m in await _sent(Guard(late))] == ["http.response.start"]


def test_create_api__every_route_is_documented() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "reference" / "own-api.md").read_text()
    for path, methods in create_api(None).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.removeprefix('/v1')}`" in page, f"{method} {path} is not in own-api.md"
