"""Nothing that a client sends is a fault of the server: no 5xx, no 422, and JSON with a message in every refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import httpx
import pytest
from encord import EncordUserClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.protocol import rest
from framedex.protocol.rest.endpoint import Endpoint
from framedex.protocol.rpc.queries import QUERIES
from tests.protocol.curated import Server, raw
from tests.protocol.signing import send, signed

pytestmark = pytest.mark.protocol

_FUZZ = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_TEXT = st.text(max_size=30) | st.sampled_from(["", "0", "-1", "1e400", "NaN", "null", "True", "\x00", "%", "a" * 3000])
_KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        "search isRecursive order desc pageToken pageSize itemTypes isInDataset signUrls count topLevelFolderUuid "
        "uuids groupHashList timeoutSeconds titleEq createdBefore includeOrgAccess",
    )
)
_VISIBLE = st.characters(min_codepoint=33, max_codepoint=126)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    re.findall(
        r"\w+",
        "name description parent clientMetadata folderPatches itemPatches folderUuids newParentUuid itemUuids "
        "childUuids signUrls groupHashList userRole itemType count dataItems title externalFiles integrationHash "
        "ignoreErrors layoutType layoutContents userEmails email key filterPresetJson dataTitles presetUuid "
        "metadataIngestion roleMnemonicName createBackingFolder",
    )
)
_OBJECTS = st.dictionaries(_FIELDS, _JSON | st.just(str(UUID(int=0))), max_size=6)
_BODIES = (_OBJECTS | _JSON).map(json.dumps) | st.binary(max_size=40)


@pytest.fixture(scope="module")
def http(server: Server, other: EncordUserClient) -> Iterator[httpx.Client]:
    """Speaks for somebody who may not do much: nothing that other tests look at is changed."""
    with raw(server, other) as connection:
        yield connection


def _sound(answer: Any) -> None:
    """An expected answer: never a 5xx, never a 422, and JSON with a message where it is a refusal."""
    assert answer.status_code in (200, 400, 401, 403, 404, 409, 413), (answer.status_code, answer.text[:300])
    if answer.status_code != 200:
        assert list(answer.json()) == ["message"]


def _filled(path: str, values: str) -> str:
    parts = [quote(values, safe="") or "-" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@pytest.mark.parametrize("endpoint", rest.ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
@_FUZZ
@given(data=st.data())
def test_fuzz__no_request_of_v2_is_a_fault(http: httpx.Client, endpoint: Endpoint, data: st.DataObject) -> None:
    query = data.draw(st.lists(st.tuples(_KEYS, _TEXT), max_size=4), label="query")
    value = data.draw(st.just(str(UUID(int=7))) | st.text(max_size=8), label="path")
    body = data.draw(_BODIES, label="body")
    text = "&".join(f"{key}={quote_plus(value.encode('utf-8', 'surrogatepass'))}" for key, value in query)
    url = f"/{_filled(endpoint.path, value)}" + (f"?{text}" if text else "")
    _sound(http.request(endpoint.method, url, content=body))


@pytest.mark.parametrize("query", list(QUERIES), ids=" ".join)
@_FUZZ
@given(uid=_JSON, payload=_JSON, resource=st.text(_VISIBLE, max_size=10))
def test_fuzz__no_query_of_v1_is_a_fault(
    server: Server, http: httpx.Client, query: tuple[str, str], uid: object, payload: object, resource: str
) -> None:
    body = {"query_type": query[0], "query_method": query[1], "values": {"uid": uid, "payload": payload}}
    headers = {"ResourceType": "dataset", "ResourceID": resource.strip() or str(UUID(int=3))}
    answer = http.post(f"{server.url}/public", content=json.dumps(body), headers=headers)
    assert answer.status_code == 200
    envelope = answer.json()
    assert envelope["status"] != 500, envelope
    assert isinstance(envelope["status"], int)


@_FUZZ
@given(token=st.text(max_size=80), size=st.integers(1, 5))
def test_fuzz__no_page_token_is_a_fault(server: Server, client: EncordUserClient, token: str, size: int) -> None:
    query = [("pageToken", token.encode("utf-8", "replace").decode()), ("pageSize", str(size))]
    _sound(send(signed(server, client, "GET", "storage/folders", query=query)))
