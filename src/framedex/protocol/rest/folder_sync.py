"""Syncs of cloud-synced folders (sdk-protocol 2.2, 3.4). They are started under one name and polled under another."""

from __future__ import annotations

from anyio import to_thread

from framedex.core.ids import FolderId, JobId
from framedex.protocol.dto.uploads import PollIn
from framedex.protocol.long_polls import until_over
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.folder_sync import sync_out


def start(call: Call) -> object:
    """`folder.sync_private_data_with_cloud_synced_folder_start`; the SDK does not retry it."""
    return call.services.folder_sync.start(call.caller, FolderId(call.id("folder")))


async def poll(call: Call) -> object:
    """`folder.sync_private_data_with_cloud_synced_folder_get_result`."""
    folder_id, job_id = FolderId(call.id("folder")), JobId(call.id("job"))
    timeout_s = call.query(PollIn).timeout_seconds

    def progress() -> object:
        return sync_out(call.services.folder_sync.progress(call.caller, folder_id, job_id))

    first = await to_thread.run_sync(progress)  # rights first, then the wait
    if timeout_s <= 0:
        return first
    await until_over(call.services, job_id, timeout_s)
    return await to_thread.run_sync(progress)


ENDPOINTS = (
    Endpoint("POST", "storage/folders/{folder}/cloud-synced-folder-syncs", start),
    Endpoint("GET", "storage/folders/{folder}/cloud-linked-folder-syncs/{job}/long-polling", waiting=poll),
)
