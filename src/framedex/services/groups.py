"""Groups of users: made and filled by admins of the workspace, seen by everyone in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from framedex.core.access import Caller, require_workspace_admin
from framedex.core.clock import now_us
from framedex.core.collections import check_description
from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.folders import check_name
from framedex.core.ids import GroupId, UserId, new_id
from framedex.core.people import Group, User, plain_email
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit

MAX_EMAILS = 1000


class GroupService:
    """Use cases of groups. Names need not be unique: a group is known by its id."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_group(self, caller: Caller, *, name: str, description: str = "") -> Group:
        """Creates a group without members. Needs the workspace role ADMIN."""
        require_workspace_admin(caller)
        group = Group(GroupId(new_id()), check_name(name), check_description(description), now_us())
        with self._catalog.write() as unit:
            unit.people.add_group(group)
            unit.log(Entity.GROUP, Op.CREATE, [group.id])
            unit.audit(caller.user_id, "group.create", Entity.GROUP, [group.id])
        return group

    def list_groups(self, _caller: Caller) -> Sequence[Group]:
        """All groups of the workspace, by name."""
        with self._catalog.read() as unit:
            return unit.people.groups()

    def get_group(self, _caller: Caller, group_id: GroupId) -> Group:
        """One group.

        Raises:
            NotFound: there is none.
        """
        with self._catalog.read() as unit:
            return _known(unit, group_id)

    def update_group(
        self, caller: Caller, group_id: GroupId, *, name: str | None = None, description: str | None = None
    ) -> Group:
        """Changes what is not None. Needs the workspace role ADMIN."""
        require_workspace_admin(caller)
        if name is not None:
            check_name(name)
        if description is not None:
            check_description(description)
        with self._catalog.write() as unit:
            _known(unit, group_id)
            unit.people.patch_group(group_id, name=name, description=description)
            unit.log(Entity.GROUP, Op.UPDATE, [group_id])
            unit.audit(caller.user_id, "group.update", Entity.GROUP, [group_id])
            return _known(unit, group_id)

    def delete_group(self, caller: Caller, group_id: GroupId) -> None:
        """Deletes a group; every role that it gave ends at once. Needs the workspace role ADMIN."""
        require_workspace_admin(caller)
        with self._catalog.write(frees=True) as unit:
            _known(unit, group_id)
            unit.people.delete_group(group_id)
            unit.log(Entity.GROUP, Op.DELETE, [group_id])
            unit.audit(caller.user_id, "group.delete", Entity.GROUP, [group_id])

    def list_users(self, _caller: Caller, group_id: GroupId) -> Sequence[User]:
        """Members of a group, by email."""
        with self._catalog.read() as unit:
            _known(unit, group_id)
            return unit.people.members(group_id)

    def add_users(self, caller: Caller, group_id: GroupId, emails: Sequence[str]) -> Sequence[User]:
        """Adds members of the workspace, all or none; answers everyone in the group. Needs the role ADMIN.

        Raises:
            InvalidArguments: an email of nobody in the workspace; the message names each.
        """
        require_workspace_admin(caller)
        wanted = _plain(emails)
        with self._catalog.write() as unit:
            _known(unit, group_id)
            found = unit.people.users_by_emails(wanted)
            _require_all(wanted, found)
            user_ids = [found[email].id for email in wanted]
            unit.people.add_members(group_id, user_ids)
            _record_members(unit, caller, "group.join", group_id, user_ids)
            return unit.people.members(group_id)

    def remove_users(self, caller: Caller, group_id: GroupId, emails: Sequence[str]) -> None:
        """Removes users from a group; emails of others are ignored. Needs the workspace role ADMIN."""
        require_workspace_admin(caller)
        wanted = _plain(emails)
        with self._catalog.write(frees=True) as unit:
            _known(unit, group_id)
            user_ids = [user.id for user in unit.people.users_by_emails(wanted).values()]
            unit.people.remove_members(group_id, user_ids)
            _record_members(unit, caller, "group.leave", group_id, user_ids)


def _known(unit: ReadUnit | WriteUnit, group_id: GroupId) -> Group:
    group = unit.people.group(group_id)
    if group is None:
        raise NotFound(f"There is no group {group_id} in this workspace.")
    return group


def _plain(emails: Sequence[str]) -> list[str]:
    if len(emails) > MAX_EMAILS:
        raise InvalidArguments(f"at most {MAX_EMAILS} users in one request; this has {len(emails)}")
    return list(dict.fromkeys(plain_email(email) for email in emails))


def _require_all(wanted: Sequence[str], found: Collection[str]) -> None:
    strangers = [email for email in wanted if email not in found]
    if strangers:
        named = ", ".join(repr(email[:80]) for email in strangers[:20])
        more = f" and {len(strangers) - 20} more" if len(strangers) > 20 else ""
        raise InvalidArguments(
            f"nobody in this workspace has the email {named}{more}; add them to the workspace first",
            path="$.userEmails",
        )


def _record_members(
    unit: WriteUnit, caller: Caller, action: str, group_id: GroupId, user_ids: Sequence[UserId]
) -> None:
    unit.log(Entity.GROUP, Op.UPDATE, [group_id])
    unit.audit(caller.user_id, action, Entity.GROUP, [group_id], users=list(user_ids))
