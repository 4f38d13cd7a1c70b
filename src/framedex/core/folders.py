"""Folders: a forest that items live in and roles are given on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from framedex.core.access import Role
from framedex.core.errors import InvalidArguments
from framedex.core.ids import DatasetId, FolderId, IntegrationId, UserId

MAX_NAME = 1000


class FolderType(StrEnum):
    GENERIC = "generic"
    CLOUD_LINKED = "cloudLinked"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class PathElement:
    id: FolderId
    parent_id: FolderId | None
    name: str
    dataset_id: DatasetId | None


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as a caller sees it.

    Attributes:
        metadata: exact JSON text, or None.
        owner: email.
        role: the caller's best role here; None when only `includeOrgAccess` shows it.
        parent_id: None also where the caller may not read the parent: the folder stands at the top of what they see.
        path: from the top-level folder down to this one's parent; only folders that the caller may read.
        created_at: microseconds since 1970 UTC, as all instants.
    """

    id: FolderId
    parent_id: FolderId | None
    name: str
    description: str
    metadata: str | None
    owner_id: UserId
    owner: str
    created_at: int
    edited_at: int
    folder_type: FolderType
    integration_id: IntegrationId | None
    remote_url: str | None
    dataset_id: DatasetId | None
    role: Role | None = None
    path: Sequence[PathElement] = ()


@dataclass(frozen=True, slots=True)
class NewFolder:
    id: FolderId
    parent_id: FolderId | None
    name: str
    owner_id: UserId
    created_at: int
    description: str = ""
    metadata: str | None = None
    folder_type: FolderType = FolderType.GENERIC
    integration_id: IntegrationId | None = None
    remote_url: str | None = None
    dataset_id: DatasetId | None = None


@dataclass(frozen=True, slots=True)
class FolderPatch:
    """What to change; None leaves a field alone. `metadata` is exact JSON text."""

    name: str | None = None
    description: str | None = None
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class FolderQuery:
    """Which folders of a list: children of `parent_id` (None: top level), or all below it when `is_recursive`."""

    parent_id: FolderId | None = None
    search: str | None = None
    is_recursive: bool = False
    dataset_synced: bool | None = None
    tag_names: Sequence[str] = ()


def check_name(name: str, *, path: str = "$.name") -> str:
    """A name that a folder or item may have.

    Raises:
        InvalidArguments: empty, too long, or with a NUL (which PostgreSQL cannot store).
    """
    if not name.strip():
        raise InvalidArguments("a name must not be empty", path=path)
    if len(name) > MAX_NAME:
        raise InvalidArguments(f"a name may have at most {MAX_NAME} characters; this has {len(name)}", path=path)
    if "\x00" in name:
        raise InvalidArguments("a name must not contain the character U+0000", path=path)
    return name
