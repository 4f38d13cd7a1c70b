"""What the tests of registration share: files below an integration, jobs to their end, items by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from encord import EncordUserClient
from encord.orm.storage import DataUploadItems, UploadLongPollingState
from encord.storage import StorageFolder, StorageItem

from framedex.core.ports.blobs import IntegrationConfig
from framedex.services.administration import AdministrationService
from tests.builders.databases import open_catalog
from tests.protocol.curated import Server

Files = DataUploadItems | Mapping[str, Any] | str | Path


class Media:
    """A folder of its own below the root of the server's `local` integration."""

    def __init__(self, server: Server) -> None:
        self.folder = server.media / str(uuid4())
        self.folder.mkdir()

    def put(self, name: str, data: bytes) -> str:
        """Writes a file; answers its address."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path.as_uri()

    def address(self, name: str) -> str:
        """The address of a file that may not be there."""
        return (self.folder / name).as_uri()


def add_integration(server: Server, config: IntegrationConfig) -> UUID:
    """An integration beside the running server, as `framedex integrations add` does it."""
    catalog = open_catalog(server.data)
    integration = AdministrationService(catalog).add_integration(str(uuid4()), config)
    catalog.close()
    return UUID(str(integration.id))


def register(
    folder: StorageFolder, integration_id: UUID, files: Files, *, ignore_errors: bool = False
) -> UploadLongPollingState:
    """Starts a registration through the SDK and waits for its end."""
    sent: Any = files
    job = folder.add_private_data_to_folder_start(str(integration_id), sent, ignore_errors=ignore_errors)
    return folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)


def items_of(client: EncordUserClient, folder: StorageFolder) -> dict[str, StorageItem]:
    """The items of a folder by name, as a client sees them; no two may have one name."""
    items = list(client.get_storage_folder(folder.uuid).list_items(page_size=1000))
    named = {item.name: item for item in items}
    assert len(named) == len(items), sorted(item.name for item in items)
    return named


def names(items: Sequence[StorageItem]) -> list[str]:
    return [item.name for item in items]
