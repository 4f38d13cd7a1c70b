"""Requests about datasets in v2."""

from __future__ import annotations

import msgspec


class CreateDatasetIn(msgspec.Struct, rename="camel", frozen=True):
    """`legacy_call` only says which call of the SDK was used."""

    title: str
    description: str | None = None
    create_backing_folder: bool = True
    legacy_call: bool = False


class ListDatasetsIn(msgspec.Struct, rename="camel", frozen=True):
    title_eq: str | None = None
    title_like: str | None = None
    description_eq: str | None = None
    description_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    edited_before: str | None = None
    edited_after: str | None = None


class DatasetGroupsIn(msgspec.Struct, rename="camel", frozen=True):
    """Roles on datasets are numbers: 0 ADMIN, 1 USER."""

    group_hash_list: list[str]
    user_role: int
