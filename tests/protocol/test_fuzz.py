"""Nothing that a client sends is a fault of the server: no 5xx, no 422, and JSON with a message in every refusal.

A server of its own, for a caller who may do everything: what is sent gets past the rights and into the handlers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.ids import FolderId, new_id
from framedex.protocol import rest
from framedex.protocol.rest.endpoint import Endpoint
from framedex.protocol.rpc.queries import QUERIES
from tests.builders.living import Person, Workspace, serving

pytestmark = pytest.mark.protocol


@dataclass(frozen=True)
class Target:
    """A server, its only user, and a way to put things beside it."""

    http: httpx.Client
    workspace: Workspace
    admin: Person

    def made(self, path: str, body: object) -> Any:
        answer = self.http.post(f"/v2/public/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    data: Path = tmp_path_factory.mktemp("fuzzed")
    workspace = Workspace(data)
    admin = workspace.person("admin@example.org", is_admin=True)
    with serving(data) as url, httpx.Client(base_url=url, headers=admin.headers, timeout=30) as http:
        yield Target(http, workspace, admin)
    workspace.close()


@pytest.fixture
def ids(target: Target) -> Mapping[str, str]:
    """One of everything, new for each endpoint: some of what is sent deletes it."""
    folder = target.workspace.folder(target.admin, "folder")
    item = target.workspace.item(target.admin, FolderId(folder), metadata='{"n": 1}')
    place = f"index/collections?topLevelFolderUuid={folder}"
    preset = {"global_filters": {"filters": [{"key": "n", "include": True, "values": [1], "type": "number"}]}}
    dataset = {"title": "d", "createBackingFolder": True, "legacyCall": False}
    return {
        "folder": folder,
        "item": item,
        "collection": target.made(place, {"name": "c", "description": ""}),
        "preset": target.made("index/presets", {"name": "p", "filterPresetJson": preset, "description": ""}),
        "group": target.made("organisation/groups", {"name": "g", "description": ""})["groupHash"],
        "tag": target.made("organisation/organisation-tags", {"name": new_id()})["uuid"],
        "dataset": target.made("datasets", dataset)["datasetUuid"],
        "job": new_id(),
    }


_FUZZ = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_TEXT = st.text(max_size=30) | st.sampled_from(["", "0", "-1", "1e400", "NaN", "null", "True", "\x00", "%", "a" * 3000])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def _words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(re.findall(r"\S+", text))


_KEYS = _words("""
    search isRecursive order desc pageToken pageSize itemTypes isInDataset signUrls count topLevelFolderUuid uuids
    groupHashList timeoutSeconds titleEq createdBefore editedAfter includeOrgAccess organisationTagNamesAllof
    includeClientMetadata clientMetadataAsSignedUrl datasetSynced filterIntegrationUuids uploadItemType
""")
_FIELDS = _words("""
    name description parent clientMetadata folderPatches itemPatches folderUuids newParentUuid itemUuids childUuids
    signUrls groupHashList userRole itemType count dataItems title externalFiles integrationHash ignoreErrors layoutType
    layoutContents layout timeline settings userEmails email key filterPresetJson filterPreset dataTitles presetUuid
    metadataIngestion roleMnemonicName memberType createBackingFolder legacyCall removeUnusedFrames timeseriesSettings
    sceneLayout allowSyncedDatasetMove
""")
_V1_FIELDS = _words("""
    dataset_access_settings fetch_client_metadata fetch_rows title_eq title_like created_before created_after data_types
    data_hashes additional_data signed_url images_data_fetch_options client_metadata data_title user_emails user_role
    dataItems files integrationId ignoreErrors folderUuid process_hash timeout_seconds item_uuids duplicates_behavior
    video_hash title
""")
#: Values that some field takes, so that a request is now and then nearly right.
_APT = st.sampled_from(["user", "image", "SKIP", "default-grid", "MEMBER", "a@example.org", "createdAt", 0, 1, True])


def _values(known: Sequence[str]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(known)
    several = st.lists(one, max_size=3)
    by_id = st.dictionaries(one, st.dictionaries(_FIELDS, _JSON, max_size=3), max_size=2)
    return _JSON | _APT | one | several | by_id | st.dictionaries(_FIELDS, _JSON | one, max_size=4)


def _sound(answer: httpx.Response) -> None:
    """An expected answer: never a 5xx, never a 422, and JSON with a message where it is a refusal."""
    assert answer.status_code in (200, 400, 401, 403, 404, 409, 413), (answer.status_code, answer.text[:300])
    if answer.status_code != 200:
        assert list(answer.json()) == ["message"]


def _filled(path: str, ids: Mapping[str, str], other: str | None) -> str:
    """A path with known ids in its places, or with something else in all of them."""
    names = (re.sub(r"[{}]|:path", "", part) if part.startswith("{") else None for part in path.split("/"))
    chosen = [None if name is None else other or ids.get(name, "a@example.org") for name in names]
    return "/".join(
        part if value is None else quote(value, safe="") for part, value in zip(path.split("/"), chosen, strict=True)
    )


@pytest.mark.parametrize("endpoint", rest.ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
@_FUZZ
@given(data=st.data())
def test_fuzz__no_request_of_v2_is_a_fault(
    target: Target, ids: Mapping[str, str], endpoint: Endpoint, data: st.DataObject
) -> None:
    known = list(ids.values())
    query = data.draw(st.lists(st.tuples(_KEYS, _TEXT | st.sampled_from(known)), max_size=4), label="query")
    path = _filled(endpoint.path, ids, data.draw(st.none() | st.text(max_size=8), label="path"))
    objects = st.dictionaries(_FIELDS, _values(known), max_size=6)
    body = data.draw((objects | _JSON | st.lists(objects, max_size=2)).map(json.dumps) | st.binary(max_size=40))
    text = "&".join(f"{key}={quote_plus(value.encode('utf-8', 'surrogatepass'))}" for key, value in query)
    url = f"/v2/public/{path}" + (f"?{text}" if text else "")
    _sound(target.http.request(endpoint.method, url, content=body))


@pytest.mark.parametrize("query", list(QUERIES), ids=" ".join)
@_FUZZ
@given(data=st.data())
def test_fuzz__no_query_of_v1_is_a_fault(
    target: Target, ids: Mapping[str, str], query: tuple[str, str], data: st.DataObject
) -> None:
    known = list(ids.values())
    uid = data.draw(st.sampled_from([ids["dataset"], [ids["item"]], None]) | _JSON, label="uid")
    fields = st.dictionaries(_V1_FIELDS, _values(known), max_size=6)
    payload = data.draw(fields | st.lists(fields, max_size=2) | _JSON, label="payload")
    headers = {"ResourceType": "dataset", "ResourceID": data.draw(st.sampled_from([ids["dataset"], "x", ""]))}
    body = {"query_type": query[0], "query_method": query[1], "values": {"uid": uid, "payload": payload}}
    answer = target.http.post("/public", content=json.dumps(body), headers=headers)
    assert answer.status_code == 200
    envelope = answer.json()
    assert isinstance(envelope["status"], int)
    assert envelope["status"] != 500, envelope


@_FUZZ
@given(token=st.text(max_size=80), size=st.integers(1, 5))
def test_fuzz__no_page_token_is_a_fault(target: Target, token: str, size: int) -> None:
    text = quote_plus(token.encode("utf-8", "surrogatepass"))
    _sound(target.http.get(f"/v2/public/storage/folders?pageSize={size}&pageToken={text}"))


def test_fuzz__the_server_is_alive_and_its_log_has_no_fault(target: Target) -> None:
    assert target.http.get("/healthz").status_code == 200
    assert "Traceback" not in (target.workspace.data / "serve.log").read_text()
    assert UUID(target.made("storage/folders", {"name": "still here"})["uuid"]).version == 7
