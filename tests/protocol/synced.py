"""What the tests of synced folders share."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from encord import EncordUserClient
from encord.orm.storage import (
    CloudSyncedFolderParams,
    SyncPrivateDataWithCloudSyncedFolderGetResultResponse,
    SyncPrivateDataWithCloudSyncedFolderStatus,
)
from encord.storage import StorageFolder, StorageItem

SyncResult = SyncPrivateDataWithCloudSyncedFolderGetResultResponse
Status = SyncPrivateDataWithCloudSyncedFolderStatus


def synced_folder(client: EncordUserClient, integration: UUID | str, remote_url: str) -> StorageFolder:
    """A new folder that follows what lies below an address."""
    params = CloudSyncedFolderParams(integration_uuid=UUID(str(integration)), remote_url=remote_url)
    return client.create_storage_folder(f"synced {uuid4()}", cloud_synced_folder_params=params)


def sync(folder: StorageFolder) -> SyncResult:
    """Syncs to the end, which has to be a good one."""
    result = folder.sync_private_data_with_cloud_synced_folder_get_result(
        folder.sync_private_data_with_cloud_synced_folder_start(), timeout_seconds=120
    )
    assert result.status is Status.DONE, result
    return result


def held(client: EncordUserClient, folder: StorageFolder) -> dict[str, StorageItem]:
    """Items by name, as somebody else sees them; no two may have one name."""
    items = list(client.get_storage_folder(folder.uuid).list_items(page_size=1000))
    named = {item.name: item for item in items}
    assert len(named) == len(items), sorted(item.name for item in items)
    return named


def is_gone(item: StorageItem) -> bool:
    """Whether an item is a tombstone; the SDK shows it nowhere else."""
    return item._orm_item.is_tombstone


def state(items: dict[str, StorageItem]) -> dict[str, Any]:
    """What a sync may change of each item."""
    return {
        name: (item.uuid, is_gone(item), item.file_size, item.width, item.client_metadata)
        for name, item in items.items()
    }


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
