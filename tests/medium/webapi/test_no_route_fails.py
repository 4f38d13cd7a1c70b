"""Odd values to every route of the OpenAPI document: each is answered or refused, none makes the server fail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.ids import new_id
from framedex.webapi.app import create_api
from tests.builders.living import Person
from tests.medium.webapi.conftest import Live

_MAY_FAIL = (501, 503, 507)
_METHODS = ("get", "post", "put", "patch", "delete")
_LEAKS = re.compile(r"Traceback|File \"/|site-packages|sqlalchemy|duckdb|\bSELECT\b.*\bFROM\b|/tmp/", re.DOTALL)
_DOCUMENT = create_api(None).openapi()

_TEXTS = (
    "", "0", "-1", "1e400", "nan", "9" * 30, "9" * 5000, "\0", "a\0b", "%", "../..", "'; --", "\u202e", "😀" * 40,
    "x" * 3000, "null", "[]", "{}", "true", "1" * 400,
)  # fmt: skip
_FILTERS = (
    "a = 1e400", "a = " + "9" * 400, "a = -" + "9" * 5000, "a = '\0'",
    "a in (" + ",".join(map(str, range(10_000))) + ")",
    "(" * 3000, "not " * 3000 + "a = 1", "a = '" + "x" * 100_000 + "'", "near(a, 1e308, 1e308, 1e308)",
    "$created_at > '0000-01-01'", "$created_at > '9999-12-31T23:59:59.999999Z'", "a between 1e308 and -1e308",
    "`" + "k" * 9000 + "` = 1", "$folder = '\0'", "$folder = 'x/y'", "frames(frames($frame = 1))", "a contains ''",
    "$frame = 1e300", "$width = 99999999999999999999", "`a\0b` is null", "a = true and a < 'x'", "$nothing = 1",
    "near(a, 91, 181, -1)", "$type in ('video', 'x')", "a starts with '%_'", "$dicom.Modality != ''", "$parent = 'x'",
)  # fmt: skip
_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 10**30, -(10**400), 1e308, "\ud800", "a\udfffb", *_TEXTS, *_FILTERS,
    [], {}, [[]],
    {"\ud800": 1}, {"\0": "\0"}, ["x"] * 301,
)  # fmt: skip


class Route(NamedTuple):
    method: str
    path: str
    operation: Mapping[str, Any]


_ROUTES = [
    Route(method, path, operation)
    for path, methods in _DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in _METHODS
]


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = _DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _bodies(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema, of which any part may be an odd one."""
    schema, odd = _resolved(schema), st.sampled_from(_SCALARS)
    if "properties" in schema:
        needed = schema.get("required", [])
        parts = {name: _bodies(part) for name, part in schema["properties"].items()}
        whole = st.fixed_dictionaries(
            {name: parts[name] for name in needed}, optional={n: p for n, p in parts.items() if n not in needed}
        )
        return st.one_of(whole, whole, whole, odd)
    return st.one_of(_plain(schema), _plain(schema), odd)


def _plain(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return st.one_of([_bodies(one) for one in schema[name]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return st.lists(_bodies(schema.get("items", {})), max_size=4)
    if kind == "integer":
        return st.sampled_from([0, 1, 2, 10, 1000])
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        return st.sampled_from(["a", "$name", "$created_at", "$width", "$frame", *_FILTERS])
    return st.sampled_from(_SCALARS)


def _texts(parameter: Mapping[str, Any], ids: tuple[str, ...]) -> st.SearchStrategy[str]:
    usual = [*ids] if parameter["in"] == "path" else ["0", "1", "true", "png", "rows", "columns", *ids]
    return st.one_of(st.sampled_from(usual), st.sampled_from(_TEXTS), st.text(max_size=20).map(_sendable))


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@st.composite
def _requests(draw: st.DrawFn, route: Route, ids: tuple[str, ...]) -> tuple[str, dict[str, str], bytes, str]:
    path, query = route.path, {}
    for parameter in route.operation.get("parameters", []):
        if parameter["in"] == "path":
            value = draw(_texts(parameter, ids))
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe="") or "-")
        elif parameter["in"] == "query" and draw(st.booleans()):
            query[parameter["name"]] = draw(_texts(parameter, ids))
    content = route.operation.get("requestBody", {}).get("content", {})
    if not content:
        return path, query, b"", ""
    kind = draw(st.sampled_from(sorted(content)))
    body = draw(_bodies(content[kind].get("schema", {})))
    text = json.dumps(body, ensure_ascii=True)
    return path, query, draw(st.sampled_from([text.encode()] * 8 + [text.encode()[:-1], b"\xff", b"[" * 5000])), kind


def _check(answer: httpx.Response, what: object) -> None:
    status, kind = answer.status_code, answer.headers.get("content-type", "")
    assert status < 500 or status in _MAY_FAIL, (what, answer.text[:500])
    if status >= 400:
        assert kind.startswith("application/problem+json"), (what, status, kind)
        assert not _LEAKS.search(answer.text), (what, answer.text[:500])


@pytest.mark.parametrize("route", _ROUTES, ids=[f"{route.method} {route.path}" for route in _ROUTES])
def test_every_route__answers_or_refuses_odd_values(
    route: Route, live: Live, owner: Person, client: httpx.Client
) -> None:
    folder = live.workspace.folder(owner, f"odd-{new_id()}")
    item = live.workspace.item(owner, folder, metadata='{"a": 1, "b": "x"}')
    ids = (str(item), str(folder), str(new_id()))

    @settings(
        max_examples=25, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_requests(route, ids))
    def send(asked: tuple[str, dict[str, str], bytes, str]) -> None:
        path, query, body, kind = asked
        headers = {"content-type": kind} if kind else {}
        # an answer that waits for a seq that nobody wrote would take ten seconds
        if b'"min_seq": ' in body and not re.search(rb'"min_seq": (0|"|\[|\{|null|true|false|-)', body):
            body = re.sub(rb'"min_seq": \d+', b'"min_seq": 0', body)
        target = f"{live.url}/api{path}"
        answer = client.request(route.method, target, params=query, content=body, headers=headers)
        _check(answer, (route.method, path[:200], query, body[:300]))

    send()


@pytest.mark.parametrize("view", ["items", "frames"])
@pytest.mark.parametrize("value", [1, 2**60 + 1, "x", True, ["x", 1], [0.5, 2]], ids=repr)
def test_query__odd_filters_of_fields_of_each_kind(
    value: object, view: str, live: Live, owner: Person, client: httpx.Client
) -> None:
    name = f"k{new_id().replace('-', '')}"
    live.workspace.item(owner, live.workspace.folder(owner, name), metadata=json.dumps({name: value}))
    seq = client.get("status").json()["seq"]
    field = {"field": name}
    for filter_text in _FILTERS:
        body = {"filter": re.sub(r"\ba\b", name, filter_text), "view": view, "min_seq": seq}
        _check(client.post("query", json={**body, "sort": [field], "fields": [name]}), (filter_text[:100], value))
        _check(client.post("facets", json={**body, "fields": [field]}), (filter_text[:100], value))
    found = client.post("query", json={"filter": f"{name} is not null", "view": view, "min_seq": seq})
    assert len(found.json()["rows"]) == 1, "else the filters above were about nothing"


@pytest.mark.parametrize(
    "body",
    [
        '{"\\ud800": 1}', '{"filter": "\\ud800"}', '{"filter": "a = \'\\udc00\'"}', '{"sort": [{"field": "\\ud800"}]}',
        '{"fields": ["\\ud800"]}', '{"cursor": "\\ud800"}', '{"scope": {"folder": "\\ud800"}}', '{"view": "\\ud800"}',
        '{"sort": [{"field": "a\\u0000"}]}', '{"fields": ["a\\u0000"]}', '{"min_seq": -' + "9" * 4000 + "}",
        "[" * 100_000, '{"cursor": "AAAA"}', '{"limit": 1e999}', '{"limit": NaN}',
        json.dumps({"filter": "a = 1 or " * 250_000 + "a = 2"}),
    ],
    ids=range(16),
)  # fmt: skip
def test_query__odd_bodies(body: str, client: httpx.Client) -> None:
    for path in ("query", "facets", "filters/parse"):
        answer = client.post(path, content=body.encode(), headers={"content-type": "application/json"})
        assert answer.status_code >= 400, (path, answer.text[:300])
        _check(answer, (path, body[:100]))


def test_facets__as_many_as_300_are_refused(client: httpx.Client) -> None:
    answer = client.post("facets", json={"fields": [{"field": f"k{n}"} for n in range(300)]})
    assert answer.status_code == 400
    _check(answer, "300 facets")


_OF_ITEMS = [route for route in _ROUTES if route.path.startswith("/v1/items/{item}")]


@pytest.mark.parametrize("route", _OF_ITEMS, ids=[f"{route.method} {route.path}" for route in _OF_ITEMS])
def test_every_route_of_an_item__hidden_and_absent_say_the_same(
    route: Route, live: Live, owner: Person, other: httpx.Client
) -> None:
    hidden = str(live.workspace.item(owner, live.workspace.folder(owner, f"mine-{new_id()}"), metadata='{"a": 1}'))
    seen = []
    for item in (hidden, str(new_id())):
        path = re.sub(r"\{\w+\}", "0", route.path.replace("{item}", item).replace("{version}", "1"))
        query = {
            p["name"]: "0" for p in route.operation.get("parameters", []) if p["in"] == "query" and p.get("required")
        }
        answer = other.request(
            route.method, f"{live.url}/api{path}", params=query, json={} if "requestBody" in route.operation else None
        )
        seen.append((answer.status_code, answer.text.replace(item, "ITEM")))
    assert seen[0][0] == 403, seen
    assert seen[0] == seen[1]
