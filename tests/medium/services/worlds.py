"""Small random workspaces, and a naive reading of design section 4 to hold the catalog against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Integer, Table

from framedex.core.access import Caller, Role, Standing
from framedex.core.errors import InvalidArguments
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, GroupId, ItemId, UserId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import Group, MemberType, User, WorkspaceRole
from framedex.core.ports.catalog_items import NewItem
from framedex.stores.catalog.tables import data_rows, dataset_roles, datasets
from framedex.stores.catalog.unit_of_work import SqlUnit

USERS, GROUPS, DATASETS = 3, 2, 2
#: Subjects of grants: users first, then groups.
SUBJECTS = USERS + GROUPS
NAMES = ("a", "B", "ab", "b_", "Z%")


@dataclass(frozen=True)
class Plan:
    """What a workspace is made of; everything is named by its position.

    Attributes:
        parents: of each folder: an earlier folder or None.
        moves: folder and new parent, in order; those that would make a circle are refused.
        items: folder, and children among the earlier items.
        dead_group: deleted at the very end.
    """

    parents: Sequence[int | None]
    owners: Sequence[int]
    names: Sequence[str]
    memberships: frozenset[tuple[int, int]]
    grants: Sequence[tuple[int, int, Role]]
    moves: Sequence[tuple[int, int | None]]
    items: Sequence[tuple[int, frozenset[int]]]
    dataset_grants: frozenset[tuple[int, int]]
    links: frozenset[tuple[int, int]]
    dead_group: int | None


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    size = draw(st.integers(1, 7))
    folder = st.integers(0, size - 1)
    parents = [draw(st.none() | st.integers(0, i - 1)) if i else None for i in range(size)]
    homes = draw(st.lists(folder, max_size=6))
    items = [
        (home, draw(st.frozensets(st.integers(0, i - 1), max_size=3)) if i else frozenset())
        for i, home in enumerate(homes)
    ]
    linked = st.tuples(st.integers(0, DATASETS - 1), st.integers(0, max(0, len(items) - 1)))
    return Plan(
        parents=parents,
        owners=draw(st.lists(st.integers(0, USERS - 1), min_size=size, max_size=size)),
        names=draw(st.lists(st.sampled_from(NAMES), min_size=size, max_size=size)),
        memberships=draw(st.frozensets(st.tuples(st.integers(0, GROUPS - 1), st.integers(0, USERS - 1)), max_size=4)),
        grants=draw(st.lists(st.tuples(folder, st.integers(0, SUBJECTS - 1), st.sampled_from(Role)), max_size=5)),
        moves=draw(st.lists(st.tuples(folder, st.none() | folder), max_size=3)),
        items=items,
        dataset_grants=draw(
            st.frozensets(st.tuples(st.integers(0, DATASETS - 1), st.integers(0, SUBJECTS - 1)), max_size=3)
        ),
        links=draw(st.frozensets(linked, max_size=4)) if items else frozenset(),
        dead_group=draw(st.none() | st.integers(0, GROUPS - 1)),
    )


@dataclass
class World:
    """A plan, made: ids by position, and the naive state that the reference reads."""

    plan: Plan
    subjects: list[str]
    folders: list[FolderId]
    items: list[ItemId]
    datasets: list[str]
    parent: dict[FolderId, FolderId | None] = field(default_factory=dict)
    name: dict[FolderId, str] = field(default_factory=dict)
    roles: dict[tuple[FolderId, str], Role] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ the reference

    def subjects_of(self, caller: Caller) -> set[str]:
        user = self.subjects.index(caller.user_id)
        groups = {g for g, u in self.plan.memberships if u == user and g != self.plan.dead_group}
        return {caller.user_id, *(self.subjects[USERS + g] for g in groups)}

    def above(self, folder_id: FolderId) -> list[FolderId]:
        """The folder, its parent, and so on to the top."""
        parent = self.parent[folder_id]
        return [folder_id] if parent is None else [folder_id, *self.above(parent)]

    def role(self, caller: Caller, folder_id: FolderId) -> Role | None:
        mine = self.subjects_of(caller)
        held = {role for (f, s), role in self.roles.items() if f in self.above(folder_id) and s in mine}
        return Role.ADMIN if Role.ADMIN in held else (Role.USER if held else None)

    def sees(self, caller: Caller, folder_id: FolderId) -> bool:
        return caller.sees_workspace or self.role(caller, folder_id) is not None

    def path(self, caller: Caller, folder_id: FolderId) -> list[FolderId]:
        """Visible ancestors from the top."""
        return [f for f in reversed(self.above(folder_id)[1:]) if self.sees(caller, f)]

    def shown_parent(self, caller: Caller, folder_id: FolderId) -> FolderId | None:
        parent = self.parent[folder_id]
        return parent if parent is not None and self.sees(caller, parent) else None

    def below(self, folder_id: FolderId) -> list[FolderId]:
        return [f for f in self.folders if folder_id in self.above(f)[1:]]

    def home(self, item_id: ItemId) -> FolderId:
        return self.folders[self.plan.items[self.items.index(item_id)][0]]

    def parents_of(self, item_id: ItemId) -> list[ItemId]:
        position = self.items.index(item_id)
        return [self.items[i] for i, (_, children) in enumerate(self.plan.items) if position in children]

    def is_linked(self, caller: Caller, item_id: ItemId) -> bool:
        mine = self.subjects_of(caller)
        readable = {d for d, s in self.plan.dataset_grants if self.subjects[s] in mine}
        reached = {self.items[i] for d, i in self.plan.links if d in readable}
        return bool(reached & {item_id, *self.parents_of(item_id)})

    def reads(self, caller: Caller, item_id: ItemId) -> bool:
        return self.sees(caller, self.home(item_id)) or self.is_linked(caller, item_id)

    def standing_of_item(self, caller: Caller, item_id: ItemId) -> Standing:
        role = self.role(caller, self.home(item_id))
        return Standing(role=role, is_linked=role is None and self.is_linked(caller, item_id))


def build(unit: SqlUnit, plan: Plan) -> World:
    """Makes the workspace in a catalog, with fresh ids, so that many may share one."""
    ticks = count(1)
    world = World(
        plan=plan,
        subjects=[new_id() for _ in range(SUBJECTS)],
        folders=[FolderId(new_id()) for _ in plan.parents],
        items=[ItemId(new_id()) for _ in plan.items],
        datasets=[new_id() for _ in range(DATASETS)],
    )
    _add_people(unit, world)
    _add_folders(unit, world, ticks)
    _add_items(unit, world)
    _add_datasets(unit, world)
    _move(unit, world)
    if plan.dead_group is not None:
        group_id = world.subjects[USERS + plan.dead_group]
        unit.people.delete_group(GroupId(group_id))
        world.roles = {key: role for key, role in world.roles.items() if key[1] != group_id}
    return world


def _add_people(unit: SqlUnit, world: World) -> None:
    for subject in world.subjects[:USERS]:
        email = f"{subject}@example.org"
        unit.people.add_user(User(UserId(subject), email, WorkspaceRole.MEMBER, MemberType.INTERNAL, True, 1, 1))
    for subject in world.subjects[USERS:]:
        unit.people.add_group(Group(GroupId(subject), "group", "", 1))
    for group, user in world.plan.memberships:
        unit.people.add_members(GroupId(world.subjects[USERS + group]), [UserId(world.subjects[user])])


def _add_folders(unit: SqlUnit, world: World, ticks: Iterator[int]) -> None:
    plan = world.plan
    for folder_id, parent, owner, name in zip(world.folders, plan.parents, plan.owners, plan.names, strict=True):
        parent_id = None if parent is None else world.folders[parent]
        user_id = UserId(world.subjects[owner])
        unit.folders.add(NewFolder(folder_id, parent_id, name, user_id, next(ticks)))
        world.parent[folder_id], world.name[folder_id] = parent_id, name
        world.roles[folder_id, user_id] = Role.ADMIN
    for folder, subject, role in plan.grants:
        unit.folders.set_role(world.folders[folder], world.subjects[subject], role)
        world.roles[world.folders[folder], world.subjects[subject]] = role


def _add_items(unit: SqlUnit, world: World) -> None:
    owner, facts = UserId(world.subjects[0]), MediaFacts(file_size=7)
    for item_id, (folder, children) in zip(world.items, world.plan.items, strict=True):
        kind = ItemType.GROUP if children else ItemType.IMAGE
        below = tuple(world.items[c] for c in sorted(children))
        new = NewItem(item_id, world.folders[folder], kind, item_id, owner, facts, children=below)
        unit.items.add_many([new], user_id=owner, now_us=1)


def _add_datasets(unit: SqlUnit, world: World) -> None:
    for dataset_id in world.datasets:
        _insert(unit, datasets, id=dataset_id)
    for dataset, subject in world.plan.dataset_grants:
        _insert(
            unit, dataset_roles, dataset_id=world.datasets[dataset], subject_id=world.subjects[subject], role="user"
        )
    for dataset, item in world.plan.links:
        _insert(unit, data_rows, id=new_id(), dataset_id=world.datasets[dataset], item_id=world.items[item])


def _insert(unit: SqlUnit, table: Table, **values: str) -> None:
    """A row with these values; what else the table asks for does not matter to rights."""
    blank = {
        column.name: 0 if isinstance(column.type, BigInteger | Integer | Boolean) else ""
        for column in table.columns
        if not column.nullable
    }
    unit.connection.execute(table.insert().values(blank | values))


def _move(unit: SqlUnit, world: World) -> None:
    for folder, target in world.plan.moves:
        folder_id, parent_id = world.folders[folder], None if target is None else world.folders[target]
        is_circle = parent_id is not None and folder_id in world.above(parent_id)
        try:
            unit.folders.move(folder_id, parent_id, 2)
        except InvalidArguments:
            assert is_circle
            continue
        assert not is_circle
        world.parent[folder_id] = parent_id
