"""Queries about one dataset as a whole: itself with its rows, and its users (sdk-protocol 2.5)."""

from __future__ import annotations

from collections.abc import Mapping

from framedex.protocol.context import Streamed
from framedex.protocol.dto.data_rows import DatasetUsersIn, GetDatasetIn
from framedex.protocol.rpc.query import Query, QueryCall
from framedex.protocol.translate.data_rows import dataset_chunks
from framedex.protocol.translate.datasets import dataset_role, dataset_v1_out, role_number


def get_dataset(call: QueryCall) -> object:
    """`user_client.get_dataset`, `dataset.refetch_data`, `dataset.set_access_settings`."""
    settings = call.read_payload(GetDatasetIn).dataset_access_settings
    dataset = call.services.datasets.get_dataset(call.caller, call.dataset_id())
    fields = dataset_v1_out(dataset)
    if not settings.fetch_rows:
        return fields
    with_metadata = settings.fetch_client_metadata
    rows = call.services.data_rows.iter_rows(call.caller, dataset.id, with_metadata=with_metadata)
    return Streamed(dataset_chunks(fields, rows, with_metadata=with_metadata))


def add_users(call: QueryCall) -> object:
    """`dataset.add_users`: who has a role already keeps it, and is answered with it."""
    dataset_id = call.dataset_in_uid()
    dto = call.read_payload(DatasetUsersIn)
    role = dataset_role(dto.user_role, path="values.payload.user_role")
    found = call.services.datasets.add_users(call.caller, dataset_id, dto.user_emails, role)
    return [
        {"user_email": user.email, "user_role": role_number(own), "dataset_hash": dataset_id} for user, own in found
    ]


QUERIES: Mapping[tuple[str, str], Query] = {
    ("dataset", "GET"): Query(get_dataset),
    ("datasetusers", "POST"): Query(add_users),
}
