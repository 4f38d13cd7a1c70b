"""Folders: create, list, move, delete, configure, share with groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from framedex.core.access import Action, Caller, Role, require
from framedex.core.chunks import MAX_BULK, chunks
from framedex.core.clock import now_us
from framedex.core.collections import check_description
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.folders import Folder, FolderPatch, FolderQuery, FolderType, NewFolder, check_name
from framedex.core.ids import FolderId, GroupId, IntegrationId, ItemId, new_id
from framedex.core.items import FolderSummary
from framedex.core.paging import Page, PageRequest
from framedex.core.people import Group
from framedex.core.ports.blobs import OwnBlobs
from framedex.core.ports.catalog import Catalog, Entity, Op, ReadUnit, WriteUnit
from framedex.core.sync import sidecar_rule
from framedex.services.synced_folders import require_sidecars

#: Items that one transaction of deleting a folder takes away: it must not keep other writers waiting for long.
MAX_DELETED = 20_000


def require_folder(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, folder_id: FolderId) -> None:
    """Refuses unless the caller may do `action` on the folder.

    Raises:
        NotPermitted: they may not, or there is no such folder.
    """
    require(action, caller, unit.folders.standing(caller, folder_id), f"folder {folder_id}")


def loaded(unit: ReadUnit | WriteUnit, caller: Caller, folder_id: FolderId) -> Folder:
    """A folder that is known to exist."""
    folder = unit.folders.get(caller, folder_id)
    if folder is None:
        raise NotPermitted(f"There is no folder {folder_id} that you may use.")
    return folder


def require_top_level(unit: ReadUnit | WriteUnit, action: Action, caller: Caller, folder_id: FolderId) -> None:
    """Refuses unless the caller may do `action` on the folder and it stands at the top of what they see.

    Raises:
        NotPermitted: they may not, or there is no such folder. InvalidArguments: it lies in another.
    """
    require_folder(unit, action, caller, folder_id)
    above = loaded(unit, caller, folder_id).path
    if above:
        raise InvalidArguments(
            f"folder {folder_id} lies in another; name its top-level folder {above[0].id}", path="topLevelFolderUuid"
        )


class FolderService:
    """Use cases of folders."""

    def __init__(self, catalog: Catalog, blobs: OwnBlobs) -> None:
        self._catalog = catalog
        self._blobs = blobs

    def create_folder(
        self,
        caller: Caller,
        *,
        name: str,
        description: str = "",
        parent_id: FolderId | None = None,
        metadata: str | None = None,
        remote: tuple[IntegrationId, str] | None = None,
    ) -> Folder:
        """Creates a folder; the caller becomes its ADMIN. Below a parent it needs USER there.

        Args:
            remote: of a synced folder, what it follows; rights were checked (`FolderSyncService.create_folder`).
        """
        folder = NewFolder(
            id=FolderId(new_id()),
            parent_id=parent_id,
            name=check_name(name),
            owner_id=caller.user_id,
            created_at=now_us(),
            description=check_description(description),
            metadata=metadata,
            folder_type=FolderType.GENERIC if remote is None else FolderType.CLOUD_LINKED,
            integration_id=None if remote is None else remote[0],
            remote_url=None if remote is None else remote[1],
        )
        with self._catalog.write() as unit:
            if parent_id is not None:
                require_folder(unit, Action.WRITE, caller, parent_id)
            unit.folders.add(folder)
            unit.log(Entity.FOLDER, Op.CREATE, [folder.id])
            unit.audit(caller.user_id, "folder.create", Entity.FOLDER, [folder.id])
            return loaded(unit, caller, folder.id)

    def get_folder(self, caller: Caller, folder_id: FolderId) -> Folder:
        """One folder.

        Raises:
            NotPermitted: not the caller's to see, or not there.
        """
        with self._catalog.read() as unit:
            require_folder(unit, Action.READ, caller, folder_id)
            return loaded(unit, caller, folder_id)

    def list_folders(self, caller: Caller, query: FolderQuery, page: PageRequest) -> Page[Folder]:
        """A page of folders that the caller may see."""
        with self._catalog.read() as unit:
            if query.parent_id is not None:
                require_folder(unit, Action.READ, caller, query.parent_id)
            return unit.folders.list_page(caller, query, page)

    def update_folders(self, caller: Caller, patches: Mapping[FolderId, FolderPatch]) -> Sequence[Folder]:
        """Patches up to 1000 folders, all or none.

        Raises:
            InvalidArguments: too many, or a bad name. NotPermitted: one of them is not the caller's to edit.
        """
        if len(patches) > MAX_BULK:
            raise InvalidArguments(f"at most {MAX_BULK} folders in one request; this has {len(patches)}")
        for patch in patches.values():
            if patch.name is not None:
                check_name(patch.name)
            if patch.description is not None:
                check_description(patch.description)
        ids = list(patches)
        with self._catalog.write() as unit:
            standings = unit.folders.standings(caller, ids)
            for folder_id in ids:
                require(Action.WRITE, caller, standings.get(folder_id), f"folder {folder_id}")
            now = now_us()
            for folder_id, patch in patches.items():
                unit.folders.patch(folder_id, patch, now)
            unit.log(Entity.FOLDER, Op.UPDATE, ids)
            unit.audit(caller.user_id, "folder.update", Entity.FOLDER, ids)
            found = unit.folders.get_many(caller, ids)
        return [found[folder_id] for folder_id in ids]

    def move_folders(self, caller: Caller, folder_ids: Sequence[FolderId], parent_id: FolderId | None) -> None:
        """Moves folders below another, or to the top level. Needs ADMIN on each and USER on the new parent."""
        with self._catalog.write() as unit:
            if parent_id is not None:
                require_folder(unit, Action.WRITE, caller, parent_id)
            for folder_id in folder_ids:
                require_folder(unit, Action.ADMINISTER, caller, folder_id)
                unit.folders.move(folder_id, parent_id, now_us())
            moved = [below for folder_id in folder_ids for below in unit.folders.descendants(folder_id)]
            unit.log(Entity.FOLDER, Op.UPDATE, moved)
            unit.audit(caller.user_id, "folder.move", Entity.FOLDER, folder_ids, parent=parent_id)

    def delete_folder(self, caller: Caller, folder_id: FolderId) -> None:
        """Deletes a folder with everything below it. Needs ADMIN.

        One with very many items loses most of them first, in transactions that others' writes go between; after a crash
        in the middle, calling again does the rest.

        Raises:
            InvalidArguments: a registration into it is still running.
        """
        is_gone = False
        while not is_gone:
            with self._catalog.write(frees=True) as unit:
                require_folder(unit, Action.ADMINISTER, caller, folder_id)
                folder_ids = unit.folders.descendants(folder_id)
                if any(unit.jobs.count_running(f) for f in folder_ids):
                    raise InvalidArguments("a job is still registering into this folder; wait for it or cancel it")
                item_ids = list(islice(unit.items.iter_ids(folder_ids), MAX_DELETED + 1))
                is_gone = len(item_ids) <= MAX_DELETED
                object_keys = _delete_items(unit, item_ids[:MAX_DELETED])
                action = "folder.delete" if is_gone else "folder.empty"
                unit.audit(caller.user_id, action, Entity.FOLDER, folder_ids, items=len(item_ids[:MAX_DELETED]))
                if is_gone:
                    _delete_empty(unit, folder_ids)
            for key in object_keys:
                self._blobs.delete(key)

    def summary(self, caller: Caller, folder_id: FolderId) -> FolderSummary:
        with self._catalog.read() as unit:
            require_folder(unit, Action.READ, caller, folder_id)
            return unit.folders.summary(folder_id)

    def config(self, caller: Caller, folder_id: FolderId) -> str:
        """The folder-config as JSON text."""
        with self._catalog.read() as unit:
            require_folder(unit, Action.READ, caller, folder_id)
            return unit.folders.config(folder_id)

    def set_config(self, caller: Caller, folder_id: FolderId, text: str) -> None:
        """Replaces the folder-config, unknown keys included. Needs ADMIN.

        Raises:
            InvalidArguments: what it says of sidecars is wrong, or cannot be done in this folder.
        """
        rule = sidecar_rule(text)
        with self._catalog.write() as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            if rule is not None:
                require_sidecars(unit, loaded(unit, caller, folder_id), rule)
            unit.folders.set_config(folder_id, text)
            unit.log(Entity.FOLDER, Op.UPDATE, [folder_id])
            unit.audit(caller.user_id, "folder.configure", Entity.FOLDER, [folder_id])

    def list_groups(self, caller: Caller, folder_id: FolderId) -> Sequence[tuple[Group, Role]]:
        with self._catalog.read() as unit:
            require_folder(unit, Action.READ, caller, folder_id)
            return unit.folders.group_roles(folder_id)

    def add_groups(self, caller: Caller, folder_id: FolderId, group_ids: Sequence[GroupId], role: Role) -> None:
        """Gives groups a role. Needs ADMIN.

        Raises:
            InvalidArguments: an unknown group.
        """
        with self._catalog.write() as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            for group_id in group_ids:
                if unit.people.group(group_id) is None:
                    raise InvalidArguments(f"there is no group {group_id}", path="$.groupHashList")
                unit.folders.set_role(folder_id, group_id, role)
            unit.log(Entity.RIGHTS, Op.UPDATE, [folder_id])
            unit.audit(caller.user_id, "folder.share", Entity.FOLDER, [folder_id], groups=list(group_ids), role=role)

    def remove_groups(self, caller: Caller, folder_id: FolderId, group_ids: Sequence[GroupId]) -> None:
        """Takes the roles of groups away. Needs ADMIN."""
        with self._catalog.write(frees=True) as unit:
            require_folder(unit, Action.ADMINISTER, caller, folder_id)
            unit.folders.remove_roles(folder_id, group_ids)
            unit.log(Entity.RIGHTS, Op.UPDATE, [folder_id])
            unit.audit(caller.user_id, "folder.unshare", Entity.FOLDER, [folder_id], groups=list(group_ids))


def _delete_items(unit: WriteUnit, item_ids: Sequence[ItemId]) -> Sequence[str]:
    """Answers the keys of objects that nothing uses any more."""
    object_keys: list[str] = []
    for chunk in chunks(item_ids):
        unit.log(Entity.DATA_ROW, Op.DELETE, unit.datasets.rows_of(chunk))
        object_keys.extend(unit.items.delete(chunk))
    unit.log(Entity.ITEM, Op.DELETE, item_ids)
    return object_keys


def _delete_empty(unit: WriteUnit, folder_ids: Sequence[FolderId]) -> None:
    """Deletes folders that hold no item any more, with their collections and presets."""
    for chunk in chunks(folder_ids):
        # A dataset outlives its mirror folder, empty: the SDK has no call that deletes one.
        unit.log(Entity.DATASET, Op.UPDATE, unit.datasets.detach_folders(chunk))
        collection_ids, preset_ids = unit.curation.of_folders(chunk)
        for part in chunks(collection_ids):
            unit.curation.delete_collections(part)
        for presets in chunks(preset_ids):
            unit.curation.delete_presets(presets)
        unit.log(Entity.COLLECTION, Op.DELETE, collection_ids)
        unit.log(Entity.PRESET, Op.DELETE, preset_ids)
    unit.folders.delete(folder_ids)
    unit.log(Entity.FOLDER, Op.DELETE, folder_ids)
