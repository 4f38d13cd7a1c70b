"""What the operator does with the data directory at hand: users with keys, integrations."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.errors import AlreadyExists, NotFound
from framedex.core.ids import IntegrationId, UserId, new_id
from framedex.core.people import MemberType, User, UserKey, WorkspaceRole, normal_email
from framedex.core.ports.blobs import IntegrationConfig
from framedex.core.ports.catalog import Catalog, Entity, Op
from framedex.core.ports.catalog_people import Integration

#: Who the audit log names for what the command line did.
OPERATOR = "operator"


class AdministrationService:
    """Use cases of the operator."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def add_user(self, email: str, *, key_hex: str, comment: str, is_admin: bool) -> User:
        """Adds a user with a key, or a key to a user who is there. The first user of a workspace is its ADMIN.

        Raises:
            InvalidArguments: not an email. AlreadyExists: the key is registered.
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
            elif is_admin:
                unit.people.set_user(known.id, role=WorkspaceRole.ADMIN, is_active=None, now_us=now)
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
        with self._catalog.write() as unit:
            if not unit.people.remove_key(key_hex):
                raise NotFound(f"The key {key_hex[:16]}… is not registered.")
            unit.log(Entity.KEY, Op.DELETE, [key_hex])
            unit.audit(OPERATOR, "key.remove", Entity.KEY, [key_hex])

    def add_integration(self, title: str, config: IntegrationConfig) -> Integration:
        """Adds an integration, usable by every workspace ADMIN until the first grant.

        Raises:
            AlreadyExists: the title is taken.
        """
        integration = Integration(IntegrationId(new_id()), title, config, now_us())
        with self._catalog.write() as unit:
            if any(i.title == title for i in unit.people.integrations()):
                raise AlreadyExists(f"There is already an integration with the title {title!r}.")
            unit.people.add_integration(integration)
            unit.log(Entity.INTEGRATION, Op.CREATE, [integration.id])
            unit.audit(OPERATOR, "integration.add", Entity.INTEGRATION, [integration.id])
        return integration

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
                raise NotFound(f"There is no user or group {subject!r}.")
            unit.people.grant_integration(integration_id, subject_id, role)
            unit.log(Entity.RIGHTS, Op.UPDATE, [integration_id])
            unit.audit(OPERATOR, "integration.grant", Entity.INTEGRATION, [integration_id], subject=subject_id)
