"""Users, groups, tags and tokens on a real catalog: what the wire cannot show (races, logs, expiry)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.errors import DomainError, InvalidArguments, NotAuthenticated, NotPermitted
from framedex.core.ids import GroupId, TagId, UserId, new_id
from framedex.core.people import MemberType, User, UserKey, WorkspaceRole, role_uuid
from framedex.core.ports.catalog import AuditEntry
from framedex.services.groups import MAX_EMAILS, GroupService
from framedex.services.identity import IdentityService
from framedex.services.organisation import OrganisationService
from framedex.services.tokens import TokenService
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import open_catalog

_KEY = "ab" * 32


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    found = open_catalog(tmp_path)
    yield found
    found.close()


def _person(catalog: SqlCatalog, name: str, role: WorkspaceRole = WorkspaceRole.MEMBER, key: str = "") -> Caller:
    user_id = UserId(new_id())
    with catalog.write() as unit:
        unit.people.add_user(User(user_id, f"{name}@example.org", role, MemberType.INTERNAL, True, 1, 1))
        if key:
            unit.people.add_key(UserKey(key, user_id, "", 1))
        caller = unit.people.caller_by_id(user_id)
    assert caller is not None
    return caller


@pytest.fixture
def admin(catalog: SqlCatalog) -> Caller:
    return _person(catalog, "admin", WorkspaceRole.ADMIN)


def _logged(catalog: SqlCatalog, act: Callable[[], object]) -> tuple[list[tuple[str, str]], list[AuditEntry]]:
    """What an act wrote to the change log (entity and operation) and to the audit log."""
    with catalog.read() as unit:
        seq, audits = unit.last_seq(), unit.audits_after(0, 1000, since_us=0, user_id=None)
    act()
    with catalog.read() as unit:
        changes = [(change.entity, change.op) for change in unit.changes_after(seq, 1000)]
        return changes, list(unit.audits_after(audits[-1].id if audits else 0, 1000, since_us=0, user_id=None))


def test_mutations__are_logged_and_audited(catalog: SqlCatalog, admin: Caller) -> None:
    groups, organisation = GroupService(catalog), OrganisationService(catalog)
    group = groups.create_group(admin, name="g")
    tag = organisation.create_tag(admin, name="t")
    _person(catalog, "member")
    email = "member@example.org"
    member, internal = WorkspaceRole.MEMBER, MemberType.INTERNAL
    acts: list[tuple[str, str, str, Callable[[], object]]] = [
        ("group", "create", "group.create", lambda: groups.create_group(admin, name="h")),
        ("group", "update", "group.update", lambda: groups.update_group(admin, group.id, name="i")),
        ("group", "update", "group.join", lambda: groups.add_users(admin, group.id, [email])),
        ("group", "update", "group.leave", lambda: groups.remove_users(admin, group.id, [email])),
        ("group", "delete", "group.delete", lambda: groups.delete_group(admin, group.id)),
        ("user", "delete", "user.remove", lambda: organisation.remove_user(admin, email)),
        ("user", "create", "user.add", lambda: organisation.add_user(admin, email, role=member, member_type=internal)),
        ("tag", "create", "tag.create", lambda: organisation.create_tag(admin, name="u")),
        ("tag", "delete", "tag.delete", lambda: organisation.delete_tag(admin, tag.id)),
    ]
    for entity, op, action, act in acts:
        changes, audits = _logged(catalog, act)
        assert changes == [(entity, op)]
        assert [(a.user_id, a.action, a.entity) for a in audits] == [(admin.user_id, action, entity)]


def test_refusals__write_nothing(catalog: SqlCatalog, admin: Caller) -> None:
    groups, organisation = GroupService(catalog), OrganisationService(catalog)
    member = _person(catalog, "member")
    group = groups.create_group(admin, name="g")
    nobody = GroupId(new_id())
    acts: list[Callable[[], object]] = [
        lambda: groups.create_group(member, name="h"),
        lambda: groups.create_group(admin, name=" "),
        lambda: groups.update_group(admin, nobody, name="h"),
        lambda: groups.update_group(admin, group.id, description="\x00"),
        lambda: groups.add_users(admin, group.id, ["member@example.org", "nobody@example.org"]),
        lambda: groups.add_users(admin, group.id, [f"{n}@example.org" for n in range(MAX_EMAILS + 1)]),
        lambda: groups.remove_users(member, group.id, []),
        lambda: groups.delete_group(admin, nobody),
        lambda: organisation.remove_user(admin, "nobody@example.org"),
        lambda: organisation.remove_user(admin, "ADMIN@example.org"),
        lambda: organisation.create_tag(admin, name=""),
        lambda: organisation.delete_tag(admin, TagId(nobody)),
    ]
    for act in acts:
        assert _logged(catalog, partial(_refused, act)) == ([], [])
    assert groups.list_users(member, group.id) == []


def _refused(act: Callable[[], object]) -> None:
    with pytest.raises(DomainError):
        act()


def test_remove_user__the_last_admin_when_two_remove_each_other(catalog: SqlCatalog, admin: Caller) -> None:
    """Both were ADMIN when their requests came in; whoever is second must not leave the workspace without one."""
    second = _person(catalog, "second", WorkspaceRole.ADMIN)
    organisation = OrganisationService(catalog)
    organisation.remove_user(admin, second.email)
    with pytest.raises(InvalidArguments, match="last ADMIN"):
        organisation.remove_user(second, admin.email)
    assert [user.email for user in organisation.list_users(admin)] == [admin.email]


def test_add_user__needs_the_workspace_admin(catalog: SqlCatalog, admin: Caller) -> None:
    member = _person(catalog, "member")
    with pytest.raises(NotPermitted):
        OrganisationService(catalog).add_user(
            member, "new@example.org", role=WorkspaceRole.MEMBER, member_type=MemberType.INTERNAL
        )


def test_role_uuid__never_changes() -> None:
    assert role_uuid(WorkspaceRole.ADMIN) == "d225e240-4077-50c5-9b7a-faea94e2739d"
    assert len({role_uuid(role) for role in WorkspaceRole}) == len(WorkspaceRole)


# ------------------------------------------------------------------------------------------------------------ tokens


def test_keep_token__is_logged_and_speaks_for_the_user(catalog: SqlCatalog) -> None:
    caller, service = _person(catalog, "a", key=_KEY), TokenService(catalog)
    changes, audits = _logged(
        catalog, lambda: service.keep_token(caller, "hash", expires_at=now_us() + 60_000_000, key_hex=_KEY)
    )
    assert changes == [("token", "create")]
    assert [(a.user_id, a.action) for a in audits] == [(caller.user_id, "token.create")]
    assert IdentityService(catalog).by_token("hash").user_id == caller.user_id


def test_keep_token__expires(catalog: SqlCatalog) -> None:
    caller = _person(catalog, "a", key=_KEY)
    TokenService(catalog).keep_token(caller, "hash", expires_at=now_us() - 1, key_hex=_KEY)
    with pytest.raises(NotAuthenticated):
        IdentityService(catalog).by_token("hash")


def test_keep_token__asked_with_a_token_hangs_on_the_same_key(catalog: SqlCatalog) -> None:
    caller, service, later = _person(catalog, "a", key=_KEY), TokenService(catalog), now_us() + 60_000_000
    service.keep_token(caller, "first", expires_at=later, key_hex=_KEY)
    service.keep_token(caller, "second", expires_at=later, asked_with="first")
    with catalog.write() as unit:
        unit.people.remove_key(_KEY)
    for ended in ("first", "second"):
        with pytest.raises(NotAuthenticated):
            IdentityService(catalog).by_token(ended)


def test_keep_token__asked_with_a_token_on_no_key(catalog: SqlCatalog) -> None:
    caller, later = _person(catalog, "a"), now_us() + 60_000_000
    with catalog.write() as unit:
        unit.people.add_token("page", caller.user_id, None, now_us(), later)
    TokenService(catalog).keep_token(caller, "new", expires_at=later, asked_with="page")
    assert IdentityService(catalog).by_token("new").user_id == caller.user_id


@pytest.mark.parametrize("gone", ["key", "token", "user"])
def test_keep_token__what_it_hangs_on_went_meanwhile(catalog: SqlCatalog, gone: str) -> None:
    caller, service, later = _person(catalog, "a", key=_KEY), TokenService(catalog), now_us() + 60_000_000
    service.keep_token(caller, "first", expires_at=later, key_hex=_KEY)
    with catalog.write() as unit:
        if gone == "user":
            unit.people.set_user(caller.user_id, role=None, is_active=False, now_us=2)
        else:
            unit.people.remove_key(_KEY)
    proof = {"asked_with": "first"} if gone == "token" else {"key_hex": _KEY}
    with pytest.raises(NotAuthenticated):
        service.keep_token(caller, "new", expires_at=later, **proof)
    with catalog.read() as unit:
        assert unit.people.token("new", now_us()) is None
