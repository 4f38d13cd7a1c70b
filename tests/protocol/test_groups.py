"""Groups through the SDK (sdk-protocol 2.6, A63 to A70)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from encord import EncordUserClient
from encord.exceptions import AuthorisationError, InvalidArgumentsError, ResourceNotFoundError
from encord.group import Group
from encord.orm.storage import StorageUserRole

from tests.protocol.curated import Server
from tests.protocol.people import a_name, added_email, an_email, client_of

pytestmark = pytest.mark.protocol


@pytest.fixture
def group(client: EncordUserClient) -> Group:
    return client.create_group(a_name("readers"), "those who read")


def _emails(group: Group) -> list[str]:
    return [user.user_email for user in group.list_users()]


def test_create_group__is_read_back(client: EncordUserClient, group: Group) -> None:
    found = client.get_group(group.group_hash)
    assert (found.name, found.description) == (group.name, "those who read")
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert _emails(found) == []


def test_create_group__without_description(client: EncordUserClient) -> None:
    assert client.create_group(a_name("plain")).description == ""


def test_create_group__without_a_name(client: EncordUserClient) -> None:
    with pytest.raises(InvalidArgumentsError, match="name"):
        client.create_group("  ")


def test_create_group__a_retried_request_makes_one_group(client: EncordUserClient, server: Server) -> None:
    """The SDK repeats this POST, byte for byte, when an answer is lost on the way."""
    name = a_name("once")
    api = client._api_client
    request = requests.Request("POST", f"{server.url}/v2/public/organisation/groups", json={"name": name}).prepare()
    request.headers["X-Cloud-Trace-Context"] = f"{uuid4().hex}/1;o=1"
    signed = api._config.define_headers_v2(request)
    with requests.Session() as session:
        answers = [session.send(signed) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.json()["groupHash"] for answer in answers}) == 1
    assert [group.name for group in client.list_groups()].count(name) == 1


@pytest.mark.works("POST organisation/groups", "GET user/current-organisation/groups")
def test_list_groups__all_by_name_for_every_member(client: EncordUserClient, other: EncordUserClient) -> None:
    made = [client.create_group(name) for name in (a_name("b"), a_name("a"))]
    listed = list(other.list_groups())
    assert {group.group_hash for group in made} <= {group.group_hash for group in listed}
    assert [group.name for group in listed] == sorted(group.name for group in listed)


def test_get_group__unknown(client: EncordUserClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.get_group(uuid4())


@pytest.mark.works("PATCH organisation/groups/{}", "GET organisation/groups/{}")
def test_update_group__one_field_leaves_the_other(second: EncordUserClient, group: Group) -> None:
    name = group.name
    group.update_group(description="")
    assert (group.name, group.description) == (name, "")
    group.update_group(name="renamed")
    again = second.get_group(group.group_hash)
    assert (again.name, again.description) == ("renamed", "")


@pytest.mark.works("DELETE organisation/groups/{}")
def test_delete_group__is_gone(client: EncordUserClient, second: EncordUserClient, group: Group) -> None:
    client.delete_group(group.group_hash)
    assert group.group_hash not in {g.group_hash for g in second.list_groups()}
    for again in (lambda: client.delete_group(group.group_hash), lambda: list(group.list_users())):
        with pytest.raises(ResourceNotFoundError):
            again()


@pytest.mark.works("POST organisation/groups/{}/users", "GET organisation/groups/{}/users")
def test_add_users__answers_the_full_list(client: EncordUserClient, second: EncordUserClient, group: Group) -> None:
    one, two, three = sorted(added_email(client) for _ in range(3))
    assert [u.user_email for u in group.add_users([two])] == [two]
    answer = group.add_users([three, one.upper(), two, one])
    assert [u.user_email for u in answer] == [one, two, three]
    assert _emails(second.get_group(group.group_hash)) == [one, two, three]


def test_add_users__unknown_email_adds_nobody(client: EncordUserClient, group: Group) -> None:
    known, unknown = added_email(client), f"nobody+{uuid4()}@example.org"
    with pytest.raises(InvalidArgumentsError) as refused:
        group.add_users([known, unknown])
    assert unknown in str(refused.value)
    assert known not in str(refused.value)
    assert _emails(group) == []


def test_add_users__removed_from_the_workspace(client: EncordUserClient, group: Group) -> None:
    email = added_email(client)
    client.remove_organisation_user(email)
    with pytest.raises(InvalidArgumentsError, match=re.escape(email)):
        group.add_users([email])


@pytest.mark.works("POST organisation/groups/{}/users/bulk-delete")
def test_remove_users__ignores_others(client: EncordUserClient, second: EncordUserClient, group: Group) -> None:
    stays, goes = added_email(client), added_email(client)
    group.add_users([stays, goes])
    group.remove_users([goes, added_email(client), "nobody@example.org", "no email"])
    assert _emails(second.get_group(group.group_hash)) == [stays]


def test_add_users__who_came_back_to_the_workspace(client: EncordUserClient, group: Group) -> None:
    email = added_email(client)
    group.add_users([email])
    client.remove_organisation_user(email)
    assert _emails(group) == []
    client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="internal")
    assert [u.user_email for u in group.add_users([email])] == [email]


def test_groups__only_admins_change_them(other: EncordUserClient, client: EncordUserClient, group: Group) -> None:
    email = added_email(client)
    seen = other.get_group(group.group_hash)
    for attempt in (
        lambda: other.create_group("mine"),
        lambda: seen.update_group(name="mine"),
        lambda: seen.add_users([email]),
        lambda: seen.remove_users([email]),
        lambda: other.delete_group(group.group_hash),
    ):
        with pytest.raises(AuthorisationError, match="ADMIN"):
            attempt()
    assert client.get_group(group.group_hash).name == group.name


def test_delete_group__takes_its_roles_along(client: EncordUserClient, server: Server, group: Group) -> None:
    email = an_email()
    member = client_of(server, email)
    folder = client.create_storage_folder(a_name("shared"))
    group.add_users([email])
    folder.add_group(group.group_hash, StorageUserRole.USER)
    assert member.get_storage_folder(folder.uuid).uuid == folder.uuid
    client.delete_group(group.group_hash)
    with pytest.raises(AuthorisationError):
        member.get_storage_folder(folder.uuid)
    assert list(folder.list_groups()) == []
