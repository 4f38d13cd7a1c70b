"""The `PeopleWrites` port: users, keys, tokens, groups, tags, integrations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.core.access import Role
from framedex.core.errors import AlreadyExists
from framedex.core.folders import FolderQuery, NewFolder
from framedex.core.ids import FolderId, GroupId, IntegrationId, TagId, UserId, new_id
from framedex.core.paging import PageRequest
from framedex.core.people import AccessToken, Group, MemberType, OrganisationTag, User, UserKey, WorkspaceRole
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog import WriteUnit
from framedex.core.ports.catalog_people import Integration
from tests.builders.databases import open_catalog

_KEY = "0f" * 32


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[WriteUnit]:
    """A transaction on an empty catalog: what is written is read back inside it."""
    opened = open_catalog(tmp_path)
    with opened.write() as found:
        yield found
    opened.close()


def _user(unit: WriteUnit, name: str, role: WorkspaceRole = WorkspaceRole.MEMBER) -> User:
    user = User(UserId(new_id()), f"{name}@example.org", role, MemberType.INTERNAL, True, 1, 1)
    unit.people.add_user(user)
    return user


def _group(unit: WriteUnit, name: str = "group") -> Group:
    group = Group(GroupId(new_id()), name, "about", 5)
    unit.people.add_group(group)
    return group


def _folder(unit: WriteUnit, owner: User) -> FolderId:
    folder_id = FolderId(new_id())
    unit.folders.add(NewFolder(folder_id, None, "folder", owner.id, 1))
    return folder_id


def _remove(unit: WriteUnit, user: User, at: int = 2) -> None:
    unit.people.set_user(user.id, role=None, is_active=False, now_us=at)


# ------------------------------------------------------------------------------------------------------------- users


def test_users__active_ones_by_email(unit: WriteUnit) -> None:
    second, first, gone = _user(unit, "b"), _user(unit, "a"), _user(unit, "c")
    _remove(unit, gone)
    assert unit.people.users() == [first, second]
    assert unit.people.users_by_emails([gone.email, second.email, "x@example.org"]) == {second.email: second}


def test_user_by_email__removed_or_not(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    _remove(unit, user, at=7)
    assert unit.people.user_by_email(user.email) == User(user.id, user.email, user.role, user.member_type, False, 1, 7)
    assert unit.people.user_by_email("b@example.org") is None


def test_add_user__brings_a_removed_one_back(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    unit.people.add_key(UserKey(_KEY, user.id, "", 1))
    _remove(unit, user)
    assert unit.people.caller_by_key(_KEY) is None
    again = User(user.id, user.email, WorkspaceRole.ADMIN, MemberType.INTERNAL, True, 9, 9)
    unit.people.add_user(again)
    assert unit.people.users() == [User(user.id, user.email, again.role, again.member_type, True, 1, 9)]
    caller = unit.people.caller_by_key(_KEY)
    assert caller is not None
    assert (caller.user_id, caller.is_workspace_admin) == (user.id, True)


def test_caller__subjects_are_the_user_and_the_groups(unit: WriteUnit) -> None:
    user, other = _user(unit, "a"), _user(unit, "b")
    first, second, foreign = _group(unit), _group(unit), _group(unit)
    unit.people.add_members(first.id, [user.id, other.id])
    unit.people.add_members(second.id, [user.id])
    unit.people.add_members(foreign.id, [other.id])
    caller = unit.people.caller_by_id(user.id)
    assert caller is not None
    assert caller.subjects[0] == user.id
    assert sorted(caller.subjects[1:]) == sorted([first.id, second.id])


# --------------------------------------------------------------------------------------------------- keys and tokens


def test_add_key__taken(unit: WriteUnit) -> None:
    user, other = _user(unit, "a"), _user(unit, "b")
    unit.people.add_key(UserKey(_KEY, user.id, "", 1))
    with pytest.raises(AlreadyExists):
        unit.people.add_key(UserKey(_KEY, other.id, "", 1))


def test_token__ends_at_its_instant(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    unit.people.add_token("hash", user.id, None, 10, 20)
    assert unit.people.token("hash", 19) == AccessToken("hash", user.id, None, 10, 20)
    assert unit.people.caller_by_token("hash", 19) is not None
    assert unit.people.token("hash", 20) is None
    assert unit.people.caller_by_token("hash", 20) is None


def test_add_token__forgets_ended_ones(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    unit.people.add_token("old", user.id, None, 10, 20)
    unit.people.add_token("new", user.id, None, 20, 30)
    assert unit.people.token("old", 15) is None


def test_remove_key__ends_its_tokens_alone(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    unit.people.add_key(UserKey(_KEY, user.id, "", 1))
    unit.people.add_token("with", user.id, _KEY, 1, 99)
    unit.people.add_token("without", user.id, None, 1, 99)
    assert unit.people.remove_key(_KEY)
    assert not unit.people.remove_key(_KEY)
    assert unit.people.caller_by_token("with", 2) is None
    assert unit.people.caller_by_token("without", 2) is not None


def test_set_user__inactive_ends_tokens_for_good(unit: WriteUnit) -> None:
    user = _user(unit, "a")
    unit.people.add_token("hash", user.id, None, 1, 99)
    _remove(unit, user)
    unit.people.add_user(user)
    assert unit.people.caller_by_token("hash", 2) is None
    assert unit.people.caller_by_id(user.id) is not None


# ------------------------------------------------------------------------------------------------------------ groups


def test_groups__by_name_then_id(unit: WriteUnit) -> None:
    made = [_group(unit, name) for name in ("b", "a", "a")]
    assert unit.people.groups() == sorted(made, key=lambda group: (group.name, group.id))


def test_patch_group__leaves_what_is_none(unit: WriteUnit) -> None:
    group = _group(unit)
    unit.people.patch_group(group.id, name=None, description="")
    assert unit.people.group(group.id) == Group(group.id, "group", "", 5)
    unit.people.patch_group(group.id, name="other", description=None)
    assert unit.people.group(group.id) == Group(group.id, "other", "", 5)


def test_add_members__twice_and_inactive(unit: WriteUnit) -> None:
    group, user, other = _group(unit), _user(unit, "a"), _user(unit, "b")
    unit.people.add_members(group.id, [user.id, user.id])
    _remove(unit, user)
    unit.people.add_members(group.id, [user.id, other.id])
    assert unit.people.members(group.id) == [other]
    unit.people.add_user(user)
    assert unit.people.members(group.id) == [user, other]


def test_remove_members__only_from_this_group(unit: WriteUnit) -> None:
    group, another, user = _group(unit), _group(unit), _user(unit, "a")
    for each in (group, another):
        unit.people.add_members(each.id, [user.id])
    unit.people.remove_members(group.id, [user.id, UserId(new_id())])
    assert unit.people.members(group.id) == []
    assert unit.people.members(another.id) == [user]


def test_delete_group__takes_every_role_along(unit: WriteUnit) -> None:
    owner, user, group = _user(unit, "a"), _user(unit, "b"), _group(unit)
    unit.people.add_members(group.id, [user.id])
    folder_id, integration_id = _folder(unit, owner), _integration(unit, "bucket")
    unit.folders.set_role(folder_id, group.id, Role.ADMIN)
    unit.people.grant_integration(integration_id, group.id, Role.USER)
    unit.people.grant_integration(integration_id, owner.id, Role.ADMIN)
    unit.people.delete_group(group.id)
    assert unit.people.group(group.id) is None
    assert unit.people.integration_roles(integration_id) == {owner.id: Role.ADMIN}
    caller = unit.people.caller_by_id(user.id)
    assert caller is not None
    assert caller.subjects == (user.id,)
    standing = unit.folders.standing(caller, folder_id)
    assert standing is not None
    assert standing.role is None
    # Under the same id again, so that a row left behind would show.
    unit.people.add_group(group)
    assert unit.folders.group_roles(folder_id) == []
    assert unit.people.members(group.id) == []


def test_remove_roles__of_groups_alone(unit: WriteUnit) -> None:
    owner, group = _user(unit, "a"), _group(unit)
    folder_id = _folder(unit, owner)
    unit.folders.set_role(folder_id, group.id, Role.USER)
    assert unit.folders.remove_roles(folder_id, [group.id, GroupId(owner.id)]) == 1
    caller = unit.people.caller_by_id(owner.id)
    assert caller is not None
    standing = unit.folders.standing(caller, folder_id)
    assert standing is not None
    assert standing.role is Role.ADMIN


# -------------------------------------------------------------------------------------------- tags and integrations


def test_tags__names_are_unique_and_sorted(unit: WriteUnit) -> None:
    tags = [OrganisationTag(TagId(new_id()), name, "") for name in ("b", "a", "B")]
    for tag in tags:
        unit.people.add_tag(tag, 1)
    assert [tag.name for tag in unit.people.tags()] == ["B", "a", "b"]
    with pytest.raises(AlreadyExists, match="'a'"):
        unit.people.add_tag(OrganisationTag(TagId(new_id()), "a", ""), 1)


def test_delete_tag__once(unit: WriteUnit) -> None:
    tag = OrganisationTag(TagId(new_id()), "a", "")
    unit.people.add_tag(tag, 1)
    assert unit.people.delete_tag(tag.id)
    assert not unit.people.delete_tag(tag.id)
    caller = unit.people.caller_by_id(_user(unit, "a").id)
    assert caller is not None
    assert unit.folders.list_page(caller, FolderQuery(tag_names=["a"]), PageRequest()).rows == []


def test_grant_integration__the_last_grant_counts(unit: WriteUnit) -> None:
    user, integration_id = _user(unit, "a"), _integration(unit, "bucket")
    assert unit.people.integration_roles(integration_id) == {}
    for role in (Role.ADMIN, Role.USER):
        unit.people.grant_integration(integration_id, user.id, role)
    assert unit.people.integration_roles(integration_id) == {user.id: Role.USER}


def _integration(unit: WriteUnit, title: str) -> IntegrationId:
    added = Integration(IntegrationId(new_id()), title, IntegrationConfig(IntegrationKind.LOCAL, "/nowhere"), 1)
    unit.people.add_integration(added)
    assert unit.people.integration(added.id) == added
    return added.id
