from __future__ import annotations

import httpx

from framedex.core.ports.catalog import Entity, Op
from framedex.webapi.schemas import ChangesOut, ProblemOut, StatusOut
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live


def test_status__seq_grows_with_writes(live: Live, client: httpx.Client, owner: Person) -> None:
    before = StatusOut.model_validate(client.get("/status").json())
    live.workspace.folder(owner, "f")
    after = StatusOut.model_validate(client.get("/status").json())
    assert after.seq > before.seq
    assert after.version


def test_openapi__describes_every_route(live: Live) -> None:
    document = httpx.get(f"{live.url}/api/openapi.json").json()
    assert document["servers"][0] == {"url": "/api"}
    assert {"/v1/status", "/v1/changes", "/v1/imports", "/v1/jobs/{job}/units"} <= set(document["paths"])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("security"), f"{method} {path} needs a token and does not say so"
            assert operation.get("description"), f"{method} {path} has no description"


def test_unknown_route__is_a_problem(live: Live, client: httpx.Client) -> None:
    for address in (f"{live.url}/api/v1/nothing", f"{live.url}/api/else", f"{live.url}/api/v1/status/"):
        answer = httpx.get(address)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert ProblemOut.model_validate(answer.json()).code == "not_found"
    assert client.delete("/status").status_code == 405


def test_caller__without_and_with_wrong_token(live: Live) -> None:
    url = f"{live.url}/api/v1/status"
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer fdx_" + "a" * 43}):
        answer = httpx.get(url, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "not_authenticated"


def test_foreign_host__is_421(live: Live, owner: Person) -> None:
    answer = httpx.get(f"{live.url}/api/v1/status", headers=owner.headers | {"Host": "evil.example"})
    assert answer.status_code == 421


def test_parameters__of_a_wrong_form_are_named(client: httpx.Client) -> None:
    answer = client.get("/jobs", params={"limit": "5000"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "query.limit"
    assert client.get("/items/no-uuid").status_code == 400


def test_changes__only_what_the_caller_may_see(
    live: Live, client: httpx.Client, other: httpx.Client, owner: Person
) -> None:
    start = client.get("/status").json()["seq"]
    folder = live.workspace.folder(owner, "f")
    item = live.workspace.item(owner, folder, metadata='{"a":1}')
    client.patch(f"/items/{item}/metadata", json={"a": 2}).raise_for_status()
    mine = ChangesOut.model_validate(client.get("/changes", params={"after": start}).json())
    assert [(c.entity, c.op) for c in mine.changes if c.id in (folder, item)] == [
        ("folder", "create"),
        ("item", "create"),
        ("item_metadata", "update"),
        ("item", "update"),
    ]
    assert [c.seq for c in mine.changes] == sorted(c.seq for c in mine.changes)
    theirs = ChangesOut.model_validate(other.get("/changes", params={"after": start}).json())
    assert not {c.id for c in theirs.changes} & {folder, item}
    assert theirs.next_after == theirs.seq


def test_changes__goes_on_from_next_after(live: Live, client: httpx.Client, owner: Person) -> None:
    start = client.get("/status").json()["seq"]
    made = [live.workspace.folder(owner, f"f{n}") for n in range(5)]
    seen: list[str] = []
    after = start
    for _ in range(5):
        page = client.get("/changes", params={"after": after, "limit": 2}).json()
        assert len(page["changes"]) <= 2
        seen += [c["id"] for c in page["changes"]]
        after = page["next_after"]
    assert seen == made


def test_changes__what_is_gone_shows_itself_to_admins(
    live: Live, client: httpx.Client, admin_client: httpx.Client, owner: Person
) -> None:
    start = client.get("/status").json()["seq"]
    item = live.workspace.item(owner, live.workspace.folder(owner, "f"))
    with live.workspace.catalog.write() as unit:
        unit.items.delete([item])
        unit.log(Entity.ITEM, Op.DELETE, [item])
    mine = client.get("/changes", params={"after": start}).json()["changes"]
    assert item not in {c["id"] for c in mine}
    theirs = admin_client.get("/changes", params={"after": start}).json()["changes"]
    assert [c["op"] for c in theirs if c["id"] == item] == ["create", "delete"]


def test_changes__ahead_of_the_log_is_gone(client: httpx.Client) -> None:
    answer = client.get("/changes", params={"after": 10**9})
    assert answer.status_code == 410
    assert answer.json()["code"] == "log_pruned"


def test_folders__pages_by_name(live: Live, client: httpx.Client, other: httpx.Client, owner: Person) -> None:
    names = ["a", "b", "c"]
    ids = [live.workspace.folder(owner, name) for name in names]
    below = live.workspace.folder(owner, "below", ids[0])
    first = client.get("/folders", params={"limit": 2}).json()
    assert [f["name"] for f in first["folders"]] == ["a", "b"]
    second = client.get("/folders", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [f["name"] for f in second["folders"]] == ["c"]
    assert second["next_cursor"] is None
    children = client.get("/folders", params={"parent": ids[0]}).json()["folders"]
    assert [(f["uuid"], f["path"], f["role"]) for f in children] == [(below, ["a"], "admin")]
    assert other.get("/folders").json()["folders"] == []
    assert other.get("/folders", params={"parent": ids[0]}).status_code == 403


def test_integrations__only_usable_ones(live: Live, client: httpx.Client, admin_client: httpx.Client) -> None:
    assert client.get("/integrations").json()["integrations"] == []
    found = admin_client.get("/integrations").json()["integrations"]
    assert live.integration_id in [i["uuid"] for i in found]
    assert {i["role"] for i in found} == {"admin"}
