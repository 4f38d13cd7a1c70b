"""Requests made to hurt: bodies without end or bottom, numbers without limit. A clear 4xx, never a 500, never slow."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from framedex.core.ids import new_id
from tests.faults.conftest import World
from tests.faults.servers import Api, Server

pytestmark = pytest.mark.faults

_DEEP = "[" * 200_000 + "]" * 200_000
_DEEP_OBJECT = '{"a":' * 100_000 + "1" + "}" * 100_000
_MANY = json.dumps({f"key {n}": n for n in range(100_000)})
_DIGITS = "9" * 100_000


@pytest.fixture
def world(shared: tuple[World, Server]) -> World:
    made = shared[0]
    return replace(made, folder=made.workspace.folder(made.admin, new_id()))


@pytest.fixture
def api(shared: tuple[World, Server], world: World) -> Iterator[Api]:
    yield Api(shared[1], world.admin)
    shared[1].assert_well()


def _bodies() -> dict[str, str]:
    return {
        "deep list": _DEEP,
        "deep object": _DEEP_OBJECT,
        "many keys": _MANY,
        "huge integer": _DIGITS,
        "huge exponent": f"1e{_DIGITS}",
        "huge negative": f"-{_DIGITS}.{_DIGITS}",
        "nan": "NaN",
        "surrogate": '"\\ud800"',
        "empty": "",
        "null": "null",
        "cut": '{"a":',
        "long text": json.dumps("x" * 1_000_000),
        "same key": '{"a":1,"a":2}',
        "null byte": '"\\u0000"',
        "bom": "\ufeff{}",
        "utf-16": "{}".encode("utf-16").decode("latin-1"),
    }


_TARGETS = {
    "metadata": ("PATCH", "v2/public/storage/folders/{folder}/items/{item}", '{{"clientMetadata":{{"k":{body}}}}}'),
    "metadata itself": ("PATCH", "v2/public/storage/folders/{folder}/items/{item}", '{{"clientMetadata":{body}}}'),
    "patch": ("PATCH", "v2/public/storage/folders/{folder}/items/{item}", "{body}"),
    "bulk": (
        "PATCH", "v2/public/storage/items/patch-bulk",
        '{{"itemPatches":{{"{item}":{{"clientMetadata":{{"k":{body}}}}}}}}}',
    ),
    "bulk itself": ("PATCH", "v2/public/storage/items/patch-bulk", '{{"itemPatches":{body}}}'),
    "get bulk": ("POST", "v2/public/storage/items/get-bulk", '{{"itemUuids":{body}}}'),
    "folder": ("POST", "v2/public/storage/folders", '{{"name":"x","clientMetadata":{body}}}'),
    "folder itself": ("POST", "v2/public/storage/folders", "{body}"),
    "job": ("POST", "v2/public/storage/folders/{folder}/data-upload-jobs", '{{"externalFiles":{body}}}'),
    "typed job": ("POST", "v2/public/storage/folders/{folder}/data-upload-jobs", '{{"dataItems":{body}}}'),
    "unit": ("POST", "v2/public/storage/folders/{folder}/data-upload-jobs", '{{"externalFiles":{{"images":{body}}}}}'),
    "unit's metadata": (
        "POST", "v2/public/storage/folders/{folder}/data-upload-jobs",
        (
            '{{"externalFiles":{{"images":[{{"objectUrl":"{media}/a.png","clientMetadata":{{"k":{body}}},'
            '"imageMetadata":{{"fileSize":9,"width":4,"height":3,"mimeType":"image/png"}}}}]}},'
            '"integrationHash":"{integration}"}}'
        ),
    ),
    "unit's facts": (
        "POST", "v2/public/storage/folders/{folder}/data-upload-jobs",
        (
            '{{"externalFiles":{{"images":[{{"objectUrl":"{media}/a.png","imageMetadata":{{"fileSize":{body},"width":4,'
            '"height":3,"mimeType":"image/png"}}}}]}},"integrationHash":"{integration}"}}'
        ),
    ),
    "scene": (
        "POST", "v2/public/storage/folders/{folder}/data-upload-jobs",
        '{{"externalFiles":{{"scenes":[{{"title":"s","scene":{body}}}]}},"integrationHash":"{integration}"}}',
    ),
    "schema": ("POST", "v2/public/organisation/metadata-schema", '{{"metadataSchema":{body}}}'),
    "schema itself": ("POST", "v2/public/organisation/metadata-schema", "{body}"),
    "preset": ("POST", "v2/public/index/presets", '{{"name":"p","filterPresetJson":{body}}}'),
    "v1": ("POST", "public", "{body}"),
    "v1 values": (
        "POST", "public",
        '{{"query_type":"dataset","query_method":"POST","values":{{"uid":null,"payload":{body}}}}}',
    ),
    "merge patch": ("PATCH", "api/v1/items/{item}/metadata", "{body}"),
    "merge patch value": ("PATCH", "api/v1/items/{item}/metadata", '{{"k":{body}}}'),
    "import": ("POST", "api/v1/imports?folder={folder}", "{body}"),
    "own schema": ("PUT", "api/v1/schema", "{body}"),
}  # fmt: skip


@pytest.mark.parametrize("target", sorted(_TARGETS))
def test_body__is_taken_or_refused_clearly(api: Api, world: World, shared: tuple[World, Server], target: str) -> None:
    item = world.workspace.item(world.admin, world.folder)
    method, path, form = _TARGETS[target]
    names = {
        "folder": world.folder, "item": item, "media": world.media.as_uri(), "integration": world.integration,
    }  # fmt: skip
    for what, body in _bodies().items():
        content = form.format(body=body, **names).encode()
        started = time.monotonic()
        answer = httpx.request(
            method, f"{shared[1].url}/{path.format(**names)}", content=content, timeout=60,
            headers={**world.admin.headers, "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code < 500, (what, answer.text[:300])
        assert time.monotonic() - started < 10, what
        if answer.status_code >= 400:
            assert len(answer.content) < 100_000, what
            assert "Traceback" not in answer.text
        elif method == "PATCH" and "items/" in path and target.startswith("metadata"):
            kept = api.request("GET", f"storage/items/{item}").json()["clientMetadata"]
            assert body in kept, f"{what} was not kept as it was sent"
    assert api.request("GET", f"storage/items/{item}").status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /v2/public/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /v2/public/storage/items/%ff%fe HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        b"GET /v2/public/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"POST /public HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /public HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: -1\r\n\r\n",
        (
            b"POST /public HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        b"POST /public HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
    ],
    ids=lambda raw: raw[:40].decode("latin-1"),
)
def test_request_that_is_none__costs_its_connection_alone(api: Api, shared: tuple[World, Server], raw: bytes) -> None:
    port = shared[1].port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw.replace(b"{port}", str(port).encode()))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    # v1 says in its body what it refuses, if it comes to answer before the connection ends
    is_refused_by_v1 = raw.startswith(b"POST /public") and b'"status":200' not in body.replace(b" ", b"")
    assert b" 200 " not in head.partition(b"\r\n")[0] or is_refused_by_v1
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert b"root:" not in answer
