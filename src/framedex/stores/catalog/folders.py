"""Folders in SQL: a parent column for the tree people see, a closure table for everything that asks about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller, Role, Standing
from framedex.core.chunks import chunks
from framedex.core.errors import InvalidArguments
from framedex.core.folders import Folder, FolderPatch, FolderQuery, FolderType, NewFolder, PathElement
from framedex.core.ids import DatasetId, FolderId, GroupId, IntegrationId, UserId
from framedex.core.items import FolderSummary
from framedex.core.jobs import RUNNING_STATES
from framedex.core.media_types import ItemType
from framedex.core.paging import Page, PageRequest, SortBy
from framedex.core.people import Group
from framedex.stores.catalog.access_sql import folder_role_of, role_of_rank, visible_folder_ids
from framedex.stores.catalog.driver_sql import run_many
from framedex.stores.catalog.paging_sql import escaped_substring, paged
from framedex.stores.catalog.tables import (
    datasets,
    folder_roles,
    folder_tags,
    folder_tree,
    folders,
    groups,
    items,
    jobs,
    organisation_tags,
    synced_objects,
    users,
)

_COLUMNS = (
    folders.c.id,
    folders.c.parent_id,
    folders.c.name,
    folders.c.description,
    folders.c.metadata,
    folders.c.owner_id,
    users.c.email,
    folders.c.created_at,
    folders.c.edited_at,
    folders.c.folder_type,
    folders.c.integration_id,
    folders.c.remote_url,
    folders.c.dataset_id,
)


class SqlFolders:
    """The `FolderWrites` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def standing(self, caller: Caller, folder_id: FolderId) -> Standing | None:
        return self.standings(caller, [folder_id]).get(folder_id)

    def standings(self, caller: Caller, folder_ids: Sequence[FolderId]) -> Mapping[FolderId, Standing]:
        query = sa.select(folders.c.id, folder_role_of(caller, folders.c.id)).where(folders.c.id.in_(folder_ids))
        return {FolderId(row[0]): Standing(role=role_of_rank(row[1])) for row in self._connection.execute(query)}

    def get(self, caller: Caller, folder_id: FolderId) -> Folder | None:
        return self.get_many(caller, [folder_id]).get(folder_id)

    def get_many(self, caller: Caller, folder_ids: Sequence[FolderId]) -> Mapping[FolderId, Folder]:
        found = self._load(caller, _select(caller).where(folders.c.id.in_(folder_ids)))
        return {folder.id: folder for folder in found}

    def list_page(self, caller: Caller, query: FolderQuery, page: PageRequest) -> Page[Folder]:
        value = folders.c.name if page.sort_by is SortBy.NAME else folders.c.created_at
        statement = _select(caller)
        for condition in self._conditions(caller, query):
            statement = statement.where(condition)
        rows = self._load(caller, paged(statement, page, value, folders.c.id))
        if len(rows) <= page.limit:
            return Page(rows, None)
        last = rows[page.limit - 1]
        return Page(rows[: page.limit], (last.name if page.sort_by is SortBy.NAME else last.created_at, last.id))

    def _conditions(self, caller: Caller, query: FolderQuery) -> list[sa.ColumnElement[bool]]:
        conditions: list[sa.ColumnElement[bool]] = []
        if not caller.sees_workspace:
            conditions.append(folders.c.id.in_(visible_folder_ids(caller)))
        if query.parent_id or not query.is_recursive:
            conditions.append(_place(caller, query))
        if query.search:
            conditions.append(folders.c.name_lower.like(escaped_substring(query.search.lower()), escape="\\"))
        if query.dataset_synced is not None:
            is_synced = folders.c.dataset_id.is_not(None)
            conditions.append(is_synced if query.dataset_synced else ~is_synced)
        conditions.extend(_has_tag(name) for name in query.tag_names)
        return conditions

    def _load(self, caller: Caller, query: sa.Select[Any]) -> list[Folder]:
        rows = self._connection.execute(query).all()
        paths = self._paths(caller, [row[0] for row in rows])
        return [_folder(row, paths.get(row[0], ())) for row in rows]

    def _paths(self, caller: Caller, folder_ids: Sequence[str]) -> dict[str, list[PathElement]]:
        """Readable ancestors of each folder, top first. The parent of the topmost is hidden with all above it."""
        parent = folders.alias("ancestor")
        query = (
            sa.select(folder_tree.c.descendant_id, parent.c.id, parent.c.parent_id, parent.c.name, parent.c.dataset_id)
            .join(parent, parent.c.id == folder_tree.c.ancestor_id)
            .where(folder_tree.c.descendant_id.in_(folder_ids), folder_tree.c.depth > 0)
            .order_by(folder_tree.c.depth.desc())
        )
        if not caller.sees_workspace:
            query = query.where(parent.c.id.in_(visible_folder_ids(caller)))
        paths: dict[str, list[PathElement]] = {}
        for below, ancestor_id, parent_id, name, dataset_id in self._connection.execute(query):
            path = paths.setdefault(below, [])
            path.append(PathElement(ancestor_id, parent_id if path else None, name, dataset_id))
        return paths

    def top_level(self, folder_id: FolderId) -> FolderId | None:
        query = (
            sa.select(folder_tree.c.ancestor_id)
            .where(folder_tree.c.descendant_id == folder_id)
            .order_by(folder_tree.c.depth.desc())
            .limit(1)
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else FolderId(found)

    def descendants(self, folder_id: FolderId) -> Sequence[FolderId]:
        query = (
            sa.select(folder_tree.c.descendant_id)
            .where(folder_tree.c.ancestor_id == folder_id)
            .order_by(folder_tree.c.depth, folder_tree.c.descendant_id)
        )
        return [FolderId(row[0]) for row in self._connection.execute(query)]

    def summary(self, folder_id: FolderId) -> FolderSummary:
        by_type = sa.select(
            items.c.item_type,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(items.c.file_size), 0),
            sa.func.sum(sa.case((items.c.is_tombstone, 1), else_=0)),
        )
        rows = self._connection.execute(by_type.where(items.c.folder_id == folder_id).group_by(items.c.item_type)).all()
        below = sa.select(sa.func.count()).where(folders.c.parent_id == folder_id)
        running = [state.value for state in RUNNING_STATES]
        open_jobs = sa.select(sa.func.count()).where(jobs.c.folder_id == folder_id, jobs.c.state.in_(running))
        return FolderSummary(
            folders=self._connection.execute(below).scalar_one(),
            by_type={ItemType(row[0]): row[1] for row in rows},
            tombstones=sum(int(row[3]) for row in rows),
            upload_jobs=self._connection.execute(open_jobs).scalar_one(),
            total_size=sum(int(row[2]) for row in rows),
        )

    def config(self, folder_id: FolderId) -> str:
        return str(self._connection.execute(sa.select(folders.c.config).where(folders.c.id == folder_id)).scalar_one())

    def group_roles(self, folder_id: FolderId) -> Sequence[tuple[Group, Role]]:
        query = (
            sa.select(groups.c.id, groups.c.name, groups.c.description, groups.c.created_at, folder_roles.c.role)
            .join(folder_roles, folder_roles.c.subject_id == groups.c.id)
            .where(folder_roles.c.folder_id == folder_id)
            .order_by(groups.c.name, groups.c.id)
        )
        return [(Group(*row[:4]), Role(row[4])) for row in self._connection.execute(query)]

    def add(self, folder: NewFolder) -> None:
        self._connection.execute(sa.insert(folders).values(_row(folder)))
        above = sa.select(folder_tree.c.ancestor_id, sa.literal(folder.id), folder_tree.c.depth + 1).where(
            folder_tree.c.descendant_id == folder.parent_id
        )
        columns = ["ancestor_id", "descendant_id", "depth"]
        self._connection.execute(sa.insert(folder_tree).from_select(columns, above))
        self._connection.execute(sa.insert(folder_tree).values(ancestor_id=folder.id, descendant_id=folder.id, depth=0))
        self.set_role(folder.id, folder.owner_id, Role.ADMIN)

    def patch(self, folder_id: FolderId, patch: FolderPatch, now_us: int) -> None:
        changes: dict[str, object] = {"edited_at": now_us}
        if patch.name is not None:
            changes |= {"name": patch.name, "name_lower": patch.name.lower()}
        if patch.description is not None:
            changes["description"] = patch.description
        if patch.metadata is not None:
            changes["metadata"] = patch.metadata
        self._connection.execute(sa.update(folders).where(folders.c.id == folder_id).values(changes))

    def move(self, folder_id: FolderId, parent_id: FolderId | None, now_us: int) -> None:
        tree = folder_tree
        moved = tree.alias("moved")
        below = sa.select(moved.c.descendant_id).where(moved.c.ancestor_id == folder_id)
        if parent_id is not None and self._connection.execute(below.where(moved.c.descendant_id == parent_id)).first():
            raise InvalidArguments("a folder cannot be moved into itself or into a folder below it")
        outside = sa.and_(tree.c.descendant_id.in_(below), tree.c.ancestor_id.not_in(below))
        self._connection.execute(sa.delete(tree).where(outside))
        upper, lower = tree.alias("upper"), tree.alias("lower")
        crossed = (
            sa.select(upper.c.ancestor_id, lower.c.descendant_id, upper.c.depth + lower.c.depth + 1)
            .select_from(upper.join(lower, sa.true()))
            .where(upper.c.descendant_id == parent_id, lower.c.ancestor_id == folder_id)
        )
        self._connection.execute(sa.insert(tree).from_select(["ancestor_id", "descendant_id", "depth"], crossed))
        change = sa.update(folders).where(folders.c.id == folder_id).values(parent_id=parent_id, edited_at=now_us)
        self._connection.execute(change)

    def delete(self, folder_ids: Sequence[FolderId]) -> None:
        for chunk in chunks(folder_ids):
            self._delete_what_hangs_on(chunk)
        gone = [(folder_id,) for folder_id in reversed(folder_ids)]
        run_many(self._connection, "DELETE FROM folders WHERE id = ?", gone)

    def _delete_what_hangs_on(self, folder_ids: Sequence[FolderId]) -> None:
        self._connection.execute(sa.delete(folder_roles).where(folder_roles.c.folder_id.in_(folder_ids)))
        self._connection.execute(sa.delete(folder_tags).where(folder_tags.c.folder_id.in_(folder_ids)))
        self._connection.execute(sa.delete(folder_tree).where(folder_tree.c.descendant_id.in_(folder_ids)))
        self._connection.execute(sa.delete(synced_objects).where(synced_objects.c.folder_id.in_(folder_ids)))
        backed = sa.update(datasets).where(datasets.c.backing_folder_id.in_(folder_ids))
        self._connection.execute(backed.values(backing_folder_id=None))

    def set_config(self, folder_id: FolderId, text: str) -> None:
        self._connection.execute(sa.update(folders).where(folders.c.id == folder_id).values(config=text))

    def set_role(self, folder_id: FolderId, subject_id: str, role: Role) -> None:
        key = sa.and_(folder_roles.c.folder_id == folder_id, folder_roles.c.subject_id == subject_id)
        self._connection.execute(sa.delete(folder_roles).where(key))
        values = {"folder_id": folder_id, "subject_id": subject_id, "role": role.value}
        self._connection.execute(sa.insert(folder_roles).values(values))

    def remove_roles(self, folder_id: FolderId, subject_ids: Sequence[GroupId]) -> int:
        # Groups alone: whoever takes a group's role away must not be able to name a user's id instead.
        gone = folder_roles.c.subject_id.in_(sa.select(groups.c.id).where(groups.c.id.in_(subject_ids)))
        return self._connection.execute(
            sa.delete(folder_roles).where(folder_roles.c.folder_id == folder_id, gone)
        ).rowcount


def _select(caller: Caller) -> sa.Select[Any]:
    owner = folders.join(users, users.c.id == folders.c.owner_id)
    return sa.select(*_COLUMNS, folder_role_of(caller, folders.c.id)).select_from(owner)


def _folder(row: Sequence[Any], path: Sequence[PathElement]) -> Folder:
    return Folder(
        id=FolderId(row[0]),
        # A role reaches all below, so behind a hidden parent the whole path is hidden: there is no parent to see.
        parent_id=FolderId(row[1]) if path else None,
        name=row[2],
        description=row[3],
        metadata=row[4],
        owner_id=UserId(row[5]),
        owner=row[6],
        created_at=row[7],
        edited_at=row[8],
        folder_type=FolderType(row[9]),
        integration_id=None if row[10] is None else IntegrationId(row[10]),
        remote_url=row[11],
        dataset_id=None if row[12] is None else DatasetId(row[12]),
        role=role_of_rank(row[13]),
        path=tuple(path),
    )


def _row(folder: NewFolder) -> dict[str, object]:
    return {
        "id": folder.id,
        "parent_id": folder.parent_id,
        "name": folder.name,
        "name_lower": folder.name.lower(),
        "description": folder.description,
        "metadata": folder.metadata,
        "owner_id": folder.owner_id,
        "created_at": folder.created_at,
        "edited_at": folder.created_at,
        "folder_type": folder.folder_type.value,
        "integration_id": folder.integration_id,
        "remote_url": folder.remote_url,
        "dataset_id": folder.dataset_id,
        "config": "{}",
        "has_repeats": False,
    }


def _place(caller: Caller, query: FolderQuery) -> sa.ColumnElement[bool]:
    if query.parent_id is None:
        is_top = folders.c.parent_id.is_(None)
        # A shared folder below a hidden one has no visible parent: it stands at the top of what this caller sees.
        return (
            is_top if caller.sees_workspace else sa.or_(is_top, folders.c.parent_id.not_in(visible_folder_ids(caller)))
        )
    if query.is_recursive:
        below = sa.select(folder_tree.c.descendant_id).where(
            folder_tree.c.ancestor_id == query.parent_id, folder_tree.c.depth > 0
        )
        return folders.c.id.in_(below)
    return folders.c.parent_id == query.parent_id


def _has_tag(name: str) -> sa.ColumnElement[bool]:
    tagged = (
        sa.select(folder_tags.c.folder_id)
        .join(organisation_tags, organisation_tags.c.id == folder_tags.c.tag_id)
        .where(organisation_tags.c.name == name)
    )
    return folders.c.id.in_(tagged)
