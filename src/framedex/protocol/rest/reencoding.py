"""Videos encoded anew (sdk-protocol 2.2, 3.5)."""

from __future__ import annotations

from framedex.core.ids import ItemId, JobId, parse_id
from framedex.protocol.dto.storage import ReencodeIn
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.reencoding import process_out


def start(call: Call) -> object:
    """`folder.re_encode_videos`; the SDK does not retry it."""
    dto = call.body(ReencodeIn)
    ids = [ItemId(parse_id(text, path=f"$.storageItems[{i}]")) for i, text in enumerate(dto.storage_items)]
    return call.services.reencoding.start(
        call.caller, ids, title=dto.process_title, is_forced=dto.force_full_reencoding
    )


def get_status(call: Call) -> object:
    """`folder.get_re_encoding_status`."""
    job = call.services.reencoding.get_job(call.caller, JobId(call.id("process")))
    return process_out(job, call.services.reencoding.results(call.caller, job))


ENDPOINTS = (
    Endpoint("POST", "storage/items/reencode", start),
    Endpoint("GET", "storage/items/reencode/{process}", get_status),
)
