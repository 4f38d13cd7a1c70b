"""Lists, standings and paths of the catalog against a naive reading of design section 4, in random workspaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from framedex.core.access import Action, Caller, Role, Standing, may
from framedex.core.errors import NotPermitted
from framedex.core.folders import FolderQuery
from framedex.core.ids import FolderId, ItemId, UserId
from framedex.core.items import ItemQuery
from framedex.core.paging import PageRequest
from framedex.services.folders import require_folder
from framedex.stores.catalog.unit_of_work import SqlCatalog, SqlUnit
from tests.builders.databases import open_catalog
from tests.medium.services.worlds import NAMES, USERS, Plan, World, build, plans

_SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlCatalog]:
    found = open_catalog(tmp_path_factory.mktemp("rights"))
    yield found
    found.close()


def _made(catalog: SqlCatalog, plan: Plan) -> World:
    with catalog.write() as unit:
        return build(unit, plan)


def _callers(unit: SqlUnit, world: World) -> Iterator[Caller]:
    """Every user, and the first of them once more as an ADMIN who asked for `includeOrgAccess`."""
    for subject in world.subjects[:USERS]:
        caller = unit.people.caller_by_id(UserId(subject))
        assert caller is not None
        assert set(caller.subjects) == world.subjects_of(caller)
        yield caller
    first = unit.people.caller_by_id(UserId(world.subjects[0]))
    assert first is not None
    yield replace(first, is_workspace_admin=True, sees_workspace=True)


def _folder_list(unit: SqlUnit, world: World, caller: Caller, query: FolderQuery) -> list[FolderId]:
    """All pages of a list, two folders each; in a shared catalog only this world's folders count."""
    found: list[FolderId] = []
    page = PageRequest(limit=2 if not caller.sees_workspace else 1000)
    while True:
        rows = unit.folders.list_page(caller, query, page)
        found.extend(folder.id for folder in rows.rows)
        if rows.after is None:
            return [folder_id for folder_id in found if folder_id in world.parent or not caller.sees_workspace]
        page = replace(page, after=rows.after)


def _in_order(world: World, folder_ids: Iterable[FolderId]) -> list[FolderId]:
    return sorted(folder_ids, key=lambda f: (world.name[f], f))


@_SETTINGS
@given(plan=plans())
def test_folder_lists__as_the_reference(catalog: SqlCatalog, plan: Plan) -> None:
    world = _made(catalog, plan)
    with catalog.read() as unit:
        for caller in _callers(unit, world):
            visible = [f for f in world.folders if world.sees(caller, f)]
            tops = [f for f in visible if world.shown_parent(caller, f) is None]
            assert _folder_list(unit, world, caller, FolderQuery()) == _in_order(world, tops)
            assert _folder_list(unit, world, caller, FolderQuery(is_recursive=True)) == _in_order(world, visible)
            for text in NAMES:
                found = _folder_list(unit, world, caller, FolderQuery(is_recursive=True, search=text.swapcase()))
                hits = [f for f in visible if text.lower() in world.name[f].lower()]
                assert found == _in_order(world, hits)
            for parent in visible:
                direct = [f for f in world.folders if world.parent[f] == parent]
                assert _folder_list(unit, world, caller, FolderQuery(parent)) == _in_order(world, direct)
                everything = _folder_list(unit, world, caller, FolderQuery(parent, is_recursive=True))
                assert everything == _in_order(world, world.below(parent))


@_SETTINGS
@given(plan=plans())
def test_folder_standings_and_paths__as_the_reference(catalog: SqlCatalog, plan: Plan) -> None:
    world = _made(catalog, plan)
    with catalog.read() as unit:
        for caller in _callers(unit, world):
            expected = {f: Standing(role=world.role(caller, f)) for f in world.folders}
            assert unit.folders.standings(caller, world.folders) == expected
            for folder_id, folder in unit.folders.get_many(caller, world.folders).items():
                assert folder.role == world.role(caller, folder_id)
                assert [element.id for element in folder.path] == world.path(caller, folder_id)
                parents = [element.parent_id for element in folder.path]
                assert parents == [None, *(element.id for element in folder.path)][: len(parents)]
                assert folder.parent_id == world.shown_parent(caller, folder_id)
                summary = unit.folders.summary(folder_id)
                assert summary.folders == sum(world.parent[f] == folder_id for f in world.folders)
                assert sum(summary.by_type.values()) == sum(world.home(i) == folder_id for i in world.items)


@_SETTINGS
@given(plan=plans())
def test_require_folder__as_the_reference(catalog: SqlCatalog, plan: Plan) -> None:
    world = _made(catalog, plan)
    with catalog.read() as unit:
        for caller in _callers(unit, world):
            for folder_id in world.folders:
                role = world.role(caller, folder_id)
                allowed = {
                    Action.READ: role is not None or caller.sees_workspace,
                    Action.WRITE: role is not None,
                    Action.ADMINISTER: role is Role.ADMIN,
                }
                assert {action: _may(unit, action, caller, folder_id) for action in Action} == allowed


def _may(unit: SqlUnit, action: Action, caller: Caller, folder_id: FolderId) -> bool:
    try:
        require_folder(unit, action, caller, folder_id)
    except NotPermitted:
        return False
    return True


@_SETTINGS
@given(plan=plans())
def test_items__as_the_reference(catalog: SqlCatalog, plan: Plan) -> None:
    world = _made(catalog, plan)
    with catalog.read() as unit:
        for caller in _callers(unit, world):
            readable = {i for i in world.items if world.reads(caller, i)}
            assert _item_list(unit, world, caller, ItemQuery(None)) == readable
            standings = unit.items.standings(caller, world.items)
            assert standings == {i: world.standing_of_item(caller, i) for i in world.items}
            assert {i for i in world.items if may(Action.READ, caller, standings[i])} == readable
            for folder_id in (f for f in world.folders if world.sees(caller, f)):
                direct = {i for i in world.items if world.home(i) == folder_id}
                assert _item_list(unit, world, caller, ItemQuery(folder_id)) == direct
                below = {i for i in world.items if world.home(i) in (folder_id, *world.below(folder_id))}
                assert _item_list(unit, world, caller, ItemQuery(folder_id, is_recursive=True)) == below


def _item_list(unit: SqlUnit, world: World, caller: Caller, query: ItemQuery) -> set[ItemId]:
    page = PageRequest(limit=2 if not caller.sees_workspace else 1000)
    found: list[ItemId] = []
    while True:
        rows = unit.items.list_page(caller, query, page)
        found.extend(item.id for item in rows.rows)
        if rows.after is None:
            break
        page = replace(page, after=rows.after)
    assert len(found) == len(set(found))
    return {i for i in found if i in world.items or not caller.sees_workspace}


@_SETTINGS
@given(plan=plans())
def test_item_use__shows_only_what_is_readable(catalog: SqlCatalog, plan: Plan) -> None:
    world = _made(catalog, plan)
    with catalog.read() as unit:
        for caller in _callers(unit, world):
            mine = world.subjects_of(caller)
            datasets = {d for d, s in world.plan.dataset_grants if world.subjects[s] in mine}
            for position, item_id in enumerate(world.items):
                use = unit.items.use(caller, item_id)
                groups = [g for g in world.parents_of(item_id) if world.reads(caller, g)]
                assert {group.id for group in use.groups} == set(groups)
                linked = {d for d, i in world.plan.links if i == position}
                shown = linked if caller.sees_workspace else linked & datasets
                assert {dataset.id for dataset in use.datasets} == {world.datasets[d] for d in shown}
