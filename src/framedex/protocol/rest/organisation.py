"""The workspace: integrations, groups, users, tags, bearer tokens (sdk-protocol 2.6, without the metadata schema)."""

from __future__ import annotations

from framedex.auth.tokens import expiry_us, hash_token, new_token
from framedex.core.clock import now_us
from framedex.core.ids import GroupId, IntegrationId, TagId, parse_id
from framedex.protocol.dto.organisation import (
    AddUserIn,
    CreateGroupIn,
    CreateTagIn,
    ListIntegrationsIn,
    PatchGroupIn,
    UserEmailsIn,
)
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.organisation import group_out, group_user_out, integration_out, tag_out, user_out
from framedex.protocol.translate.paging import page


def list_integrations(call: Call) -> object:
    """`user_client.get_cloud_integrations`, `dataset.get_cloud_integrations`: under `result`, not `results`."""
    dto = call.query(ListIntegrationsIn)
    ids = {IntegrationId(parse_id(t, path="filterIntegrationUuids")) for t in dto.filter_integration_uuids}
    found = call.services.organisation.list_integrations(call.caller, ids=ids, titles=dto.filter_integration_titles)
    return {"result": [integration_out(i) for i in found]}


def create_group(call: Call) -> object:
    """`user_client.create_group`."""
    dto = call.body(CreateGroupIn)
    group = call.services.groups.create_group(call.caller, name=dto.name, description=dto.description or "")
    return group_out(group)


def list_groups(call: Call) -> object:
    """`user_client.list_groups`."""
    return page([group_out(g) for g in call.services.groups.list_groups(call.caller)])


def get_group(call: Call) -> object:
    """`user_client.get_group`."""
    return group_out(call.services.groups.get_group(call.caller, _group_id(call)))


def patch_group(call: Call) -> object:
    """`group.update_group`."""
    dto = call.body(PatchGroupIn)
    group = call.services.groups.update_group(call.caller, _group_id(call), name=dto.name, description=dto.description)
    return group_out(group)


def delete_group(call: Call) -> object:
    """`user_client.delete_group`."""
    call.services.groups.delete_group(call.caller, _group_id(call))
    return None


def list_group_users(call: Call) -> object:
    """`group.list_users`."""
    return page([group_user_out(u) for u in call.services.groups.list_users(call.caller, _group_id(call))])


def add_group_users(call: Call) -> object:
    """`group.add_users`: answers everyone who is in the group now."""
    emails = call.body(UserEmailsIn).user_emails
    return page([group_user_out(u) for u in call.services.groups.add_users(call.caller, _group_id(call), emails)])


def remove_group_users(call: Call) -> object:
    """`group.remove_users`."""
    call.services.groups.remove_users(call.caller, _group_id(call), call.body(UserEmailsIn).user_emails)
    return None


def list_users(call: Call) -> object:
    """`user_client.list_organisation_users`."""
    return page([user_out(u) for u in call.services.organisation.list_users(call.caller)])


def add_user(call: Call) -> object:
    """`user_client.add_organisation_user`."""
    dto = call.body(AddUserIn)
    call.services.organisation.add_user(
        call.caller, dto.email, role=dto.role_mnemonic_name, member_type=dto.member_type
    )
    return None


def remove_user(call: Call) -> object:
    """`user_client.remove_organisation_user`."""
    call.services.organisation.remove_user(call.caller, call.path["email"])
    return None


def list_tags(call: Call) -> object:
    """`user_client.list_organisation_tags`, and the look-up before filters by tag name."""
    return page([tag_out(t) for t in call.services.organisation.list_tags(call.caller)])


def create_tag(call: Call) -> object:
    """`user_client.create_organisation_tag`."""
    dto = call.body(CreateTagIn)
    return tag_out(call.services.organisation.create_tag(call.caller, name=dto.name, description=dto.description or ""))


def delete_tag(call: Call) -> object:
    """`user_client.delete_organisation_tag`."""
    call.services.organisation.delete_tag(call.caller, TagId(call.id("tag")))
    return None


def bearer_token(call: Call) -> object:
    """`user_client.get_bearer_token`: a new one each time; it is shown here and never again."""
    token = new_token()
    call.services.tokens.keep_token(
        call.caller,
        hash_token(token),
        expires_at=expiry_us(now_us()),
        key_hex=call.key_hex,
        asked_with=call.token_hash,
    )
    return {"token": token}


def _group_id(call: Call) -> GroupId:
    return GroupId(call.id("group"))


#: Creators that would answer a retry of the SDK with another group, or with "exists already", remember what they made.
ENDPOINTS = (
    Endpoint("GET", "cloud-integrations", list_integrations),
    Endpoint("POST", "organisation/groups", create_group, creates=True),
    Endpoint("GET", "user/current-organisation/groups", list_groups),
    Endpoint("GET", "organisation/groups/{group}", get_group),
    Endpoint("PATCH", "organisation/groups/{group}", patch_group),
    Endpoint("DELETE", "organisation/groups/{group}", delete_group),
    Endpoint("GET", "organisation/groups/{group}/users", list_group_users),
    Endpoint("POST", "organisation/groups/{group}/users", add_group_users, creates=True),
    Endpoint("POST", "organisation/groups/{group}/users/bulk-delete", remove_group_users, creates=True),
    Endpoint("GET", "organisation/users", list_users),
    Endpoint("POST", "organisation/users", add_user, creates=True),
    # An email may hold a slash, which is decoded before routes are compared.
    Endpoint("DELETE", "organisation/users/{email:path}", remove_user),
    Endpoint("GET", "organisation/organisation-tags", list_tags),
    Endpoint("POST", "organisation/organisation-tags", create_tag, creates=True),
    Endpoint("DELETE", "organisation/organisation-tags/{tag}", delete_tag),
    Endpoint("GET", "user/bearer-token", bearer_token),
)
