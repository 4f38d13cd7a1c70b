"""DICOM de-identification (sdk-protocol 2.2 and 3.5)."""

from __future__ import annotations

from anyio import to_thread

from framedex.core.ids import IntegrationId, JobId, parse_id
from framedex.core.jobs import JobState
from framedex.protocol.dto.deidentification import DeidentificationIn
from framedex.protocol.dto.uploads import PollIn
from framedex.protocol.long_polls import until_over
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.deidentification import conditions_of, require_no_pixels, state_out


def start(call: Call) -> object:
    """`user_client.deidentify_dicom_files_start`; the SDK does not retry it."""
    dto = call.body(DeidentificationIn)
    require_no_pixels(dto)
    return call.services.deidentification.start(
        call.caller,
        IntegrationId(parse_id(dto.integration_uuid, path="$.integrationUuid")),
        dto.dicom_urls,
        is_redacted=dto.redact_dicom_tags,
        conditions=conditions_of(dto),
        upload_dir=dto.upload_dir,
    )


async def poll(call: Call) -> object:
    """`user_client.deidentify_dicom_files_get_result`."""
    job_id = JobId(call.id("job"))
    timeout_s = call.query(PollIn).timeout_seconds
    service = call.services.deidentification
    state = await to_thread.run_sync(service.get_state, call.caller, job_id)
    if state.state is JobState.APPLYING and timeout_s > 0:
        await until_over(call.services, job_id, timeout_s)
        state = await to_thread.run_sync(service.get_state, call.caller, job_id)
    return state_out(state)


ENDPOINTS = (
    Endpoint("POST", "dicom-deidentification", start),
    Endpoint("GET", "dicom-deidentification/{job}", waiting=poll),
)
