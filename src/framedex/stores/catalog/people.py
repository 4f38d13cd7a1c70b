"""Users, keys, tokens, groups, tags and integrations in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from framedex.core.access import Caller, Role
from framedex.core.errors import AlreadyExists
from framedex.core.ids import GroupId, IntegrationId, TagId, UserId
from framedex.core.people import AccessToken, Group, MemberType, OrganisationTag, User, UserKey, WorkspaceRole
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind, SealedCredentials
from framedex.core.ports.catalog_people import Integration
from framedex.stores.catalog.tables import (
    dataset_roles,
    folder_roles,
    folder_tags,
    group_members,
    groups,
    integration_roles,
    integrations,
    organisation_tags,
    tokens,
    user_keys,
    users,
)

_USER_COLUMNS = (
    users.c.id,
    users.c.email,
    users.c.role,
    users.c.member_type,
    users.c.is_active,
    users.c.created_at,
    users.c.edited_at,
)
_GROUP_COLUMNS = (groups.c.id, groups.c.name, groups.c.description, groups.c.created_at)
_CALLER_COLUMNS = (users.c.id, users.c.email, users.c.role, group_members.c.group_id)


def _callers(source: sa.FromClause, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Made once: every request asks one of these, and making a statement takes longer than answering it."""
    with_groups = source.outerjoin(group_members, group_members.c.user_id == users.c.id)
    return sa.select(*_CALLER_COLUMNS).select_from(with_groups).where(condition, users.c.is_active)


_BY_KEY = _callers(
    users.join(user_keys, user_keys.c.user_id == users.c.id), user_keys.c.key_hex == sa.bindparam("key_hex")
)
_BY_TOKEN = _callers(
    users.join(tokens, tokens.c.user_id == users.c.id),
    sa.and_(tokens.c.token_hash == sa.bindparam("token_hash"), tokens.c.expires_at > sa.bindparam("now")),
)
_BY_ID = _callers(users, users.c.id == sa.bindparam("user_id"))


class SqlPeopleReads:
    """The `PeopleReads` port."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def caller_by_key(self, key_hex: str) -> Caller | None:
        return self._caller(_BY_KEY, {"key_hex": key_hex})

    def caller_by_token(self, token_hash: str, now_us: int) -> Caller | None:
        return self._caller(_BY_TOKEN, {"token_hash": token_hash, "now": now_us})

    def caller_by_id(self, user_id: UserId) -> Caller | None:
        return self._caller(_BY_ID, {"user_id": user_id})

    def _caller(self, query: sa.Select[Any], values: dict[str, object]) -> Caller | None:
        rows = self._connection.execute(query, values).all()
        if not rows:
            return None
        user_id, email, role, _ = rows[0]
        group_ids = [row[3] for row in rows if row[3] is not None]
        return Caller(UserId(user_id), email, (user_id, *group_ids), role == WorkspaceRole.ADMIN.value)

    def token(self, token_hash: str, now_us: int) -> AccessToken | None:
        columns = (tokens.c.token_hash, tokens.c.user_id, tokens.c.key_hex, tokens.c.created_at, tokens.c.expires_at)
        query = sa.select(*columns).where(tokens.c.token_hash == token_hash, tokens.c.expires_at > now_us)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else AccessToken(*row)

    def user_by_email(self, email: str) -> User | None:
        row = self._connection.execute(sa.select(*_USER_COLUMNS).where(users.c.email == email)).one_or_none()
        return None if row is None else _user(row)

    def users_by_emails(self, emails: Sequence[str]) -> Mapping[str, User]:
        query = sa.select(*_USER_COLUMNS).where(users.c.email.in_(emails), users.c.is_active)
        return {row[1]: _user(row) for row in self._connection.execute(query)}

    def users(self) -> Sequence[User]:
        query = sa.select(*_USER_COLUMNS).where(users.c.is_active).order_by(users.c.email)
        return [_user(row) for row in self._connection.execute(query)]

    def emails(self, user_ids: Sequence[UserId]) -> Mapping[UserId, str]:
        query = sa.select(users.c.id, users.c.email).where(users.c.id.in_(user_ids))
        return {UserId(row[0]): row[1] for row in self._connection.execute(query)}

    def keys(self) -> Sequence[UserKey]:
        columns = (user_keys.c.key_hex, user_keys.c.user_id, user_keys.c.comment, user_keys.c.created_at)
        query = sa.select(*columns).order_by(user_keys.c.created_at, user_keys.c.key_hex)
        return [UserKey(*row) for row in self._connection.execute(query)]

    def groups(self) -> Sequence[Group]:
        query = sa.select(*_GROUP_COLUMNS).order_by(groups.c.name, groups.c.id)
        return [Group(*row) for row in self._connection.execute(query)]

    def group(self, group_id: GroupId) -> Group | None:
        row = self._connection.execute(sa.select(*_GROUP_COLUMNS).where(groups.c.id == group_id)).one_or_none()
        return None if row is None else Group(*row)

    def members(self, group_id: GroupId) -> Sequence[User]:
        query = (
            sa.select(*_USER_COLUMNS)
            .join(group_members, group_members.c.user_id == users.c.id)
            .where(group_members.c.group_id == group_id, users.c.is_active)
            .order_by(users.c.email)
        )
        return [_user(row) for row in self._connection.execute(query)]

    def tags(self) -> Sequence[OrganisationTag]:
        columns = (organisation_tags.c.id, organisation_tags.c.name, organisation_tags.c.description)
        query = sa.select(*columns).order_by(organisation_tags.c.name, organisation_tags.c.id)
        return [OrganisationTag(*row) for row in self._connection.execute(query)]

    def integrations(self) -> Sequence[Integration]:
        query = sa.select(*_INTEGRATION_COLUMNS).order_by(integrations.c.title, integrations.c.id)
        return [_integration(row) for row in self._connection.execute(query)]

    def integration(self, integration_id: IntegrationId) -> Integration | None:
        query = sa.select(*_INTEGRATION_COLUMNS).where(integrations.c.id == integration_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _integration(row)

    def integration_roles(self, integration_id: IntegrationId) -> Mapping[str, Role]:
        query = sa.select(integration_roles.c.subject_id, integration_roles.c.role).where(
            integration_roles.c.integration_id == integration_id
        )
        return {row[0]: Role(row[1]) for row in self._connection.execute(query)}


class SqlPeople(SqlPeopleReads):
    """The `PeopleWrites` port."""

    def add_user(self, user: User) -> None:
        values = {
            "id": user.id,
            "email": user.email,
            "role": user.role.value,
            "member_type": user.member_type.value,
            "is_active": True,
            "created_at": user.created_at,
            "edited_at": user.edited_at,
        }
        old = self.user_by_email(user.email)
        if old is None:
            self._connection.execute(sa.insert(users).values(values))
            return
        kept = {name: value for name, value in values.items() if name not in ("id", "created_at")}
        self._connection.execute(sa.update(users).where(users.c.id == old.id).values(kept))

    def set_user(self, user_id: UserId, *, role: WorkspaceRole | None, is_active: bool | None, now_us: int) -> None:
        changes: dict[str, object] = {"edited_at": now_us}
        if role is not None:
            changes["role"] = role.value
        if is_active is not None:
            changes["is_active"] = is_active
        self._connection.execute(sa.update(users).where(users.c.id == user_id).values(changes))
        if is_active is False:
            self._connection.execute(sa.delete(tokens).where(tokens.c.user_id == user_id))

    def add_key(self, key: UserKey) -> None:
        taken = sa.select(user_keys.c.user_id).where(user_keys.c.key_hex == key.key_hex)
        if self._connection.execute(taken).scalar_one_or_none() is not None:
            raise AlreadyExists("This public key is registered already.")
        values = {
            "key_hex": key.key_hex,
            "user_id": key.user_id,
            "comment": key.comment,
            "created_at": key.created_at,
        }
        self._connection.execute(sa.insert(user_keys).values(values))

    def remove_key(self, key_hex: str) -> bool:
        self._connection.execute(sa.delete(tokens).where(tokens.c.key_hex == key_hex))
        gone = self._connection.execute(sa.delete(user_keys).where(user_keys.c.key_hex == key_hex))
        return gone.rowcount > 0

    def add_token(self, token_hash: str, user_id: UserId, key_hex: str | None, now_us: int, expires_at: int) -> None:
        self._connection.execute(sa.delete(tokens).where(tokens.c.expires_at <= now_us))
        values = {
            "token_hash": token_hash,
            "user_id": user_id,
            "key_hex": key_hex,
            "created_at": now_us,
            "expires_at": expires_at,
        }
        self._connection.execute(sa.insert(tokens).values(values))

    def add_group(self, group: Group) -> None:
        values = {
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "created_at": group.created_at,
        }
        self._connection.execute(sa.insert(groups).values(values))

    def patch_group(self, group_id: GroupId, *, name: str | None, description: str | None) -> None:
        changes = {k: v for k, v in {"name": name, "description": description}.items() if v is not None}
        if changes:
            self._connection.execute(sa.update(groups).where(groups.c.id == group_id).values(changes))

    def delete_group(self, group_id: GroupId) -> None:
        for column in (
            folder_roles.c.subject_id,
            dataset_roles.c.subject_id,
            integration_roles.c.subject_id,
            group_members.c.group_id,
            groups.c.id,
        ):
            self._connection.execute(sa.delete(column.table).where(column == group_id))

    def add_members(self, group_id: GroupId, user_ids: Sequence[UserId]) -> None:
        # Not `members`, which leaves removed users out: they are in the group still.
        inside = sa.select(group_members.c.user_id).where(group_members.c.group_id == group_id)
        present = set(self._connection.execute(inside).scalars())
        rows = [{"group_id": group_id, "user_id": u} for u in dict.fromkeys(user_ids) if u not in present]
        if rows:
            self._connection.execute(sa.insert(group_members), rows)

    def remove_members(self, group_id: GroupId, user_ids: Sequence[UserId]) -> None:
        gone = sa.and_(group_members.c.group_id == group_id, group_members.c.user_id.in_(user_ids))
        self._connection.execute(sa.delete(group_members).where(gone))

    def add_tag(self, tag: OrganisationTag, now_us: int) -> None:
        taken = sa.select(organisation_tags.c.id).where(organisation_tags.c.name == tag.name)
        if self._connection.execute(taken).scalar_one_or_none() is not None:
            raise AlreadyExists(f"There is already a tag named {tag.name!r}.")
        values = {"id": tag.id, "name": tag.name, "description": tag.description, "created_at": now_us}
        self._connection.execute(sa.insert(organisation_tags).values(values))

    def delete_tag(self, tag_id: TagId) -> bool:
        self._connection.execute(sa.delete(folder_tags).where(folder_tags.c.tag_id == tag_id))
        gone = self._connection.execute(sa.delete(organisation_tags).where(organisation_tags.c.id == tag_id))
        return gone.rowcount > 0

    def add_integration(self, integration: Integration) -> None:
        config = integration.config
        values = {
            "id": integration.id,
            "title": integration.title,
            "kind": config.kind.value,
            "root": config.root,
            "strict_client_only": config.strict_client_only,
            "writable": config.writable,
            "allow_private_addresses": config.allow_private_addresses,
            "endpoint": config.endpoint,
            "region": config.region,
            "path_style": config.path_style,
            "credentials": _sealed_bytes(config.credentials),
            "created_at": integration.created_at,
        }
        self._connection.execute(sa.insert(integrations).values(values))

    def set_credentials(self, integration_id: IntegrationId, credentials: SealedCredentials | None) -> None:
        values = {"credentials": _sealed_bytes(credentials)}
        self._connection.execute(sa.update(integrations).where(integrations.c.id == integration_id).values(values))

    def grant_integration(self, integration_id: IntegrationId, subject_id: str, role: Role) -> None:
        key = sa.and_(
            integration_roles.c.integration_id == integration_id, integration_roles.c.subject_id == subject_id
        )
        self._connection.execute(sa.delete(integration_roles).where(key))
        values = {"integration_id": integration_id, "subject_id": subject_id, "role": role.value}
        self._connection.execute(sa.insert(integration_roles).values(values))


_INTEGRATION_COLUMNS = (
    integrations.c.id,
    integrations.c.title,
    integrations.c.kind,
    integrations.c.root,
    integrations.c.strict_client_only,
    integrations.c.writable,
    integrations.c.allow_private_addresses,
    integrations.c.created_at,
    integrations.c.endpoint,
    integrations.c.region,
    integrations.c.path_style,
    integrations.c.credentials,
)


def _user(row: Sequence[Any]) -> User:
    return User(row[0], row[1], WorkspaceRole(row[2]), MemberType(row[3]), row[4], row[5], row[6])


def _integration(row: Sequence[Any]) -> Integration:
    config = IntegrationConfig(
        kind=IntegrationKind(row[2]),
        root=row[3],
        strict_client_only=row[4],
        writable=row[5],
        allow_private_addresses=row[6],
        endpoint=row[8],
        region=row[9],
        path_style=row[10],
        credentials=None if row[11] is None else SealedCredentials(row[11].decode("ascii"), bound_to=row[0]),
    )
    return Integration(IntegrationId(row[0]), row[1], config, row[7])


def _sealed_bytes(credentials: SealedCredentials | None) -> bytes | None:
    return None if credentials is None else credentials.sealed.encode("ascii")
