"""The workspace: who is in it, its tags, and the integrations that someone in it may use.

Everyone in the workspace reads; admins of it change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from framedex.core.access import Caller, require_workspace_admin
from framedex.core.clock import now_us
from framedex.core.collections import check_description
from framedex.core.errors import AlreadyExists, InvalidArguments, NotFound
from framedex.core.folders import check_name
from framedex.core.ids import IntegrationId, TagId, UserId, new_id
from framedex.core.people import (
    MemberType,
    OrganisationTag,
    User,
    WorkspaceRole,
    check_membership,
    normal_email,
    plain_email,
)
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.ports.catalog_people import Integration
from framedex.services.addresses import integration_role


class OrganisationService:
    """Use cases of the workspace's users and tags, and the list of integrations."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def list_users(self, _caller: Caller) -> Sequence[User]:
        """Everyone in the workspace, by email."""
        with self._catalog.read() as unit:
            return unit.people.users()

    def add_user(self, caller: Caller, email: str, *, role: WorkspaceRole, member_type: MemberType) -> User:
        """Adds a user at once, without a key; one who was removed comes back with keys, roles and groups.

        Needs the workspace role ADMIN.

        Raises:
            AlreadyExists: they are in the workspace. InvalidArguments: not an email, or an external ADMIN.
        """
        require_workspace_admin(caller)
        check_membership(role, member_type)
        address, now = normal_email(email, path="$.email"), now_us()
        with self._catalog.write() as unit:
            known = unit.people.user_by_email(address)
            if known is not None and known.is_active:
                raise AlreadyExists(f"{address} is in the workspace already, with the role {known.role.value}.")
            user_id = UserId(new_id()) if known is None else known.id
            user = User(user_id, address, role, member_type, True, now, now)
            unit.people.add_user(user)
            unit.log(Entity.USER, Op.CREATE, [user_id])
            unit.audit(caller.user_id, "user.add", Entity.USER, [user_id], role=role.value, type=member_type.value)
        return user

    def remove_user(self, caller: Caller, email: str) -> None:
        """Removes a user, who loses all access at once: keys sleep, tokens end. Needs the workspace role ADMIN.

        Folders, roles and groups stay as they are, so that nothing is lost when the user is added again. Removing one
        who was removed before changes nothing.

        Raises:
            NotFound: there never was such a user. InvalidArguments: the caller, or the last ADMIN.
        """
        require_workspace_admin(caller)
        with self._catalog.write(frees=True) as unit:
            user = unit.people.user_by_email(plain_email(email))
            if user is None:
                raise NotFound(f"There is no user {email[:80]!r} in this workspace.")
            if not user.is_active:
                return
            _require_removable(unit, caller, user)
            unit.people.set_user(user.id, role=None, is_active=False, now_us=now_us())
            unit.log(Entity.USER, Op.DELETE, [user.id])
            unit.audit(caller.user_id, "user.remove", Entity.USER, [user.id])

    def list_tags(self, _caller: Caller) -> Sequence[OrganisationTag]:
        """All tags, by name."""
        with self._catalog.read() as unit:
            return unit.people.tags()

    def create_tag(self, caller: Caller, *, name: str, description: str = "") -> OrganisationTag:
        """Creates a tag. Needs the workspace role ADMIN.

        Raises:
            AlreadyExists: the name is taken, in exactly this spelling.
        """
        require_workspace_admin(caller)
        tag = OrganisationTag(TagId(new_id()), check_name(name), check_description(description))
        with self._catalog.write() as unit:
            unit.people.add_tag(tag, now_us())
            unit.log(Entity.TAG, Op.CREATE, [tag.id])
            unit.audit(caller.user_id, "tag.create", Entity.TAG, [tag.id])
        return tag

    def delete_tag(self, caller: Caller, tag_id: TagId) -> None:
        """Deletes a tag, off everything that it was on. Needs the workspace role ADMIN.

        Raises:
            NotFound: there is none.
        """
        require_workspace_admin(caller)
        with self._catalog.write(frees=True) as unit:
            if not unit.people.delete_tag(tag_id):
                raise NotFound(f"There is no tag {tag_id} in this workspace.")
            unit.log(Entity.TAG, Op.DELETE, [tag_id])
            unit.audit(caller.user_id, "tag.delete", Entity.TAG, [tag_id])

    def list_integrations(
        self, caller: Caller, *, ids: Collection[IntegrationId] = (), titles: Collection[str] = ()
    ) -> Sequence[Integration]:
        """Integrations that the caller may use, by title; all of them when the caller sees the workspace.

        Args:
            ids: only these; empty: any. An integration must pass both filters.
            titles: only those with exactly such a title; empty: any.
        """
        with self._catalog.read() as unit:
            found = [i for i in unit.people.integrations() if _is_wanted(i, ids, titles)]
            return [i for i in found if caller.sees_workspace or _may_use(unit, caller, i)]


def _require_removable(unit: WriteUnit, caller: Caller, user: User) -> None:
    if user.id == caller.user_id:
        raise InvalidArguments("you cannot remove yourself from the workspace; ask another ADMIN of it to do so")
    others = (u for u in unit.people.users() if u.id != user.id)
    # The caller was an ADMIN when the request came, and may have been removed since.
    if not any(u.role is WorkspaceRole.ADMIN for u in others):
        raise InvalidArguments(f"{user.email} is the last ADMIN of the workspace; make another user ADMIN first")


def _is_wanted(integration: Integration, ids: Collection[IntegrationId], titles: Collection[str]) -> bool:
    return (not ids or integration.id in ids) and (not titles or integration.title in titles)


def _may_use(unit: ReadUnit, caller: Caller, integration: Integration) -> bool:
    return integration_role(unit, caller, integration.id) is not None
