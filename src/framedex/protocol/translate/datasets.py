"""Datasets on the wire, in both dialects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framedex.core.access import Role
from framedex.core.clock import parse_instant, to_iso
from framedex.core.datasets import Dataset, DatasetQuery
from framedex.core.errors import InvalidArguments
from framedex.core.folders import MAX_NAME
from framedex.core.ids import DatasetId
from framedex.core.people import Group
from framedex.protocol.dto.datasets import ListDatasetsIn
from framedex.protocol.translate.jobs import json_list_chunks

#: `DatasetUserRole`.
_ROLES = {0: Role.ADMIN, 1: Role.USER}
_NUMBERS = {role: number for number, role in _ROLES.items()}

#: `StorageLocation` of a dataset: its rows may lie anywhere, and each says where.
_CORD_STORAGE = 0


def dataset_role(number: int, *, path: str) -> Role:
    """The role that a number of the SDK stands for.

    Raises:
        InvalidArguments: none.
    """
    role = _ROLES.get(number)
    if role is None:
        raise InvalidArguments(f"{number} is not a role on datasets; use 0 (ADMIN) or 1 (USER)", path=path)
    return role


def role_number(role: Role) -> int:
    """`DatasetUserRole` of a role."""
    return _NUMBERS[role]


def dataset_query(dto: ListDatasetsIn) -> DatasetQuery:
    """Which datasets `datasets/list` asks for."""
    return DatasetQuery(
        title_eq=dto.title_eq,
        title_like=like_pattern(dto.title_like, "titleLike"),
        description_eq=dto.description_eq,
        description_like=like_pattern(dto.description_like, "descriptionLike"),
        created_before=instant(dto.created_before, "createdBefore"),
        created_after=instant(dto.created_after, "createdAfter"),
        edited_before=instant(dto.edited_before, "editedBefore"),
        edited_after=instant(dto.edited_after, "editedAfter"),
    )


def like_pattern(text: str | None, path: str) -> str | None:
    """An optional pattern of SQL LIKE, whose escape is the backslash.

    Raises:
        InvalidArguments: longer than any name, or with a backslash at its end that escapes nothing.
    """
    if text is None:
        return None
    if len(text) > MAX_NAME:
        raise InvalidArguments(f"a pattern may have at most {MAX_NAME} characters; this has {len(text)}", path=path)
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise InvalidArguments("the backslash at the end of this pattern escapes nothing; double it", path=path)
    return text


def instant(text: str | None, path: str) -> int | None:
    """An optional datetime; without a zone it is UTC."""
    return None if text is None else parse_instant(text, path=path)


def dataset_list_chunks(datasets: Iterable[Dataset]) -> Iterator[bytes]:
    """`DatasetsWithUserRolesListResponse`: under `result`, unpaged, so in pieces."""
    yield b'{"result":['
    yield from json_list_chunks(_listed(dataset) for dataset in datasets)
    yield b"]}"


def _listed(dataset: Dataset) -> dict[str, object]:
    """`DatasetWithUserRole`."""
    return {
        "datasetUuid": dataset.id,
        "title": dataset.title,
        "description": dataset.description,
        "createdAt": to_iso(dataset.created_at),
        "lastEditedAt": to_iso(dataset.edited_at),
        "userRole": None if dataset.role is None else dataset.role.value,
        "storageLocation": _CORD_STORAGE,
        "backingFolderUuid": dataset.backing_folder_id,
    }


def dataset_v1_out(dataset: Dataset) -> dict[str, object]:
    """The dataset of v1, without its rows."""
    return {
        "dataset_hash": dataset.id,
        "title": dataset.title,
        "description": dataset.description,
        "dataset_type": "CORD_STORAGE",
        "backing_folder_uuid": dataset.backing_folder_id,
    }


def dataset_user_out(dataset_id: DatasetId, email: str, role: Role) -> dict[str, object]:
    """`_PublicDatasetUser`."""
    return {"datasetUuid": dataset_id, "userEmail": email, "userRole": role_number(role)}


def dataset_group_out(group: Group, role: Role) -> dict[str, object]:
    """`DatasetGroup`."""
    return {
        "groupHash": group.id,
        "name": group.name,
        "description": group.description,
        "createdAt": to_iso(group.created_at),
        "isSameOrganisation": True,
        "userRole": role_number(role),
    }
