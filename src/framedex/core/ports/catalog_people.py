"""Users, keys, tokens, groups, tags and integrations in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.access import Caller, Role
from framedex.core.ids import GroupId, IntegrationId, TagId, UserId
from framedex.core.people import AccessToken, Group, OrganisationTag, User, UserKey, WorkspaceRole
from framedex.core.ports.blobs import IntegrationConfig, SealedCredentials


@dataclass(frozen=True, slots=True)
class Integration:
    """A place that data is registered from."""

    id: IntegrationId
    title: str
    config: IntegrationConfig
    created_at: int


class PeopleReads(Protocol):
    """Reading people."""

    def caller_by_key(self, key_hex: str) -> Caller | None:
        """The active user whose key this is, with groups; None when nobody's."""
        ...

    def caller_by_token(self, token_hash: str, now_us: int) -> Caller | None: ...

    def caller_by_id(self, user_id: UserId) -> Caller | None: ...

    def token(self, token_hash: str, now_us: int) -> AccessToken | None:
        """A token that has not ended."""
        ...

    def user_by_email(self, email: str) -> User | None:
        """The user with this email, removed or not."""
        ...

    def users_by_emails(self, emails: Sequence[str]) -> Mapping[str, User]:
        """Active users by email; others are left out."""
        ...

    def users(self) -> Sequence[User]:
        """Active users by email."""
        ...

    def emails(self, user_ids: Sequence[UserId]) -> Mapping[UserId, str]: ...

    def keys(self) -> Sequence[UserKey]: ...

    def groups(self) -> Sequence[Group]:
        """All groups by name."""
        ...

    def group(self, group_id: GroupId) -> Group | None: ...

    def members(self, group_id: GroupId) -> Sequence[User]:
        """Active members by email."""
        ...

    def tags(self) -> Sequence[OrganisationTag]:
        """All tags by name."""
        ...

    def integrations(self) -> Sequence[Integration]:
        """All integrations by title."""
        ...

    def integration(self, integration_id: IntegrationId) -> Integration | None: ...

    def integration_roles(self, integration_id: IntegrationId) -> Mapping[str, Role]:
        """Role by subject; empty when none was ever granted."""
        ...


class PeopleWrites(PeopleReads, Protocol):
    """Writing people."""

    def add_user(self, user: User) -> None:
        """Adds a user, or brings a removed one with this email back."""
        ...

    def set_user(self, user_id: UserId, *, role: WorkspaceRole | None, is_active: bool | None, now_us: int) -> None:
        """Changes what is not None; a user who becomes inactive loses all tokens, and keeps keys, roles and groups."""
        ...

    def add_key(self, key: UserKey) -> None:
        """Raises AlreadyExists when the key is registered, for whomever."""
        ...

    def remove_key(self, key_hex: str) -> bool:
        """Removes the key and ends its tokens; False when there was none."""
        ...

    def add_token(self, token_hash: str, user_id: UserId, key_hex: str | None, now_us: int, expires_at: int) -> None:
        """Keeps a new token, and forgets those that have ended."""
        ...

    def add_group(self, group: Group) -> None: ...

    def patch_group(self, group_id: GroupId, *, name: str | None, description: str | None) -> None: ...

    def delete_group(self, group_id: GroupId) -> None:
        """Deletes the group with its members and every role that it gave."""
        ...

    def add_members(self, group_id: GroupId, user_ids: Sequence[UserId]) -> None:
        """Adds those who are not members yet, active or not."""
        ...

    def remove_members(self, group_id: GroupId, user_ids: Sequence[UserId]) -> None:
        """Removes those who are members."""
        ...

    def add_tag(self, tag: OrganisationTag, now_us: int) -> None:
        """Raises AlreadyExists when the name is taken."""
        ...

    def delete_tag(self, tag_id: TagId) -> bool:
        """Deletes the tag and takes it off every folder; False when there was none."""
        ...

    def add_integration(self, integration: Integration) -> None: ...

    def set_credentials(self, integration_id: IntegrationId, credentials: SealedCredentials | None) -> None: ...

    def grant_integration(self, integration_id: IntegrationId, subject_id: str, role: Role) -> None: ...
