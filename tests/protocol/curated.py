"""What the tests of collections, presets and data groups share: registered images, and shared folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx
from encord import EncordUserClient
from encord.storage import StorageFolder

from framedex.core.access import Role
from framedex.core.ids import FolderId
from tests.builders.databases import open_catalog


class Server(Protocol):
    """What these tests need of the `server` fixture."""

    @property
    def url(self) -> str: ...
    @property
    def data(self) -> Path: ...
    @property
    def media(self) -> Path: ...
    @property
    def integration_id(self) -> str: ...


def register(server: Server, folder: StorageFolder, named: Sequence[tuple[str, Mapping[str, object]]]) -> list[UUID]:
    """Registers an image with each title and metadata through the SDK's job route, and answers their ids in order.

    The media facts are supplied, so that nothing is read; each title may come again, each address is another.
    """
    images = [
        {
            "objectUrl": f"file://{server.media}/{folder.uuid}-{number}.png",
            "title": title,
            "clientMetadata": dict(metadata),
            "imageMetadata": {"fileSize": 10 + number, "width": 4, "height": 3, "mimeType": "image/png"},
        }
        for number, (title, metadata) in enumerate(named)
    ]
    job = folder.add_private_data_to_folder_start(str(server.integration_id), {"images": images})
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    assert result.unit_errors == []
    by_url = {item.url: item.uuid for item in folder.list_items(page_size=1000)}
    return [by_url[str(image["objectUrl"])] for image in images]


def share(server: Server, folder: StorageFolder, email: str, role: Role) -> None:
    """Gives a user a role on a folder, in the catalog beside the running server."""
    catalog = open_catalog(server.data)
    with catalog.write() as unit:
        user = unit.people.user_by_email(email)
        assert user is not None
        unit.folders.set_role(FolderId(str(folder.uuid)), user.id, role)
    catalog.close()


def raw(server: Server, client: EncordUserClient) -> httpx.Client:
    """A client that sends and shows bytes as they are, for what the SDK would never send or hides."""
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}", "Content-Type": "application/json"}
    return httpx.Client(base_url=f"{server.url}/v2/public", headers=headers, timeout=30)
