"""The whole application in this process: real services and a real catalog, only the sockets are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from framedex.bootstrap import Node, create_app
from tests.builders.living import Person

#: A definition that a preset may have.
PRESET: Mapping[str, object] = {
    "local_filters": {},
    "global_filters": {"filters": [{"key": "n", "include": True, "values": [1], "type": "number"}]},
}


class Http:
    """Speaks to an application in this process, in an event loop of its own."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient) -> None:
        self._portal = portal
        self._client = client

    def get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        return self._portal.call(lambda: self._client.get(path, params=params))

    def post(self, path: str, json: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self._portal.call(lambda: self._client.post(path, json=json, headers=headers))

    def send(
        self, method: str, path: str, json: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self._portal.call(lambda: self._client.request(method, path, json=json, headers=headers))


@contextmanager
def in_process(node: Node, person: Person) -> Iterator[Http]:
    """Speaks for a person to a node's application."""
    transport = httpx.ASGITransport(create_app(node))
    client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420", headers=person.headers)
    with start_blocking_portal() as portal:
        yield Http(portal, client)


def query(http: Http, dataset: str, kind: str, method: str, uid: object, payload: object) -> object:
    """The response of a v1 query about a dataset."""
    body = {"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}}
    envelope = http.post("/public", body, {"ResourceType": "dataset", "ResourceID": dataset}).json()
    assert envelope["status"] == 200, envelope
    return envelope["response"]
