"""Users of the workspace, their keys, groups and tags."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from framedex.core.errors import InvalidArguments
from framedex.core.ids import GroupId, TagId, UserId


class WorkspaceRole(StrEnum):
    """The SDK's `roleMnemonicName`s."""

    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    TASKER = "TASKER"
    WORKFORCE_MANAGER = "WORKFORCE_MANAGER"


class MemberType(StrEnum):
    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    email: str
    role: WorkspaceRole
    member_type: MemberType
    is_active: bool
    created_at: int
    edited_at: int


@dataclass(frozen=True, slots=True)
class UserKey:
    key_hex: str
    user_id: UserId
    comment: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Group:
    id: GroupId
    name: str
    description: str
    created_at: int


@dataclass(frozen=True, slots=True)
class OrganisationTag:
    id: TagId
    name: str
    description: str


def normal_email(text: str, *, path: str | None = None) -> str:
    """An email in the form that users are stored and compared in: trimmed, lower case.

    Raises:
        InvalidArguments: it has not the form `name@host`.
    """
    email = text.strip().lower()
    name, at, host = email.rpartition("@")
    if not (name and at and host) or any(c.isspace() or c == "\x00" for c in email) or len(email) > 320:
        raise InvalidArguments(f"{text[:80]!r} is not an email address", path=path)
    return email
