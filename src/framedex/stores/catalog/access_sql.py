"""The rule of `core.access` as SQL: the one predicate of this store."""

from __future__ import annotations

import sqlalchemy as sa

from framedex.core.access import Caller, Role
from framedex.stores.catalog.tables import data_rows, dataset_roles, folder_roles, folder_tree, item_children

_ADMIN_FIRST = sa.case((folder_roles.c.role == Role.ADMIN.value, 1), else_=0)


def visible_folder_ids(caller: Caller) -> sa.Select[tuple[str]]:
    """Folders with a role for the caller on themselves or an ancestor."""
    return (
        sa.select(folder_tree.c.descendant_id)
        .join(folder_roles, folder_roles.c.folder_id == folder_tree.c.ancestor_id)
        .where(folder_roles.c.subject_id.in_(caller.subjects))
    )


def folder_role_of(caller: Caller, folder_id: sa.ColumnElement[str]) -> sa.ScalarSelect[int | None]:
    """2 for ADMIN, 1 for USER, NULL for no role: the best on the folder or an ancestor."""
    return (
        sa.select(sa.func.max(1 + _ADMIN_FIRST))
        .select_from(folder_tree.join(folder_roles, folder_roles.c.folder_id == folder_tree.c.ancestor_id))
        .where(folder_tree.c.descendant_id == folder_id, folder_roles.c.subject_id.in_(caller.subjects))
        .scalar_subquery()
    )


def role_of_rank(rank: int | None) -> Role | None:
    if rank is None:
        return None
    return Role.ADMIN if rank == 2 else Role.USER


def dataset_role_of(caller: Caller, dataset_id: sa.ColumnElement[str]) -> sa.ScalarSelect[int | None]:
    """2 for ADMIN, 1 for USER, NULL for no role."""
    is_admin = sa.case((dataset_roles.c.role == Role.ADMIN.value, 1), else_=0)
    return (
        sa.select(sa.func.max(1 + is_admin))
        .where(dataset_roles.c.dataset_id == dataset_id, dataset_roles.c.subject_id.in_(caller.subjects))
        .scalar_subquery()
    )


def visible_dataset_ids(caller: Caller) -> sa.Select[tuple[str]]:
    return sa.select(dataset_roles.c.dataset_id).where(dataset_roles.c.subject_id.in_(caller.subjects))


def item_is_linked(caller: Caller, item_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a dataset of the caller links the item of a row, or a parent of it.

    Asked row by row: as a list, what a dataset of 200,000 rows links would be put together anew for every question.
    """
    readable = data_rows.join(dataset_roles, dataset_roles.c.dataset_id == data_rows.c.dataset_id)
    mine = dataset_roles.c.subject_id.in_(caller.subjects)
    itself = sa.select(sa.literal(1)).select_from(readable).where(data_rows.c.item_id == item_id, mine)
    through_parent = (
        sa.select(sa.literal(1))
        .select_from(item_children.join(readable, data_rows.c.item_id == item_children.c.parent_id))
        .where(item_children.c.child_id == item_id, mine)
    )
    return sa.or_(sa.exists(itself), sa.exists(through_parent))


def item_is_visible(
    caller: Caller, folder_id: sa.ColumnElement[str], item_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Whether the caller may read the item of a row."""
    if caller.sees_workspace:
        return sa.true()
    return sa.or_(folder_id.in_(visible_folder_ids(caller)), item_is_linked(caller, item_id))
