"""SQL statements of one request: as many for a page of sixty as for a page of two, and never above its budget.

Real: the whole application and its catalog, in this process; only the sockets are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from framedex.bootstrap import open_node
from framedex.core.ids import FolderId
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import Person, Workspace
from tests.medium.protocol.in_process import PRESET, Http, in_process, query

MANY = 60


@dataclass
class Counter:
    """Counts what the two engines of a catalog send, transactions' own statements left out."""

    statements: list[str] = field(default_factory=list)

    def watch(self, *engines: sa.Engine) -> None:
        for engine in engines:
            sa.event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            self.statements.append(statement)

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        self.statements.clear()
        yield self.statements


@dataclass(frozen=True)
class House:
    """An application on folders, items, datasets, collections, groups and the like, many of each."""

    http: Http
    counter: Counter
    folder: FolderId
    group_item: str
    collection: str
    dataset: str

    def path(self, template: str) -> str:
        return template.format(f=self.folder, group=self.group_item, c=self.collection, d=self.dataset)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data: Path = tmp_path_factory.mktemp("counts")
    workspace = Workspace(data)
    owner = workspace.person("owner@example.org", is_admin=True)
    node = open_node(load_settings(data=data, database_url=database_url(data)))
    counter = Counter()
    counter.watch(node.catalog._reader, node.catalog._writer)
    with in_process(node, owner) as http:
        yield _filled(workspace, owner, http, counter)
    node.close()
    workspace.close()


def _filled(workspace: Workspace, owner: Person, http: Http, counter: Counter) -> House:
    top = workspace.folder(owner, "top")
    items = [str(workspace.item(owner, top, metadata=json.dumps({"n": n}))) for n in range(MANY)]
    for number in range(MANY):
        workspace.folder(owner, f"top {number}")
        workspace.folder(owner, f"below {number}", top)

    def post(path: str, body: object) -> object:
        answer = http.post(f"/v2/public/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    (group,) = _texts(post(f"storage/folders/{top}/create-group-items", [_carousel(items)]))
    for number in range(MANY):
        post("organisation/groups", {"name": f"group {number}", "description": ""})
        post("organisation/organisation-tags", {"name": f"tag {number}"})
        post("organisation/users", {"email": f"{number}@example.org", "roleMnemonicName": "MEMBER",
                                    "memberType": "internal"})  # fmt: skip
        post(f"index/collections?topLevelFolderUuid={top}", {"name": f"c {number}", "description": ""})
        post("datasets", {"title": f"set {number}", "createBackingFolder": False, "legacyCall": False})
        post("index/presets", {"name": f"preset {number}", "filterPresetJson": PRESET, "description": ""})
    made = post(f"index/collections?topLevelFolderUuid={top}", {"name": "c", "description": ""})
    post(f"index/collections/{made}/add-items", {"itemUuids": items})
    created = post("datasets", {"title": "set", "createBackingFolder": False, "legacyCall": False})
    assert isinstance(created, dict)
    dataset = str(created["datasetUuid"])
    query(http, dataset, "datasetlinkitems", "POST", dataset, {"item_uuids": items, "duplicates_behavior": "SKIP"})
    return House(http, counter, top, group, str(made), dataset)


def _carousel(items: list[str]) -> Mapping[str, object]:
    return {"layoutType": "default-list", "layoutContents": items}


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(text) for text in value]


#: Route -> statements at most: who calls (two), the rights, and the answer itself.
PAGED = {
    "storage/folders": 4,
    "storage/search/folders": 4,
    "storage/folders/{f}/folders": 5,
    "storage/folders/{f}/items": 4,
    "storage/search/items": 3,
    "index/collections": 3,
    "index/collections/{c}/accessible-items": 5,
    "index/collections/{c}/all-items": 6,
    "index/presets": 3,
}
WHOLE = {
    "storage/folders/{f}/items/{group}/child-items": 7,
    "storage/folders/{f}/items/{group}/summary": 9,
    "storage/folders/{f}/summary": 6,
    "storage/folders/{f}": 5,
    "storage/folders/{f}/groups": 4,
    "storage/items/{group}": 4,
    "user/current-organisation/groups": 3,
    "organisation/users": 3,
    "organisation/organisation-tags": 3,
    "cloud-integrations": 4,
    "datasets/list": 4,
    "datasets/{d}/users": 4,
    "datasets/{d}/groups": 4,
}


def _count(house: House, path: str, **query: object) -> int:
    with house.counter.counting() as statements:
        answer = house.http.get(f"/v2/public/{house.path(path)}", params={k: str(v) for k, v in query.items()})
    assert answer.status_code == 200, answer.text
    return len(statements)


@pytest.mark.parametrize(("path", "budget"), PAGED.items())
def test_paged_list__statements_do_not_grow_with_the_page(house: House, path: str, budget: int) -> None:
    few, many = (_count(house, path, pageSize=size) for size in (2, MANY))
    assert few == many <= budget


@pytest.mark.parametrize("path", [path for path in PAGED if path.startswith("storage/")])
def test_paged_list__filters_add_no_statement(house: House, path: str) -> None:
    plain = _count(house, path, pageSize=2)
    assert _count(house, path, pageSize=2, search="o", order="createdAt", desc=True, signUrls=True) == plain


@pytest.mark.parametrize(("path", "budget"), WHOLE.items())
def test_whole_answer__statements_stay_within_the_budget(house: House, path: str, budget: int) -> None:
    assert _count(house, path) <= budget


def test_get_bulk__statements_do_not_grow(house: House) -> None:
    listed = house.http.get(house.path("/v2/public/storage/folders/{f}/items"), params={"pageSize": "60"}).json()
    ids = [item["uuid"] for item in listed["results"]]

    def count(wanted: list[str]) -> int:
        with house.counter.counting() as statements:
            answer = house.http.post("/v2/public/storage/items/get-bulk", json={"itemUuids": wanted, "signUrls": True})
        assert len(answer.json()["results"]) == len(wanted)
        return len(statements)

    assert count(ids[:2]) == count(ids) <= 4


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"dataset_access_settings": {"fetch_client_metadata": True, "fetch_rows": True}}, "dataset"),
        ({"dataset_access_settings": {"fetch_client_metadata": False, "fetch_rows": True}}, "datarows"),
    ],
)
def test_v1__rows_of_a_dataset_take_a_fixed_number(house: House, payload: object, kind: str) -> None:
    with house.counter.counting() as statements:
        response = query(house.http, house.dataset, kind, "GET", None, payload)
    rows = response["data_rows"] if isinstance(response, dict) else response
    assert isinstance(rows, list)
    assert len(rows) == MANY
    assert len(statements) <= 8


def test_counter__sees_a_statement_for_each_row(house: House) -> None:
    """The counter itself: a handler that asks row by row would be caught."""
    with house.counter.counting() as statements:
        for number in range(5):
            house.http.get(house.path("/v2/public/storage/folders/{f}"), params={"n": str(number)})
    assert len(statements) >= 5 * 3
