"""Users, tags, integrations and bearer tokens through the SDK (sdk-protocol 2.6, A62 and A71 to A73)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from encord import EncordUserClient
from encord.exceptions import (
    AuthenticationError,
    AuthorisationError,
    EncordException,
    InvalidArgumentsError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from encord.orm.organisation_user import OrganisationUser

from framedex.core.access import Role
from framedex.core.ids import IntegrationId
from tests.builders.databases import open_catalog
from tests.protocol.curated import Server
from tests.protocol.people import a_name, added_email, an_email, client_of

pytestmark = pytest.mark.protocol


def _user(client: EncordUserClient, email: str) -> OrganisationUser | None:
    return next((u for u in client.list_organisation_users() if u.email == email), None)


# ------------------------------------------------------------------------------------------------------------- users


@pytest.mark.works("POST organisation/users", "GET organisation/users")
def test_add_organisation_user__is_listed(client: EncordUserClient, other: EncordUserClient) -> None:
    email = an_email()
    client.add_organisation_user(email.upper(), role_mnemonic_name="TASKER", member_type="external")
    user = _user(other, email)
    assert user is not None
    assert (user.role_mnemonic_name, user.member_type) == ("TASKER", "external")
    assert abs(user.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert user.last_edited_at == user.created_at


def test_list_organisation_users__one_id_for_one_role(client: EncordUserClient) -> None:
    first, second = added_email(client), added_email(client)
    tasker = an_email()
    client.add_organisation_user(tasker, role_mnemonic_name="TASKER", member_type="internal")
    users = {u.email: u for u in client.list_organisation_users()}
    assert users[first].role_uuid == users[second].role_uuid
    assert users[first].role_uuid != users[tasker].role_uuid


def test_add_organisation_user__member_already(client: EncordUserClient) -> None:
    email = added_email(client)
    with pytest.raises(ResourceExistsError, match=r"MEMBER"):
        client.add_organisation_user(email, role_mnemonic_name="ADMIN", member_type="internal")
    user = _user(client, email)
    assert user is not None
    assert user.role_mnemonic_name == "MEMBER"


def test_add_organisation_user__external_admin(client: EncordUserClient) -> None:
    email = an_email()
    with pytest.raises(InvalidArgumentsError, match="internal"):
        client.add_organisation_user(email, role_mnemonic_name="ADMIN", member_type="external")
    assert _user(client, email) is None


def test_add_organisation_user__no_email(client: EncordUserClient) -> None:
    with pytest.raises(InvalidArgumentsError, match="email"):
        client.add_organisation_user("someone", role_mnemonic_name="MEMBER", member_type="internal")


@pytest.mark.works("DELETE organisation/users/{}")
@pytest.mark.parametrize("local", ["with+plus", "with%2bpercent", "with/slash", "ümlaut", "q?a#b&c", "..", "a%b"])
def test_remove_organisation_user__odd_emails(client: EncordUserClient, second: EncordUserClient, local: str) -> None:
    email = f"{local}-{uuid4()}@example.org"
    client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="internal")
    assert _user(second, email) is not None
    client.remove_organisation_user(email)
    assert _user(second, email) is None


def test_remove_organisation_user__unknown(client: EncordUserClient) -> None:
    for email in (an_email(), "no-email"):
        with pytest.raises(ResourceNotFoundError):
            client.remove_organisation_user(email)


def test_remove_organisation_user__twice(client: EncordUserClient) -> None:
    email = added_email(client)
    client.remove_organisation_user(email)
    client.remove_organisation_user(email)
    assert _user(client, email) is None


def test_remove_organisation_user__oneself(server: Server) -> None:
    email = an_email()
    admin = client_of(server, email, is_admin=True)
    with pytest.raises(InvalidArgumentsError, match="yourself"):
        admin.remove_organisation_user(email)
    assert _user(admin, email) is not None


def test_remove_organisation_user__loses_access_and_comes_back(client: EncordUserClient, server: Server) -> None:
    email = an_email()
    user = client_of(server, email)
    folder = user.create_storage_folder(a_name("mine"))
    bearer = EncordUserClient.create_with_bearer_token(user.get_bearer_token(), domain=server.url)
    assert bearer.get_storage_folder(folder.uuid).name == folder.name

    client.remove_organisation_user(email)
    for gone in (user, bearer):
        with pytest.raises(AuthenticationError):
            gone.get_storage_folder(folder.uuid)

    client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="internal")
    assert user.get_storage_folder(folder.uuid).name == folder.name
    with pytest.raises(AuthenticationError):
        bearer.get_storage_folder(folder.uuid)


def test_organisation_users__only_admins_change_them(client: EncordUserClient, other: EncordUserClient) -> None:
    email = added_email(client)
    with pytest.raises(AuthorisationError, match="ADMIN"):
        other.remove_organisation_user(email)
    with pytest.raises(AuthorisationError, match="ADMIN"):
        other.add_organisation_user(an_email(), role_mnemonic_name="MEMBER", member_type="internal")
    assert _user(client, email) is not None


# -------------------------------------------------------------------------------------------------------------- tags


def test_create_organisation_tag__is_listed(client: EncordUserClient, other: EncordUserClient) -> None:
    tag = client.create_organisation_tag(a_name("tag ü"), "about it")
    assert tag in other.list_organisation_tags()
    names = [t.name for t in other.list_organisation_tags()]
    assert names == sorted(names)


def test_create_organisation_tag__duplicate(client: EncordUserClient) -> None:
    tag = client.create_organisation_tag(a_name("tag"))
    with pytest.raises(ResourceExistsError, match=tag.name):
        client.create_organisation_tag(tag.name)


def test_delete_organisation_tag__by_name_and_by_uuid(client: EncordUserClient) -> None:
    first, second = client.create_organisation_tag(a_name("a")), client.create_organisation_tag(a_name("b"))
    client.delete_organisation_tag(tag_name=first.name)
    client.delete_organisation_tag(tag_uuid=second.uuid)
    assert not {first.uuid, second.uuid} & {t.uuid for t in client.list_organisation_tags()}
    with pytest.raises(ResourceNotFoundError):
        client.delete_organisation_tag(first)


def test_tags__only_admins_change_them(client: EncordUserClient, other: EncordUserClient) -> None:
    tag = client.create_organisation_tag(a_name("tag"))
    with pytest.raises(AuthorisationError, match="ADMIN"):
        other.create_organisation_tag(a_name("tag"))
    with pytest.raises(AuthorisationError, match="ADMIN"):
        other.delete_organisation_tag(tag)
    assert tag in client.list_organisation_tags()


def test_list_storage_folders__by_tag(client: EncordUserClient, server: Server) -> None:
    tag, unused = client.create_organisation_tag(a_name("t")), client.create_organisation_tag(a_name("u"))
    folder = client.create_storage_folder(a_name("tagged"))
    below = folder.create_subfolder("below")
    _tag(server, str(folder.uuid), str(tag.uuid))
    _tag(server, str(below.uuid), str(tag.uuid))

    assert [f.uuid for f in client.list_storage_folders(organisation_tags_allof=[tag.name])] == [folder.uuid]
    assert {f.uuid for f in client.find_storage_folders(organisation_tags_allof=[tag])} == {folder.uuid, below.uuid}
    assert list(client.find_storage_folders(organisation_tags_allof=[tag, unused])) == []
    with pytest.raises(ResourceNotFoundError, match="no such tag"):
        list(client.list_storage_folders(organisation_tags_allof=["no such tag"]))

    client.delete_organisation_tag(tag)
    assert list(client.find_storage_folders(organisation_tags_allof=[tag])) == []


def _tag(server: Server, folder_id: str, tag_id: str) -> None:
    """The SDK cannot tag folders: done in the catalog beside the running server."""
    from framedex.stores.catalog.tables import folder_tags

    catalog = open_catalog(server.data)
    with catalog.write() as unit:
        unit.connection.execute(folder_tags.insert().values(folder_id=folder_id, tag_id=tag_id))
    catalog.close()


# ------------------------------------------------------------------------------------------------------ integrations


def test_get_cloud_integrations__filters(client: EncordUserClient, server: Server) -> None:
    every = client.get_cloud_integrations()
    mine = next(i for i in every if i.id == str(server.integration_id))
    assert client.get_cloud_integrations(filter_integration_uuids=[mine.id]) == [mine]
    assert mine in client.get_cloud_integrations(filter_integration_titles=[mine.title, "another"])
    assert client.get_cloud_integrations([mine.id], ["another"]) == []
    assert client.get_cloud_integrations([uuid4()]) == []


@pytest.mark.works("GET cloud-integrations")
def test_get_cloud_integrations__only_usable_ones(client: EncordUserClient, server: Server) -> None:
    email = an_email()
    user = client_of(server, email)
    assert user.get_cloud_integrations() == []
    assert user.get_cloud_integrations(include_org_access=True) == []

    group = client.create_group(a_name("users of the bucket"))
    group.add_users([email])
    granted = _integration_for(server, str(group.group_hash))
    assert [i.id for i in user.get_cloud_integrations()] == [granted]
    assert granted in {i.id for i in client.get_cloud_integrations(include_org_access=True)}

    group.remove_users([email])
    assert user.get_cloud_integrations() == []


def _integration_for(server: Server, subject_id: str) -> str:
    """An integration that only one subject was given; integrations are added by the operator, beside the server."""
    from framedex.core.clock import now_us
    from framedex.core.ids import new_id
    from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
    from framedex.core.ports.catalog_people import Integration

    config = IntegrationConfig(IntegrationKind.LOCAL, str(server.media))
    added = Integration(IntegrationId(new_id()), a_name("bucket"), config, now_us())
    catalog = open_catalog(server.data)
    with catalog.write() as unit:
        unit.people.add_integration(added)
        unit.people.grant_integration(added.id, subject_id, Role.USER)
    catalog.close()
    return added.id


# ------------------------------------------------------------------------------------------------------------ tokens


def test_get_bearer_token__speaks_for_the_user(server: Server) -> None:
    user = client_of(server, an_email())
    folder = user.create_storage_folder(a_name("mine"))
    first, second = user.get_bearer_token(), user.get_bearer_token()
    assert first != second
    for token in (first, second):
        bearer = EncordUserClient.create_with_bearer_token(token, domain=server.url)
        assert [f.uuid for f in bearer.list_storage_folders()] == [folder.uuid]


def test_get_bearer_token__made_up(server: Server) -> None:
    bearer = EncordUserClient.create_with_bearer_token(f"fdx_{'x' * 43}", domain=server.url)
    with pytest.raises(AuthenticationError):
        list(bearer.list_storage_folders())


def test_get_bearer_token__ends_with_the_key(server: Server) -> None:
    email = an_email()
    user = client_of(server, email)
    older = EncordUserClient.create_with_bearer_token(user.get_bearer_token(), domain=server.url)
    newer = EncordUserClient.create_with_bearer_token(older.get_bearer_token(), domain=server.url)
    assert list(newer.list_storage_folders()) == []

    client_of(server, email)  # a second key keeps the user, but not the first key's tokens
    catalog = open_catalog(server.data)
    with catalog.write() as unit:
        known = unit.people.user_by_email(email)
        assert known is not None
        registered = unit.people.keys()
        keys = [key.key_hex for key in registered if key.user_id == known.id]
        unit.people.remove_key(keys[0])
    catalog.close()
    for gone in (user, older, newer):
        with pytest.raises(EncordException) as refused:
            list(gone.list_storage_folders())
        assert isinstance(refused.value, AuthenticationError)
