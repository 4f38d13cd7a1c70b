"""What the operator does with the data directory at hand: users with keys, integrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.errors import AlreadyExists, NotFound
from framedex.core.ids import IntegrationId, UserId, new_id
from framedex.core.people import MemberType, User, UserKey, WorkspaceRole, normal_email
from framedex.core.ports.blobs import IntegrationConfig, SealedCredentials
from framedex.core.ports.catalog import Catalog, Entity, Op, WriteUnit
from framedex.core.ports.catalog_people import Integration


class Seal(Protocol):
    """Encrypts with the server's secret key; what comes out opens for nothing but what it is bound to."""

    def __call__(self, plaintext: bytes, *, bound_to: str) -> str: ...


#: Who the audit log names for what the command line did.
OPERATOR = "operator"


class AdministrationService:
    """Use cases of the operator."""

    def __init__(self, catalog: Catalog, *, seal: Seal | None = None) -> None:
        """`seal` encrypts credentials; without it none can be given."""
        self._catalog = catalog
        self._seal = seal

    def add_user(self, email: str, *, key_hex: str, comment: str, is_admin: bool) -> User:
        """Adds a user with a key, or a key to a user who is there. The first user of a workspace is its ADMIN.

        A key that this user has already is kept as it is.

        Raises:
            InvalidArguments: not an email. AlreadyExists: the key is another user's.
        """
        now = now_us()
        with self._catalog.write() as unit:
            known = unit.people.user_by_email(normal_email(email))
            is_first = not unit.people.users()
            role = WorkspaceRole.ADMIN if is_admin or is_first else WorkspaceRole.MEMBER
            if known is None or not known.is_active:
                user_id = UserId(new_id()) if known is None else known.id
                known = User(user_id, normal_email(email), role, MemberType.INTERNAL, True, now, now)
                unit.people.add_user(known)
                unit.log(Entity.USER, Op.CREATE, [known.id])
                unit.audit(OPERATOR, "user.add", Entity.USER, [known.id], role=role.value)
            elif is_admin:
                unit.people.set_user(known.id, role=WorkspaceRole.ADMIN, is_active=None, now_us=now)
                known = replace(known, role=WorkspaceRole.ADMIN)
                unit.audit(OPERATOR, "user.promote", Entity.USER, [known.id], role=WorkspaceRole.ADMIN.value)
            if _is_known_key(unit, key_hex, known):
                return known
            unit.people.add_key(UserKey(key_hex, known.id, comment, now))
            unit.log(Entity.KEY, Op.CREATE, [key_hex])
            unit.audit(OPERATOR, "key.add", Entity.KEY, [key_hex], user=known.id)
        return known

    def users_with_keys(self) -> Sequence[tuple[User, Sequence[UserKey]]]:
        with self._catalog.read() as unit:
            keys = unit.people.keys()
            return [(u, [k for k in keys if k.user_id == u.id]) for u in unit.people.users()]

    def remove_key(self, key_hex: str) -> None:
        """Removes a key; its tokens end with it.

        Raises:
            NotFound: nobody's.
        """
        with self._catalog.write(frees=True) as unit:
            if not unit.people.remove_key(key_hex):
                raise NotFound(f"The key {key_hex[:16]!r} is not registered; `framedex users list` shows all keys.")
            unit.log(Entity.KEY, Op.DELETE, [key_hex])
            unit.audit(OPERATOR, "key.remove", Entity.KEY, [key_hex])

    def add_integration(self, title: str, config: IntegrationConfig, credentials: bytes | None = None) -> Integration:
        """Adds an integration, usable by every workspace ADMIN until the first grant; `credentials` are kept sealed.

        Raises:
            AlreadyExists: the title is taken.
        """
        integration_id = IntegrationId(new_id())
        held = None if credentials is None else self._sealed(integration_id, credentials)
        integration = Integration(integration_id, title, replace(config, credentials=held), now_us())
        with self._catalog.write() as unit:
            if any(i.title == title for i in unit.people.integrations()):
                raise AlreadyExists(f"There is already an integration with the title {title!r}.")
            unit.people.add_integration(integration)
            unit.log(Entity.INTEGRATION, Op.CREATE, [integration.id])
            unit.audit(OPERATOR, "integration.add", Entity.INTEGRATION, [integration.id])
        return integration

    def set_credentials(self, integration_id: IntegrationId, credentials: bytes | None) -> None:
        """Replaces the credentials of an integration; None: the identity of the machine, or what its environment says.

        Raises:
            NotFound: no such integration.
        """
        held = None if credentials is None else self._sealed(integration_id, credentials)
        with self._catalog.write() as unit:
            if unit.people.integration(integration_id) is None:
                raise NotFound(f"There is no integration {integration_id}; see `framedex integrations list`.")
            unit.people.set_credentials(integration_id, held)
            unit.log(Entity.INTEGRATION, Op.UPDATE, [integration_id])
            unit.audit(OPERATOR, "integration.credentials", Entity.INTEGRATION, [integration_id])

    def _sealed(self, integration_id: IntegrationId, credentials: bytes) -> SealedCredentials:
        assert self._seal is not None, "credentials are given where there is a secret key"
        return SealedCredentials(self._seal(credentials, bound_to=integration_id), bound_to=integration_id)

    def integrations(self) -> Sequence[Integration]:
        with self._catalog.read() as unit:
            return unit.people.integrations()

    def grant(self, integration_id: IntegrationId, subject: str, role: Role) -> None:
        """Gives a user (by email) or group (by name or id) a role on an integration.

        Raises:
            NotFound: no such integration, user or group.
        """
        with self._catalog.write() as unit:
            if unit.people.integration(integration_id) is None:
                raise NotFound(f"There is no integration {integration_id}.")
            user = unit.people.user_by_email(subject.strip().lower())
            groups = [g.id for g in unit.people.groups() if subject in (g.name, g.id)]
            subject_id = user.id if user is not None else (groups[0] if groups else None)
            if subject_id is None:
                raise NotFound(f"There is no user or group {subject!r}; `framedex users list` shows all users.")
            unit.people.grant_integration(integration_id, subject_id, role)
            unit.log(Entity.RIGHTS, Op.UPDATE, [integration_id])
            unit.audit(OPERATOR, "integration.grant", Entity.INTEGRATION, [integration_id], subject=subject_id)


def _is_known_key(unit: WriteUnit, key_hex: str, user: User) -> bool:
    """Whether the key is this user's already; another's is refused."""
    registered = unit.people.keys()
    owner = next((key.user_id for key in registered if key.key_hex == key_hex), None)
    if owner is not None and owner != user.id:
        email = unit.people.emails([owner])[owner]
        raise AlreadyExists(f"This public key is registered already, for {email}.")
    return owner == user.id
