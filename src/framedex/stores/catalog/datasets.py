"""Datasets in SQL: what they are, who has a role on them, and (`data_rows`) what they link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller, Role, Standing
from framedex.core.datasets import Dataset, DatasetQuery, NewDataset
from framedex.core.ids import DatasetId, FolderId, GroupId, UserId
from framedex.core.people import Group, MemberType, User, WorkspaceRole
from framedex.stores.catalog.access_sql import dataset_role_of, role_of_rank, visible_dataset_ids
from framedex.stores.catalog.data_rows import SqlDataRows
from framedex.stores.catalog.tables import dataset_roles, datasets, groups, users

_COLUMNS = (
    datasets.c.id,
    datasets.c.title,
    datasets.c.description,
    datasets.c.backing_folder_id,
    datasets.c.created_at,
    datasets.c.edited_at,
)


class SqlDatasets(SqlDataRows):
    """The `DatasetWrites` port."""

    def standing(self, caller: Caller, dataset_id: DatasetId) -> Standing | None:
        dataset = self.get(caller, dataset_id)
        return None if dataset is None else Standing(role=dataset.role)

    def get(self, caller: Caller, dataset_id: DatasetId) -> Dataset | None:
        row = self._connection.execute(_select(caller).where(datasets.c.id == dataset_id)).one_or_none()
        return None if row is None else _dataset(row)

    def list_after(self, caller: Caller, query: DatasetQuery, after: DatasetId | None, limit: int) -> Sequence[Dataset]:
        statement = _select(caller)
        for condition in _conditions(query):
            statement = statement.where(condition)
        if not caller.sees_workspace:
            statement = statement.where(datasets.c.id.in_(visible_dataset_ids(caller)))
        if after is not None:
            statement = statement.where(datasets.c.id > after)
        return [_dataset(r) for r in self._connection.execute(statement.order_by(datasets.c.id).limit(limit))]

    def user_roles(self, dataset_id: DatasetId) -> Sequence[tuple[User, Role]]:
        columns = (
            users.c.id,
            users.c.email,
            users.c.role,
            users.c.member_type,
            users.c.is_active,
            users.c.created_at,
            users.c.edited_at,
            dataset_roles.c.role,
        )
        query = (
            sa.select(*columns)
            .join(dataset_roles, dataset_roles.c.subject_id == users.c.id)
            .where(dataset_roles.c.dataset_id == dataset_id, users.c.is_active)
            .order_by(users.c.email)
        )
        return [
            (User(r[0], r[1], WorkspaceRole(r[2]), MemberType(r[3]), r[4], r[5], r[6]), Role(r[7]))
            for r in self._connection.execute(query)
        ]

    def group_roles(self, dataset_id: DatasetId) -> Sequence[tuple[Group, Role]]:
        query = (
            sa.select(groups.c.id, groups.c.name, groups.c.description, groups.c.created_at, dataset_roles.c.role)
            .join(dataset_roles, dataset_roles.c.subject_id == groups.c.id)
            .where(dataset_roles.c.dataset_id == dataset_id)
            .order_by(groups.c.name, groups.c.id)
        )
        return [(Group(*row[:4]), Role(row[4])) for row in self._connection.execute(query)]

    def add(self, dataset: NewDataset) -> None:
        values = {
            "id": dataset.id,
            "title": dataset.title,
            "description": dataset.description,
            "owner_id": dataset.owner_id,
            "backing_folder_id": dataset.backing_folder_id,
            "created_at": dataset.created_at,
            "edited_at": dataset.created_at,
        }
        self._connection.execute(sa.insert(datasets).values(values))
        self.set_role(dataset.id, dataset.owner_id, Role.ADMIN)

    def set_role(self, dataset_id: DatasetId, subject_id: UserId | GroupId, role: Role) -> None:
        key = sa.and_(dataset_roles.c.dataset_id == dataset_id, dataset_roles.c.subject_id == subject_id)
        self._connection.execute(sa.delete(dataset_roles).where(key))
        values = {"dataset_id": dataset_id, "subject_id": subject_id, "role": role.value}
        self._connection.execute(sa.insert(dataset_roles).values(values))

    def remove_roles(self, dataset_id: DatasetId, subject_ids: Sequence[UserId] | Sequence[GroupId]) -> None:
        gone = sa.and_(dataset_roles.c.dataset_id == dataset_id, dataset_roles.c.subject_id.in_(subject_ids))
        self._connection.execute(sa.delete(dataset_roles).where(gone))

    def detach_folders(self, folder_ids: Sequence[FolderId]) -> Sequence[DatasetId]:
        mirrored = datasets.c.backing_folder_id.in_(folder_ids)
        found = [DatasetId(row[0]) for row in self._connection.execute(sa.select(datasets.c.id).where(mirrored))]
        if found:
            self._connection.execute(sa.update(datasets).where(mirrored).values(backing_folder_id=None))
        return found


def _select(caller: Caller) -> sa.Select[Any]:
    return sa.select(*_COLUMNS, dataset_role_of(caller, datasets.c.id))


def _dataset(row: Sequence[Any]) -> Dataset:
    return Dataset(row[0], row[1], row[2], row[3], row[4], row[5], role_of_rank(row[6]))


def _conditions(query: DatasetQuery) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    for column, equal, like in (
        (datasets.c.title, query.title_eq, query.title_like),
        (datasets.c.description, query.description_eq, query.description_like),
    ):
        if equal is not None:
            conditions.append(column == equal)
        if like is not None:
            conditions.append(column.like(like, escape="\\"))
    for instant, before, after in (
        (datasets.c.created_at, query.created_before, query.created_after),
        (datasets.c.edited_at, query.edited_before, query.edited_after),
    ):
        if before is not None:
            conditions.append(instant < before)
        if after is not None:
            conditions.append(instant > after)
    return conditions
