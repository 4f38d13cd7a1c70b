"""Users, groups, tags and integrations on the wire."""

from __future__ import annotations

from framedex.core.clock import to_iso
from framedex.core.people import Group, OrganisationTag, User, role_uuid
from framedex.core.ports.catalog_people import Integration


def group_out(group: Group) -> dict[str, object]:
    """`Group`."""
    return {
        "groupHash": group.id,
        "name": group.name,
        "description": group.description,
        "createdAt": to_iso(group.created_at),
    }


def group_user_out(user: User) -> dict[str, object]:
    """`GroupUser`."""
    return {"userEmail": user.email}


def user_out(user: User) -> dict[str, object]:
    """`OrganisationUser`."""
    return {
        "email": user.email,
        "roleMnemonicName": user.role.value,
        "roleUuid": role_uuid(user.role),
        "memberType": user.member_type.value,
        "createdAt": to_iso(user.created_at),
        "lastEditedAt": to_iso(user.edited_at),
    }


def tag_out(tag: OrganisationTag) -> dict[str, object]:
    """`OrganisationTag`."""
    return {"uuid": tag.id, "name": tag.name}


def integration_out(integration: Integration) -> dict[str, object]:
    """`CloudIntegrationV2`."""
    return {"integrationUuid": integration.id, "title": integration.title}
