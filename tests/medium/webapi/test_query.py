"""Questions over HTTP: rows, pages, facets, rights, and what is wrong with a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from framedex.core.ids import FolderId, ItemId, new_id
from framedex.webapi.schemas import FacetsOut, ParsedOut, ProblemOut, QueryOut
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live

WEATHERS = ("rain", "sun", "Rain")


class Shelf:
    """A folder of items with metadata, and questions about it alone."""

    def __init__(self, live: Live, owner: Person, client: httpx.Client) -> None:
        self.live, self.owner, self.client = live, owner, client
        self.folder = live.workspace.folder(owner, f"shelf-{new_id()}")

    def put(self, *metadata: dict[str, Any] | None, folder: FolderId | None = None) -> list[ItemId]:
        texts = [None if one is None else json.dumps(one) for one in metadata]
        return [self.live.workspace.item(self.owner, folder or self.folder, metadata=text) for text in texts]

    def seq(self) -> int:
        return int(self.client.get("/status").json()["seq"])

    def ask(self, filter_text: str = "", **more: Any) -> QueryOut:
        body = {"filter": filter_text, "scope": {"folder": self.folder}, "min_seq": self.seq(), **more}
        answer = self.client.post("/query", json=body)
        assert answer.status_code == 200, answer.text
        return QueryOut.model_validate(answer.json())

    def uuids(self, filter_text: str = "", **more: Any) -> set[str]:
        return {row["uuid"] for row in self.ask(filter_text, limit=1000, **more).rows}

    def facets(self, fields: Sequence[dict[str, Any]], filter_text: str = "") -> FacetsOut:
        body = {"filter": filter_text, "scope": {"folder": self.folder}, "min_seq": self.seq(), "fields": fields}
        answer = self.client.post("/facets", json=body)
        assert answer.status_code == 200, answer.text
        return FacetsOut.model_validate(answer.json())


@pytest.fixture
def shelf(live: Live, owner: Person, client: httpx.Client) -> Shelf:
    return Shelf(live, owner, client)


def refused(client: httpx.Client, path: str, body: object, status: int = 400) -> ProblemOut:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return ProblemOut.model_validate(answer.json())


def test_query__finds_what_was_just_written(shelf: Shelf) -> None:
    wet, dry, _ = shelf.put({"weather": "rain", "temp": 12}, {"weather": "sun", "temp": 25}, None)
    assert shelf.uuids("weather = 'rain'") == {wet}
    assert shelf.uuids("temp > 20") == {dry}
    assert shelf.uuids("not (weather = 'rain')") == set(shelf.uuids()) - {wet}
    answer = shelf.client.patch(f"/items/{wet}/metadata", json={"weather": "sun"})
    assert answer.status_code == 200
    assert shelf.uuids("weather = 'sun'") == {wet, dry}


def test_query__rows_have_the_fields_asked_for(shelf: Shelf) -> None:
    big = 2**63 + 1
    (item,) = shelf.put({"a": big, "b": 1.5, "c": [1, "x"], "d": {"e": True}, "text": "é"})
    (row,) = shelf.ask(fields=["a", "b", "c", "d.e", "text", "$name", "$width", "$folder", "$dataset"]).rows
    assert row == {
        "uuid": item, "a": big, "b": 1.5, "c": [1, "x"], "d.e": True, "text": "é",
        "$name": f"{item}.png", "$width": 1, "$folder": shelf.folder, "$dataset": None,
    }  # fmt: skip


@pytest.mark.parametrize("is_descending", [False, True])
def test_query__pages_hold_each_row_once__ties_and_missing_values_included(shelf: Shelf, is_descending: bool) -> None:
    shelf.put(*[{"n": number % 3} if number % 4 else None for number in range(23)])
    sort = [{"field": "n", "desc": is_descending}]
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = shelf.ask(sort=sort, limit=4, fields=["n"], cursor=cursor)
        assert page.count.value == 23
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({row["uuid"] for row in found}) == len(found) == 23
    values = [row["n"] for row in found]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=is_descending) + [None] * (23 - len(known))


def test_query__a_cursor_of_another_question_or_forged__is_refused(shelf: Shelf) -> None:
    shelf.put({"n": 1}, {"n": 2})
    page = shelf.ask("n > 0", limit=1)
    assert page.next_cursor is not None
    body = {"filter": "n > 1", "scope": {"folder": shelf.folder}, "cursor": page.next_cursor}
    assert "another" in refused(shelf.client, "/query", body).detail
    forged = page.next_cursor[:-2] + "xx"
    refused(shelf.client, "/query", body | {"filter": "n > 0", "cursor": forged})


def test_query__frames_of_items(shelf: Shelf) -> None:
    named, plain = shelf.put(
        {"site": "a", "$encord": {"frames": {"0": {"event": "turn", "speed": 3}}}}, {"site": "a", "event": "none"}
    )
    assert shelf.uuids("frames(event = 'turn' and $keyframe = true)") == {named}
    assert shelf.uuids("event = 'turn'") == set()
    rows = shelf.ask("site = 'a'", view="frames", fields=["event", "speed", "$keyframe"]).rows
    assert {(row["uuid"], row["frame"], row["event"], row["speed"], row["$keyframe"]) for row in rows} == {
        (named, 0, "turn", 3, True),
        (plain, 0, "none", None, False),
    }


def test_query__subfolders_by_uuid_and_by_path(live: Live, shelf: Shelf, owner: Person) -> None:
    below = live.workspace.folder(owner, "be low", parent=shelf.folder)
    (up,) = shelf.put(None)
    (down,) = shelf.put(None, folder=below)
    assert shelf.uuids() == {up, down}
    assert shelf.uuids(f"$folder = '{below}'") == {down}
    assert shelf.uuids(f"$folder != '{below}'") == {up}
    name = shelf.client.get("/folders").json()["folders"][0]["name"]
    assert shelf.uuids(f"$folder = '{name}/be low'") == {down}
    assert shelf.uuids("$folder = 'no such folder'") == set()


def test_facets__terms_and_histograms(shelf: Shelf) -> None:
    shelf.put(*[{"w": WEATHERS[n % 3], "t": n, "tags": ["x", "y"][: n % 3]} for n in range(9)], None)
    found = shelf.facets([{"field": "w"}, {"field": "t", "bins": 4}, {"field": "tags"}, {"field": "$type"}])
    assert found.count == 10
    weather = found.facets["w"]
    assert weather.kind == "terms"
    assert [(b.value, b.count) for b in weather.buckets] == [("Rain", 3), ("rain", 3), ("sun", 3)]
    assert (weather.missing, weather.distinct) == (1, 3)
    temperature = found.facets["t"]
    assert temperature.kind == "histogram"
    assert temperature.edges == [0, 2, 4, 6, 8]
    assert temperature.counts == [2, 2, 2, 3]
    assert temperature.missing == 1
    tags = found.facets["tags"]
    assert tags.kind == "terms"
    assert [(b.value, b.count) for b in tags.buckets] == [("x", 6), ("y", 3)]
    assert tags.missing == 1


def test_query__a_stranger_finds_nothing_of_it(live: Live, shelf: Shelf, other: httpx.Client) -> None:
    key = f"secret_{new_id()[:8]}"
    shelf.put({key: "x"})
    shelf.ask()
    body = {"filter": f"{key} = 'x'"}
    answer = other.post("/query", json=body)
    assert answer.status_code == 400, "a key that only others use is no key of the stranger's"
    assert refused(other, "/query", {"scope": {"folder": shelf.folder}}, 403).code == "not_permitted"
    assert other.post("/query", json={}).json()["count"]["value"] == 0


def test_query__an_admin_sees_all_only_when_asked(live: Live, shelf: Shelf, admin_client: httpx.Client) -> None:
    (item,) = shelf.put({"n": 1})
    shelf.ask()
    assert admin_client.post("/query", json={"limit": 1000}).json()["rows"] == []
    found = admin_client.post("/query", json={"limit": 1000}, params={"include_org_access": True}).json()
    assert found["count"]["value"] >= 1
    assert item in {row["uuid"] for row in found["rows"]} or found["next_cursor"]


@pytest.mark.parametrize(
    ("body", "position", "says"),
    [
        ({"filter": "$width = = 1"}, 9, "a value is expected"),
        ({"filter": "$width = 'wide'"}, 9, "a number"),
        ({"filter": "$widht = 1"}, 0, "did you mean '$width'"),
        ({"filter": "(" * 300}, 100, "deep"),
        ({"filter": "$width in (" + ",".join(["1"] * 10_001) + ")"}, None, "10000 values"),
        ({"filter": "", "sort": [{"field": "$tag"}]}, None, "no field"),
        ({"filter": "", "sort": [{"field": "$dataset"}]}, None, "no order"),
        ({"filter": "", "fields": ["nowhere at all"]}, None, "no field"),
        ({"filter": "", "limit": 0}, None, "limit"),
        ({"filter": "", "cursor": "garbage"}, None, "page token"),
        ({"filter": 3}, None, "filter"),
        ({"filter": "", "scope": {"folder": "x"}}, None, "scope.folder"),
        ({"filter": "", "unknown": 1}, None, "unknown"),
    ],
)
def test_query__says_what_is_wrong(client: httpx.Client, body: object, position: int | None, says: str) -> None:
    problem = refused(client, "/query", body)
    assert says in problem.detail, problem.detail
    if position is not None:
        assert problem.position == position


def test_query__ten_thousand_terms(shelf: Shelf) -> None:
    (item,) = shelf.put({"n": 9999})
    assert shelf.uuids("n in (" + ",".join(map(str, range(10_000))) + ")") == {item}


def test_query__a_seq_that_is_far_off__is_503_with_how_far_the_index_is(client: httpx.Client) -> None:
    problem = refused(client, "/query", {"min_seq": 10**9}, 503)
    assert problem.indexed_seq is not None


def test_parse__answers_the_tree_and_the_text(client: httpx.Client) -> None:
    answer = client.post("/filters/parse", json={"filter": "$width > 3 AND NOT $type in ('image')"})
    found = ParsedOut.model_validate(answer.json())
    assert found.text == "$width > 3 and not ($type in ('image'))"
    assert found.ast == {
        "op": "and",
        "parts": [
            {"op": "compare", "field": "$width", "operator": ">", "literal": 3},
            {"op": "not", "part": {"op": "in", "field": "$type", "literals": ["image"], "is_negated": False}},
        ],
    }
    assert refused(client, "/filters/parse", {"filter": "$width >"}).expected
