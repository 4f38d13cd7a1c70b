"""Uploads and upload jobs (sdk-protocol 2.2 and 3.1)."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.core.ids import FolderId, IntegrationId, JobId, parse_id
from framedex.core.media_types import ItemType
from framedex.protocol.bodies import MANIFEST_CAP
from framedex.protocol.context import Streamed
from framedex.protocol.dto.uploads import PollIn, PresignedUrlsIn, UploadJobIn, UploadSignedUrlsIn
from framedex.protocol.long_polls import settled
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.jobs import upload_state_chunks
from framedex.protocol.translate.manifests import manifest_of
from framedex.protocol.translate.paging import page

_MAX_PRESIGNED = 200


def upload_signed_urls(call: Call) -> object:
    """Every `folder.upload_*`, `create_image_group`, `create_image_sequence`, `create_dicom_series`."""
    dto = call.body(UploadSignedUrlsIn)
    return _reserved(call, FolderId(call.id("folder")), dto.item_type, dto.count)


def presigned_urls(call: Call) -> object:
    """`dataset.upload_*` and `folder.upload_scene_file`: the folder is named when the upload is registered."""
    dto = call.query(PresignedUrlsIn)
    if dto.count > _MAX_PRESIGNED:
        raise InvalidArguments(f"count may be at most {_MAX_PRESIGNED}; this is {dto.count}")
    return _reserved(call, None, dto.upload_item_type, dto.count)


def _reserved(call: Call, folder_id: FolderId | None, item_type: ItemType, count: int) -> object:
    places = call.services.uploads.reserve(call.caller, folder_id, item_type, count)
    return page(
        [
            {
                "itemUuid": place.item_id,
                "objectKey": place.object_key,
                "signedUrl": call.services.links.upload(place, call.caller),
                "uploadHeaders": {},
            }
            for place in places
        ]
    )


def start_upload_job(call: Call) -> object:
    """`folder.add_private_data_to_folder_start`, and the last step of every upload."""
    dto = call.body(UploadJobIn)
    integration = dto.integration_hash
    return call.services.registration.start(
        call.caller,
        FolderId(call.id("folder")),
        manifest_of(typed=dto.data_items, external=dto.external_files, names=("dataItems", "externalFiles"), path="$"),
        integration_id=None if integration is None else IntegrationId(parse_id(integration, path="$.integrationHash")),
        ignore_errors=dto.ignore_errors,
        title=dto.file_name or "",
    )


async def poll_upload_job(call: Call) -> object:
    """`folder.add_private_data_to_folder_get_result`."""
    job_id, folder_id = JobId(call.id("job")), FolderId(call.id("folder"))
    timeout_s = call.query(PollIn).timeout_seconds
    progress = await settled(call.services, call.caller, job_id, timeout_s, folder_id=folder_id)
    registration = call.services.registration
    if not progress.job.state.is_final:
        return Streamed(upload_state_chunks(progress, (), ()))
    return Streamed(upload_state_chunks(progress, registration.iter_items(job_id), registration.iter_errors(job_id)))


def cancel_upload_job(call: Call) -> object:
    """`folder.add_data_to_folder_job_cancel`."""
    job_id, folder_id = JobId(call.id("job")), FolderId(call.id("folder"))
    return {"unitsCancelledCount": call.services.registration.cancel(call.caller, job_id, folder_id=folder_id)}


_JOB = "storage/folders/{folder}/data-upload-jobs/{job}"

ENDPOINTS = (
    Endpoint("POST", "storage/folders/{folder}/upload-signed-urls", upload_signed_urls, creates=True),
    Endpoint("GET", "presigned-urls", presigned_urls),
    Endpoint(
        "POST", "storage/folders/{folder}/data-upload-jobs", start_upload_job, creates=True, body_cap=MANIFEST_CAP
    ),
    Endpoint("GET", _JOB, waiting=poll_upload_job),
    Endpoint("POST", _JOB + "/cancel", cancel_upload_job, creates=True),
)
