"""What went over the wire: every request of the SDK in this process, named as an endpoint of the coverage page.

Nothing is changed on the way. A test that claims an endpoint (`@pytest.mark.works("PATCH storage/folders/{}")`) fails
unless its own run asked for that endpoint with success and two clients (two keys) took part: one that did the thing and
one that read it back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

ENDPOINTS_FILE = Path(__file__).with_name("endpoints.json")
_V2 = "/v2/public/"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and whether it succeeded; `endpoint` is None for what is no endpoint of the SDK."""

    endpoint: str | None
    is_success: bool
    client: str


def endpoint_rows() -> Sequence[Mapping[str, Any]]:
    """The SDK's 183 endpoints."""
    rows: Sequence[Mapping[str, Any]] = json.loads(ENDPOINTS_FILE.read_text())
    return rows


def name_of(row: Mapping[str, Any]) -> str:
    """`PATCH storage/folders/{}` for v2, `v1 GET dataset` for v1."""
    if row["api"] == "v1":
        return f"v1 {row['method']} {row['query_type']}"
    return f"{row['method']} {str(row['path']).removeprefix(_V2)}"


class Endpoints:
    """Finds the endpoint that a request asks for."""

    def __init__(self) -> None:
        rows = endpoint_rows()
        self.names = frozenset(name_of(row) for row in rows)
        v2 = sorted((row for row in rows if row["api"] == "v2"), key=lambda row: str(row["path"]).count("{}"))
        self._patterns = [(row["method"], _pattern(row["path"]), name_of(row)) for row in v2]

    def of(self, request: requests.PreparedRequest) -> str | None:
        path = urlsplit(request.url or "").path
        if path in ("/public", "/public/user"):
            name = _query(request.body)
            return name if name in self.names else None
        for method, pattern, name in self._patterns:
            if method == request.method and pattern.fullmatch(path):
                return name
        return None


def _query(body: object) -> str:
    """The name of a v1 query; tests send things that are none, too."""
    try:
        envelope = json.loads(body if isinstance(body, str | bytes) else b"{}")
    except (ValueError, RecursionError):
        return ""
    return f"v1 {envelope.get('query_method')} {envelope.get('query_type')}" if isinstance(envelope, dict) else ""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in path.split("{}")))


_ENDPOINTS = Endpoints()


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Records what the SDK's transport sends while it is entered."""
    exchanges: list[Exchange] = []
    send = HTTPAdapter.send

    def watched(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = send(self, request, *args, **kwargs)
        exchanges.append(Exchange(_ENDPOINTS.of(request), _is_success(request, response), _client(request)))
        return response

    HTTPAdapter.send = watched  # type: ignore[method-assign]  # observed, not replaced: the real one does the work
    try:
        yield exchanges
    finally:
        HTTPAdapter.send = send  # type: ignore[method-assign]  # put back


def _client(request: requests.PreparedRequest) -> str:
    """The key or token that asks."""
    headers = request.headers
    key = re.search(r'keyid="([0-9a-f]+)"', str(headers.get("Signature-Input", "")))
    if key:
        return key[1]
    return str(headers.get("Authorization", "")).split(":")[0]


def _is_success(request: requests.PreparedRequest, response: requests.Response) -> bool:
    if not response.ok:
        return False
    if urlsplit(request.url or "").path.startswith("/public"):
        return bool(response.json().get("status") == 200)
    return True


def unproved(claims: Sequence[str], exchanges: Sequence[Exchange]) -> list[str]:
    """Why claims of a test do not hold; empty when they do."""
    unknown = [f"{claim} is no endpoint of the SDK" for claim in claims if claim not in _ENDPOINTS.names]
    succeeded = {e.endpoint for e in exchanges if e.is_success}
    silent = [f"{claim} was not asked for with success" for claim in claims if claim not in succeeded]
    clients = {e.client for e in exchanges if e.client and e.endpoint}
    alone = [] if len(clients) > 1 or not claims else ["no second client took part: read the effect back with `second`"]
    return [*unknown, *(text for text in silent if text.split(" was ")[0] in _ENDPOINTS.names), *alone]
