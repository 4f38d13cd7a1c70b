"""Requests about the workspace: users, groups, tags, integrations."""

from __future__ import annotations

import msgspec

from framedex.core.people import MemberType, WorkspaceRole


class CreateGroupIn(msgspec.Struct, rename="camel", frozen=True):
    name: str
    description: str | None = None


class PatchGroupIn(msgspec.Struct, rename="camel", frozen=True):
    name: str | None = None
    description: str | None = None


class UserEmailsIn(msgspec.Struct, rename="camel", frozen=True):
    user_emails: list[str]


class AddUserIn(msgspec.Struct, rename="camel", frozen=True):
    email: str
    role_mnemonic_name: WorkspaceRole
    member_type: MemberType


class CreateTagIn(msgspec.Struct, rename="camel", frozen=True):
    name: str
    description: str | None = None


class ListIntegrationsIn(msgspec.Struct, rename="camel", frozen=True):
    filter_integration_uuids: list[str] = []
    filter_integration_titles: list[str] = []
    include_org_access: bool = False
