"""What the index tells a caller against a naive reading of design section 4, in random workspaces."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from framedex.core.access import Caller
from framedex.core.filters.ast import Field, IsNull, Node, Not, Or
from framedex.core.filters.fields import View
from framedex.core.ids import ItemId
from framedex.core.metadata.schema import EMPTY_SCHEMA
from framedex.core.ports.index import FacetQuestion, IndexBatch, PageOf, Position, Question, Terms
from framedex.services.index_documents import indexed
from framedex.stores.catalog.unit_of_work import SqlCatalog
from framedex.stores.index.index import DuckIndex
from tests.builders.databases import open_catalog
from tests.medium.services.test_rights import _callers as callers
from tests.medium.services.worlds import Plan, World, build, plans

_SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_PARENT = Field("parent", is_builtin=True)
#: True of everything; naming `$parent` brings the children of groups into view.
CHILDREN_TOO: Node = Or((IsNull(_PARENT), Not(IsNull(_PARENT))))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlCatalog]:
    found = open_catalog(tmp_path_factory.mktemp("index-rights"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckIndex]:
    found = DuckIndex(tmp_path_factory.mktemp("index") / "index.duckdb")
    yield found
    found.close()


def _key(item_id: ItemId) -> str:
    """A metadata key that this item alone has."""
    return f"of_{item_id}"


@_SETTINGS
@given(plan=plans())
def test_index__tells_a_caller_of_what_they_may_read(catalog: SqlCatalog, index: DuckIndex, plan: Plan) -> None:
    with catalog.write() as unit:
        world = build(unit, plan)
        for item_id in world.items:
            text = json.dumps({"id": item_id, _key(item_id): 1})
            unit.connection.exec_driver_sql(
                f"INSERT INTO item_metadata (item_id, version, text, edited_by, edited_at) "
                f"VALUES ('{item_id}', 1, '{text}', '', 1)"
            )
    with catalog.read() as unit:
        documents = unit.documents.documents(world.items)
        index.apply(IndexBatch(Position(1, 0), [indexed(document, EMPTY_SCHEMA) for document in documents]))
        for caller in callers(unit, world):
            visibility = unit.documents.visibility(caller)
            _check(index, world, caller, Question(CHILDREN_TOO, View.ITEMS, visibility))


def _check(index: DuckIndex, world: World, caller: Caller, question: Question) -> None:
    readable = {item_id for item_id in world.items if world.reads(caller, item_id)}
    shown = {row.item_id for row in index.rows(question, PageOf((), 10_000)).rows}
    mine = shown if not caller.sees_workspace else shown & set(world.items)
    assert mine == readable
    ((facet,), total) = index.facets(question, [FacetQuestion(Field("id"), top=1000)])
    assert isinstance(facet, Terms)
    assert {bucket.value for bucket in facet.buckets} & set(world.items) == readable
    if not caller.sees_workspace:
        assert index.rows(question, PageOf((), 1)).count == total == len(readable) == facet.distinct
        assert facet.missing == 0
    for item_id in world.items:
        assert bool(index.kinds(_key(item_id), question.visibility)) == (item_id in readable)
    assert {key for key in index.keys(question.visibility) if key.removeprefix("of_") in world.items} == {
        _key(item_id) for item_id in readable
    }
    parents = {p for item_id in readable for p in world.parents_of(item_id) if world.reads(caller, p)}
    ((of_parents,), _) = index.facets(question, [FacetQuestion(_PARENT, top=1000)])
    assert isinstance(of_parents, Terms)
    assert {bucket.value for bucket in of_parents.buckets} & set(world.items) == parents
