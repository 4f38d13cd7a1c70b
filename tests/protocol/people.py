"""What the tests of users, groups and rights share."""

from __future__ import annotations

from uuid import uuid4

from encord import EncordUserClient

from framedex.auth.openssh import generate_key_pair
from framedex.services.administration import AdministrationService
from tests.builders.databases import open_catalog
from tests.protocol.curated import Server


def a_name(stem: str) -> str:
    """A name that no other test has used."""
    return f"{stem} {uuid4()}"


def an_email() -> str:
    """An email that no other test has used."""
    return f"someone+{uuid4()}@example.org"


def client_of(server: Server, email: str, *, is_admin: bool = False) -> EncordUserClient:
    """A client of a user with a new key, who is added to the workspace when unknown: `framedex users new-key`."""
    pair = generate_key_pair(email)
    catalog = open_catalog(server.data)
    AdministrationService(catalog).add_user(email, key_hex=pair.key_hex, comment=email, is_admin=is_admin)
    catalog.close()
    return EncordUserClient.create_with_ssh_private_key(pair.private_pem.decode(), domain=server.url)


def added_email(client: EncordUserClient) -> str:
    """The email of a user without a key, newly added to the workspace."""
    email = an_email()
    client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="internal")
    return email
