"""Queries that encode the videos of a dataset anew (sdk-protocol 2.5)."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.core.ids import number_of
from framedex.protocol.dto.data_rows import ReencodeRowsIn
from framedex.protocol.rpc.query import Query, QueryCall
from framedex.protocol.translate.data_rows import row_id
from framedex.protocol.translate.reencoding import new_items, task_out


def start(call: QueryCall) -> object:
    """`dataset.re_encode_data`: the SDK takes a number for the job."""
    texts = call.read_payload(ReencodeRowsIn).data_hash
    ids = [row_id(text, f"values.payload.data_hash[{i}]") for i, text in enumerate(texts)]
    return number_of(call.services.reencoding.start_rows(call.caller, call.dataset_id(), ids))


def get_status(call: QueryCall) -> object:
    """`dataset.re_encode_data_status`."""
    job = call.services.reencoding.get_numbered(call.caller, call.dataset_id(), call.read_uid(int))
    results = call.services.reencoding.results(call.caller, job)
    return task_out(job, results, call.services.links.contents(new_items(results), call.caller))


QUERIES: Mapping[tuple[str, str], Query] = {
    ("reencodevideotask", "PUT"): Query(start),
    ("reencodevideotask", "GET"): Query(get_status),
}
