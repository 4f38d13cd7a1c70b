"""Folders (sdk-protocol 2.1)."""

from __future__ import annotations

from functools import partial

import msgspec

from framedex.core.access import Role
from framedex.core.clock import to_iso
from framedex.core.errors import InvalidArguments
from framedex.core.folders import FolderQuery
from framedex.core.ids import FolderId, GroupId, IntegrationId, parse_id
from framedex.core.metadata.encord_block import check_client_metadata
from framedex.core.metadata.raw import check_metadata
from framedex.protocol.dto.storage import (
    CreateFolderIn,
    FolderGroupsIn,
    GroupHashesIn,
    ListFoldersIn,
    MoveFoldersIn,
    PatchFolderIn,
    PatchFoldersBulkIn,
)
from framedex.protocol.rest.endpoint import Call, Endpoint
from framedex.protocol.translate.folders import folder_out, folder_patch, summary_out
from framedex.protocol.translate.paging import page


def list_top_level(call: Call) -> object:
    """`user_client.list_storage_folders`."""
    return _list(call, None, recursive=False)


def find_folders(call: Call) -> object:
    """`user_client.find_storage_folders`: everywhere below the root."""
    return _list(call, None, recursive=True)


def list_subfolders(call: Call) -> object:
    """`folder.list_subfolders`, and `find_subfolders` with `isRecursive`."""
    return _list(call, FolderId(call.id("folder")), recursive=call.query(ListFoldersIn).is_recursive)


def _list(call: Call, parent_id: FolderId | None, *, recursive: bool) -> object:
    dto = call.query(ListFoldersIn)
    query = FolderQuery(
        parent_id=parent_id,
        search=dto.search,
        is_recursive=recursive,
        dataset_synced=dto.dataset_synced,
        tag_names=tuple(dto.organisation_tag_names_allof),
    )
    same = ("folders", parent_id, query.search, recursive, query.dataset_synced, query.tag_names)
    wanted = call.cursors.page(dto.page_token, size=dto.page_size, sort_by=dto.order, descending=dto.desc, query=same)
    found = call.services.folders.list_folders(call.caller, query, wanted)
    return page([folder_out(f) for f in found.rows], call.cursors.token(wanted, found.after, same))


def create_folder(call: Call) -> object:
    """`user_client.create_storage_folder`, `folder.create_subfolder`."""
    dto = call.body(CreateFolderIn)
    text, remote = dto.client_metadata, dto.cloud_synced_folder_params
    parent_id = None if dto.parent is None else FolderId(parse_id(dto.parent, path="$.parent"))
    metadata = None if text is None else check_client_metadata(text, path="$.clientMetadata")
    description = dto.description or ""
    if remote is None:
        create = call.services.folders.create_folder
    else:
        integration = parse_id(remote.integration_uuid, path="$.cloudSyncedFolderParams.integrationUuid")
        create = partial(
            call.services.folder_sync.create_folder,
            integration_id=IntegrationId(integration),
            remote_url=remote.remote_url,
        )
    made = create(call.caller, name=dto.name, description=description, parent_id=parent_id, metadata=metadata)
    return folder_out(made)


def get_folder(call: Call) -> object:
    """`user_client.get_storage_folder`, `folder.refetch_data`."""
    return folder_out(call.services.folders.get_folder(call.caller, FolderId(call.id("folder"))))


def patch_folder(call: Call) -> object:
    """`folder.update`."""
    folder_id = FolderId(call.id("folder"))
    patched = call.services.folders.update_folders(call.caller, {folder_id: folder_patch(call.body(PatchFolderIn))})
    return folder_out(patched[0])


def patch_folders_bulk(call: Call) -> object:
    """`folder.update` in a bundle: all or none."""
    patches = {
        FolderId(parse_id(text, path="$.folderPatches")): folder_patch(dto, path=f"$.folderPatches.{text}")
        for text, dto in call.body(PatchFoldersBulkIn).folder_patches.items()
    }
    return page([folder_out(f) for f in call.services.folders.update_folders(call.caller, patches)])


def delete_folder(call: Call) -> object:
    """`folder.delete`."""
    call.services.folders.delete_folder(call.caller, FolderId(call.id("folder")))
    return None


def move_folders(call: Call) -> object:
    """`folder.move_to_folder`."""
    dto = call.body(MoveFoldersIn)
    parent = dto.new_parent_uuid
    parent_id = None if parent is None else FolderId(parse_id(parent, path="$.newParentUuid"))
    folder_ids = [FolderId(parse_id(text, path="$.folderUuids")) for text in dto.folder_uuids]
    call.services.folders.move_folders(call.caller, folder_ids, parent_id)
    return None


def folder_summary(call: Call) -> object:
    """`folder.get_summary`."""
    return summary_out(call.services.folders.summary(call.caller, FolderId(call.id("folder"))))


def get_config(call: Call) -> object:
    """`folder.get_folder_config`."""
    return msgspec.Raw(call.services.folders.config(call.caller, FolderId(call.id("folder"))).encode())


def set_config(call: Call) -> object:
    """`folder.enable_metadata_ingestion`: the whole config is kept as it comes, every key verbatim."""
    text = check_metadata(call.body(msgspec.Raw), path="$")
    call.services.folders.set_config(call.caller, FolderId(call.id("folder")), text)
    return None


def list_groups(call: Call) -> object:
    """`folder.list_groups`."""
    found = call.services.folders.list_groups(call.caller, FolderId(call.id("folder")))
    return page(
        [
            {
                "groupHash": group.id,
                "name": group.name,
                "description": group.description,
                "createdAt": to_iso(group.created_at),
                "isSameOrganisation": True,
                "userRole": role.value,
            }
            for group, role in found
        ]
    )


def add_groups(call: Call) -> object:
    """`folder.add_group`."""
    dto = call.body(FolderGroupsIn)
    if dto.user_role not in list(Role):
        raise InvalidArguments(f"{dto.user_role!r} is not a role on folders; use 'user' or 'admin'", path="$.userRole")
    ids = [GroupId(parse_id(text, path="$.groupHashList")) for text in dto.group_hash_list]
    call.services.folders.add_groups(call.caller, FolderId(call.id("folder")), ids, Role(dto.user_role))
    return None


def remove_groups(call: Call) -> object:
    """`folder.remove_group`."""
    ids = [GroupId(parse_id(text, path="groupHashList")) for text in call.query(GroupHashesIn).group_hash_list]
    call.services.folders.remove_groups(call.caller, FolderId(call.id("folder")), ids)
    return None


#: What changes something by POST answers a retry of the SDK with the first result.
ENDPOINTS = (
    Endpoint("GET", "storage/folders", list_top_level),
    Endpoint("POST", "storage/folders", create_folder, creates=True),
    Endpoint("GET", "storage/search/folders", find_folders),
    Endpoint("PATCH", "storage/folders/patch-bulk", patch_folders_bulk),
    Endpoint("POST", "storage/folders/move", move_folders, creates=True),
    Endpoint("GET", "storage/folders/{folder}", get_folder),
    Endpoint("PATCH", "storage/folders/{folder}", patch_folder),
    Endpoint("DELETE", "storage/folders/{folder}", delete_folder),
    Endpoint("GET", "storage/folders/{folder}/folders", list_subfolders),
    Endpoint("GET", "storage/folders/{folder}/summary", folder_summary),
    Endpoint("GET", "storage/folders/{folder}/folder-config", get_config),
    Endpoint("POST", "storage/folders/{folder}/folder-config", set_config, creates=True),
    Endpoint("GET", "storage/folders/{folder}/groups", list_groups),
    Endpoint("POST", "storage/folders/{folder}/groups", add_groups, creates=True),
    Endpoint("DELETE", "storage/folders/{folder}/groups", remove_groups),
)
