"""The metadata schema over the own API. The server is shared: each test adds keys of its own to what is there."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from framedex.core.ids import FolderId, new_id
from framedex.webapi.schemas import DryRunOut, MisfitValuesOut, ProblemOut, QuarantineOut, SchemaOut, SchemaVersionsOut
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live

NUMBER = {"ty": "variant", "hint": "number"}
TEXT = {"ty": "variant", "hint": "text"}


def _key() -> str:
    return f"k {new_id()}"


def _keys(client: httpx.Client) -> dict[str, Any]:
    keys: dict[str, Any] = client.get("/schema").json()["keys"]
    return keys


def _add(client: httpx.Client, **keys: Any) -> httpx.Response:
    answer = client.put("/schema", json={"keys": _keys(client) | keys})
    assert answer.status_code == 200, answer.text
    return answer


def _settled(client: httpx.Client) -> None:
    """Waits until stored items follow the schema."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        jobs = client.get("/jobs", params={"limit": 1000}).json()["jobs"]
        if all(job["state"] in ("done", "cancelled") for job in jobs if job["kind"] == "schema_sync"):
            return
        time.sleep(0.02)
    raise AssertionError("the items did not follow the schema in 30 s")


def _items(live: Live, owner: Person, *texts: str, folder: FolderId | None = None) -> list[str]:
    folder = folder or live.workspace.folder(owner, "f")
    return [live.workspace.item(owner, folder, metadata=text) for text in texts]


def test_put_schema__then_get_it_to_the_letter(client: httpx.Client, other: httpx.Client, owner: Person) -> None:
    key, vector = _key(), _key()
    written = _add(client, **{key: TEXT, vector: {"ty": "embedding", "size": 3}})
    put = SchemaOut.model_validate(written.json())
    assert put.edited_by == owner.email
    assert written.headers["etag"] == f'"{put.version}"'
    assert int(written.headers["x-framedex-seq"]) > 0
    read = other.get("/schema")
    assert read.json() == written.json()
    assert read.headers["etag"] == written.headers["etag"]
    assert read.json()["keys"][vector] == {"ty": "embedding", "size": 3, "api": None}
    again = client.put("/schema", json=read.json())
    assert (again.status_code, again.json()) == (200, read.json()), "what was answered may be sent back"
    assert "x-framedex-seq" not in again.headers


def test_put_schema__if_match(client: httpx.Client) -> None:
    seen = _add(client, **{_key(): TEXT}).headers["etag"]
    keys = _keys(client)
    first = client.put("/schema", json={"keys": keys | {_key(): TEXT}}, headers={"If-Match": seen})
    second = client.put("/schema", json={"keys": keys | {_key(): TEXT}}, headers={"If-Match": seen})
    assert (first.status_code, second.status_code) == (200, 412)
    problem = ProblemOut.model_validate(second.json())
    assert problem.code == "version_mismatch"
    assert second.headers["content-type"] == "application/problem+json"
    tried = client.put("/schema", json={"keys": keys}, headers={"If-Match": seen}, params={"dry_run": True})
    assert tried.status_code == 412
    assert client.put("/schema", json={"keys": _keys(client)}, headers={"If-Match": "*"}).status_code == 200
    assert client.put("/schema", json={"keys": {}}, headers={"If-Match": "x"}).status_code == 400


def test_put_schema__refusals_have_the_path_of_the_key(client: httpx.Client) -> None:
    key = _key()
    _add(client, **{key: {"ty": "embedding", "size": 3}})
    before = client.get("/schema").json()
    cases: list[tuple[object, str]] = [
        ({"keys": before["keys"] | {key: {"ty": "embedding", "size": 4}}}, f'$.keys["{key}"]'),
        ({"keys": before["keys"] | {"a/b": TEXT}}, '$.keys["a/b"]'),
        ({"keys": before["keys"] | {"a": {"ty": "number", "format": "F16"}}}, "$.keys.a"),
        ({"keys": [1]}, "$.keys"),
        ({"keys": {}, "more": 1}, "$.more"),
        ({"a": TEXT}, "$"),
        ([], "$"),
    ]
    for body, path in cases:
        for params in ({}, {"dry_run": "true"}):
            answer = client.put("/schema", json=body, params=params)
            assert answer.status_code == 400, body
            assert [error.path for error in ProblemOut.model_validate(answer.json()).errors] == [path]
    assert client.put("/schema", content=b'{"keys": {"a": NaN}}').json()["errors"][0]["path"] == "$.keys.a"
    assert client.get("/schema").json() == before


def test_put_schema__dry_run(live: Live, client: httpx.Client, other: httpx.Client, owner: Person) -> None:
    key = _key()
    _items(live, owner, f'{{"{key}": "1"}}', f'{{"{key}": 2}}', f'{{"{key}": true}}')
    before = client.get("/schema").json()
    wanted = {"keys": before["keys"] | {key: NUMBER}}
    answer = client.put("/schema", json=wanted, params={"dry_run": True})
    found = DryRunOut.model_validate(answer.json())
    mine = [(m.reason, m.count, m.samples) for m in found.misfits if m.key == key]
    assert mine == [
        ("a number is wanted; this is a boolean", 1, ["true"]),
        ("a number is wanted; this is a string", 1, ['"1"']),
    ]
    assert found.items == 3
    assert "x-framedex-seq" not in answer.headers
    assert client.get("/schema").json() == before
    hidden = DryRunOut.model_validate(other.put("/schema", json=wanted, params={"dry_run": True}).json())
    assert (hidden.items, [m for m in hidden.misfits if m.key == key]) == (0, [])


def test_quarantine__is_of_what_the_caller_may_read(
    live: Live, client: httpx.Client, other: httpx.Client, admin_client: httpx.Client, owner: Person
) -> None:
    key, frames = _key(), '{"$encord": {"frames": {"0": {}, "soon": {}}}}'
    a, b, c = _items(live, owner, f'{{"{key}": "é"}}', f'{{"{key}": [1]}}', frames)
    _add(client, **{key: NUMBER})
    _settled(client)
    counts = QuarantineOut.model_validate(client.get("/schema/quarantine", params={"key": key}).json()).quarantine
    assert [(m.reason, m.count, m.samples) for m in counts] == [
        ("a number is wanted; this is a string", 1, ['"é"']),
        ("a number is wanted; this is an array", 1, ["[1]"]),
    ]
    page = client.get("/schema/quarantine/values", params={"key": key, "limit": 1}).json()
    rest = client.get("/schema/quarantine/values", params={"key": key, "cursor": page["next_cursor"]}).json()
    assert rest["next_cursor"] is None
    values = [*MisfitValuesOut.model_validate(page).values, *MisfitValuesOut.model_validate(rest).values]
    assert sorted(v.item for v in values) == sorted([a, b])
    lost = client.get("/schema/quarantine/values", params={"key": "$encord", "limit": 1000}).json()["values"]
    assert [(v["frame"], v["reason"]) for v in lost if v["item"] == c] == [("soon", "the frame key is not a number")]
    assert other.get("/schema/quarantine", params={"key": key}).json()["quarantine"] == []
    assert other.get("/schema/quarantine/values", params={"key": key}).json()["values"] == []
    everything = {"key": key, "include_org_access": "true"}
    assert len(admin_client.get("/schema/quarantine", params=everything).json()["quarantine"]) == 2
    assert other.get("/schema/quarantine", params=everything).json()["quarantine"] == []


def test_quarantine__pages(live: Live, client: httpx.Client, owner: Person) -> None:
    key = _key()
    _items(live, owner, *(json.dumps({key: value}) for value in ("x", True, [1], {"a": 1})))
    _add(client, **{key: NUMBER})
    _settled(client)
    whole = client.get("/schema/quarantine").json()["quarantine"]
    found, cursor = [], None
    while True:
        page = client.get("/schema/quarantine", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        found += page["quarantine"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole
    assert len([m for m in whole if m["key"] == key]) == 4
    refused = client.get("/schema/quarantine/values", params={"key": key, "cursor": "x"})
    assert refused.status_code == 400


def test_versions__are_kept_and_restored(client: httpx.Client) -> None:
    key = _key()
    first = _add(client, **{key: TEXT}).json()
    second = _add(client, **{key: NUMBER}).json()
    page = SchemaVersionsOut.model_validate(client.get("/schema/versions", params={"limit": 1}).json())
    assert [v.version for v in page.versions] == [second["version"]]
    more = client.get("/schema/versions", params={"limit": 1, "cursor": page.next_cursor}).json()
    assert more["versions"] == [first]
    restored = client.post(f"/schema/versions/{first['version']}/restore")
    assert restored.status_code == 200
    assert restored.json()["version"] == second["version"] + 1
    assert _keys(client)[key] == TEXT
    assert client.post("/schema/versions/1000000/restore").status_code == 404
    assert client.post("/schema/versions/0/restore").status_code == 400


def test_sync_job__has_no_units_to_show_and_is_not_cancelled(live: Live, client: httpx.Client, owner: Person) -> None:
    key = _key()
    _items(live, owner, f'{{"{key}": "x"}}')
    _add(client, **{key: NUMBER})
    _settled(client)
    job = next(j for j in client.get("/jobs").json()["jobs"] if j["kind"] == "schema_sync")
    assert client.get(f"/jobs/{job['uuid']}").json()["state"] == "done"
    assert client.get(f"/jobs/{job['uuid']}/units").json() == {"units": [], "next_cursor": None}
    assert client.post(f"/jobs/{job['uuid']}/cancel").status_code == 409
    assert client.post(f"/jobs/{job['uuid']}/retry").json() == {"units": 0}


def test_schema__needs_a_caller(live: Live) -> None:
    with httpx.Client(base_url=f"{live.url}/api/v1") as nobody:
        for method, path in (("GET", "/schema"), ("PUT", "/schema"), ("GET", "/schema/quarantine")):
            assert nobody.request(method, path).status_code == 401
