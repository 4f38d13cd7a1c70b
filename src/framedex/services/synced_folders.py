"""What synced folders let nobody do by hand: their contents follow a bucket."""

from __future__ import annotations

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments
from framedex.core.folders import Folder, FolderType
from framedex.core.ids import FolderId, IntegrationId
from framedex.core.ports.catalog import ReadUnit, WriteUnit
from framedex.core.sync import INGESTION, SidecarRule


def refuse_synced(unit: ReadUnit | WriteUnit, caller: Caller, folder_id: FolderId) -> None:
    """Refuses to add to a synced folder, or to take from it, by another way than a sync.

    Raises:
        InvalidArguments: it is one.
    """
    folder = unit.folders.get(caller, folder_id)
    if folder is not None and folder.folder_type is FolderType.CLOUD_LINKED:
        raise InvalidArguments(
            f"the folder {folder.name!r} follows {folder.remote_url} and takes nothing by hand: put the objects there "
            "and sync the folder, or use another folder"
        )


def require_sidecars(unit: ReadUnit | WriteUnit, folder: Folder, rule: SidecarRule) -> None:
    """Refuses to look for sidecars where no sync would ever read one.

    Raises:
        InvalidArguments: the folder follows no bucket, or one whose objects are never read.
    """
    integration = unit.people.integration(remote_of(folder)[0])
    if integration is not None and integration.config.strict_client_only and not rule.is_paused:
        raise InvalidArguments(
            f"the integration {integration.title!r} is strict client-only: the server reads no sidecar of it; "
            "set paused to leave sidecars out without reading them",
            path=f"$.{INGESTION}.paused",
        )


def remote_of(folder: Folder) -> tuple[IntegrationId, str]:
    """The integration and the address that a synced folder follows.

    Raises:
        InvalidArguments: it follows none.
    """
    if folder.folder_type is not FolderType.CLOUD_LINKED or folder.integration_id is None or folder.remote_url is None:
        raise InvalidArguments(
            f"the folder {folder.name!r} is not cloud-synced; create one with cloud_synced_folder_params"
        )
    return folder.integration_id, folder.remote_url
