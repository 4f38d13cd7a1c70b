"""Datasets: create, list, users and groups (sdk-protocol 2.4); the rest of them is v1."""

from __future__ import annotations

from framedex.core.ids import DatasetId, GroupId, parse_id
from framedex.protocol.context import Streamed
from framedex.protocol.dto.datasets import CreateDatasetIn, DatasetGroupsIn, ListDatasetsIn
from framedex.protocol.dto.organisation import UserEmailsIn
from framedex.protocol.dto.storage import GroupHashesIn
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.datasets import (
    dataset_group_out,
    dataset_list_chunks,
    dataset_query,
    dataset_role,
    dataset_user_out,
)
from framedex.protocol.translate.paging import page


def create_dataset(call: Call) -> object:
    """`user_client.create_dataset`, `create_private_dataset`; the SDK does not send the storage type."""
    dto = call.body(CreateDatasetIn)
    made = call.services.datasets.create_dataset(
        call.caller, title=dto.title, description=dto.description or "", with_folder=dto.create_backing_folder
    )
    return {"datasetUuid": made.id, "backingFolderUuid": made.backing_folder_id}


def list_datasets(call: Call) -> object:
    """`user_client.get_datasets`: all that match, oldest first."""
    query = dataset_query(call.query(ListDatasetsIn))
    return Streamed(dataset_list_chunks(call.services.datasets.iter_datasets(call.caller, query)))


def list_users(call: Call) -> object:
    """`dataset.list_users`."""
    dataset_id = _id(call)
    found = call.services.datasets.list_users(call.caller, dataset_id)
    return page([dataset_user_out(dataset_id, user.email, role) for user, role in found])


def remove_users(call: Call) -> object:
    """`dataset.remove_users`."""
    call.services.datasets.remove_users(call.caller, _id(call), call.body(UserEmailsIn).user_emails)
    return None


def list_groups(call: Call) -> object:
    """`dataset.list_groups`."""
    return page([dataset_group_out(g, role) for g, role in call.services.datasets.list_groups(call.caller, _id(call))])


def add_groups(call: Call) -> object:
    """`dataset.add_group`."""
    dto = call.body(DatasetGroupsIn)
    role = dataset_role(dto.user_role, path="$.userRole")
    ids = [GroupId(parse_id(text, path="$.groupHashList")) for text in dto.group_hash_list]
    call.services.datasets.add_groups(call.caller, _id(call), ids, role)
    return None


def remove_groups(call: Call) -> object:
    """`dataset.remove_group`."""
    ids = [GroupId(parse_id(text, path="groupHashList")) for text in call.query(GroupHashesIn).group_hash_list]
    call.services.datasets.remove_groups(call.caller, _id(call), ids)
    return None


def _id(call: Call) -> DatasetId:
    return DatasetId(call.id("dataset"))


ENDPOINTS = (
    Endpoint("POST", "datasets", create_dataset, creates=True),
    Endpoint("GET", "datasets/list", list_datasets),
    Endpoint("GET", "datasets/{dataset}/users", list_users),
    Endpoint("POST", "datasets/{dataset}/users/bulk-delete", remove_users),
    Endpoint("GET", "datasets/{dataset}/groups", list_groups),
    Endpoint("POST", "datasets/{dataset}/groups", add_groups),
    Endpoint("DELETE", "datasets/{dataset}/groups", remove_groups),
)
