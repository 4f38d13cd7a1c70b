"""Queries that register data through a dataset, and wait for it (sdk-protocol 2.5, 3.2, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

from anyio import to_thread

from framedex.core.ids import FolderId, IntegrationId, JobId, parse_id
from framedex.protocol.bodies import MANIFEST_CAP
from framedex.protocol.context import Streamed
from framedex.protocol.dto.data_rows import DatasetUploadIn, PollDatasetUploadIn
from framedex.protocol.long_polls import settled
from framedex.protocol.rpc.query import Query, QueryCall
from framedex.protocol.translate.jobs import dataset_state_chunks
from framedex.protocol.translate.manifests import manifest_of

_PAYLOAD = "values.payload"


def start_upload(call: QueryCall) -> object:
    """`dataset.add_private_data_to_dataset_start`, and the last step of `dataset.upload_*` and `create_*`."""
    dataset_id = call.dataset_in_uid()
    dto = call.read_payload(DatasetUploadIn)
    folder, integration = dto.folder_uuid, dto.integration_id
    job_id = call.services.dataset_uploads.start(
        call.caller,
        dataset_id,
        manifest_of(typed=dto.data_items, external=dto.files, names=("dataItems", "files"), path=_PAYLOAD),
        folder_id=None if folder is None else FolderId(parse_id(folder, path=f"{_PAYLOAD}.folderUuid")),
        integration_id=None
        if integration is None
        else IntegrationId(parse_id(integration, path=f"{_PAYLOAD}.integrationId")),
        ignore_errors=dto.ignore_errors,
        title=dto.file_name or "",
    )
    return {"process_hash": job_id}


async def poll_upload(call: QueryCall) -> object:
    """`dataset.add_private_data_to_dataset_get_result`, and the wait inside `dataset.upload_*`."""
    dataset_id = call.dataset_in_uid()
    dto = call.read_payload(PollDatasetUploadIn)
    job_id = JobId(parse_id(dto.process_hash, path=f"{_PAYLOAD}.process_hash"))
    uploads = call.services.dataset_uploads
    await to_thread.run_sync(uploads.require_job, call.caller, dataset_id, job_id)
    progress = await settled(call.services, call.caller, job_id, dto.timeout_seconds)
    errors = call.services.registration.iter_errors(job_id) if progress.job.state.is_final else ()
    return Streamed(dataset_state_chunks(progress, uploads.iter_linked(progress.job), errors))


QUERIES: Mapping[tuple[str, str], Query] = {
    ("datasetdatalongpolling", "POST"): Query(start_upload, body_cap=MANIFEST_CAP),
    ("datasetdatalongpolling", "GET"): Query(waiting=poll_upload),
}
