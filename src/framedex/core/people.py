"""Users of the workspace, their keys, groups and tags."""

from __future__ import annotations

import uuid
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


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token that was given out; only its hash is known.

    Attributes:
        key_hex: the key that asked for it, directly or through an older token; the token ends with it. None when it
            hangs on no key.
        created_at: microseconds since 1970 UTC, as `expires_at`; at that very instant it has ended.
    """

    token_hash: str
    user_id: UserId
    key_hex: str | None
    created_at: int
    expires_at: int


#: Made once, by chance. Ids of roles hang on it: they stay the same on every server, for ever.
_ROLES = uuid.UUID("5f0e5a0c-6f7b-4e0a-9a53-0d4bb0b2c7a1")


def role_uuid(role: WorkspaceRole) -> str:
    """The id of a workspace role: always the same for one role."""
    return str(uuid.uuid5(_ROLES, role.value))


def check_membership(role: WorkspaceRole, member_type: MemberType) -> None:
    """Refuses what the SDK documents as impossible: ADMINs come from inside.

    Raises:
        InvalidArguments: an external ADMIN.
    """
    if role is WorkspaceRole.ADMIN and member_type is not MemberType.INTERNAL:
        raise InvalidArguments("only an internal member can have the role ADMIN", path="$.memberType")


def plain_email(text: str) -> str:
    """An email in the form of `normal_email`, to look for: what is no email is nobody's."""
    return text.strip().lower()


def normal_email(text: str, *, path: str | None = None) -> str:
    """An email in the form that users are stored and compared in: trimmed, lower case.

    Raises:
        InvalidArguments: it has not the form `name@host`.
    """
    email = plain_email(text)
    name, at, host = email.rpartition("@")
    if not (name and at and host) or any(c.isspace() or c == "\x00" for c in email) or len(email) > 320:
        raise InvalidArguments(f"{text[:80]!r} is not an email address", path=path)
    return email
