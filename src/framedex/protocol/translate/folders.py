"""Folders on the wire."""

from __future__ import annotations

import msgspec
from msgspec import UnsetType

from framedex.core.clock import to_iso
from framedex.core.folders import Folder, FolderPatch, PathElement
from framedex.core.items import FolderSummary
from framedex.core.media_types import ItemType
from framedex.core.metadata.encord_block import check_client_metadata
from framedex.protocol.dto.storage import PatchFolderIn

#: The field of `StorageFolderSummary` that counts each kind.
_COUNTERS = {
    "videos": ItemType.VIDEO,
    "images": ItemType.IMAGE,
    "imageGroups": ItemType.IMAGE_GROUP,
    "imageSequences": ItemType.IMAGE_SEQUENCE,
    "dicomFiles": ItemType.DICOM_FILE,
    "dicomSeries": ItemType.DICOM_SERIES,
    "niftis": ItemType.NIFTI,
    "audios": ItemType.AUDIO,
    "pdfs": ItemType.PDF,
    "plainTexts": ItemType.PLAIN_TEXT,
}


def folder_out(folder: Folder) -> dict[str, object]:
    """`StorageFolder`. A folder seen through `includeOrgAccess` alone shows the role `user`, the smallest there is."""
    return {
        "uuid": folder.id,
        "parent": folder.parent_id,
        "name": folder.name,
        "description": folder.description,
        "clientMetadata": folder.metadata,
        "owner": folder.owner,
        "createdAt": to_iso(folder.created_at),
        "lastEditedAt": to_iso(folder.edited_at),
        "userRole": "user" if folder.role is None else folder.role.value,
        "syncedDatasetHash": folder.dataset_id,
        "pathToRoot": [_path_element_out(element) for element in folder.path],
        "folderType": folder.folder_type.value,
        "integrationHash": folder.integration_id,
        "remoteUrl": folder.remote_url,
    }


def _path_element_out(element: PathElement) -> dict[str, object]:
    return {
        "uuid": element.id,
        "parentUuid": element.parent_id,
        "name": element.name,
        "syncedDatasetHash": element.dataset_id,
    }


def folder_patch(dto: PatchFolderIn, *, path: str = "$") -> FolderPatch:
    """What a `PatchFolderPayload` changes."""
    return FolderPatch(dto.name, dto.description, metadata_text(dto.client_metadata, path=f"{path}.clientMetadata"))


def metadata_text(raw: msgspec.Raw | UnsetType, *, path: str) -> str | None:
    """Exact text of a metadata object; None when the key is absent.

    Raises:
        InvalidArguments: not an object, past a limit, or frames in a wrong form, with the path.
    """
    return None if isinstance(raw, UnsetType) else check_client_metadata(raw, path=path)


def summary_out(summary: FolderSummary) -> dict[str, object]:
    """`StorageFolderSummary`; `files` counts every item."""
    counts: dict[str, object] = {name: summary.by_type.get(kind, 0) for name, kind in _COUNTERS.items()}
    return counts | {
        "files": sum(summary.by_type.values()),
        "folders": summary.folders,
        "tombstones": summary.tombstones,
        "uploadJobs": summary.upload_jobs,
        "totalSize": float(summary.total_size),
    }
