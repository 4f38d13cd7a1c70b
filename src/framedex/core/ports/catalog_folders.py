"""Folders in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framedex.core.access import Caller, Role, Standing
from framedex.core.folders import Folder, FolderPatch, FolderQuery, NewFolder
from framedex.core.ids import FolderId, GroupId
from framedex.core.items import FolderSummary
from framedex.core.paging import Page, PageRequest
from framedex.core.people import Group


class FolderReads(Protocol):
    """Reading folders."""

    def standing(self, caller: Caller, folder_id: FolderId) -> Standing | None:
        """The caller's best role on the folder or an ancestor; None when there is no such folder. One query."""
        ...

    def standings(self, caller: Caller, folder_ids: Sequence[FolderId]) -> Mapping[FolderId, Standing]:
        """As `standing` for many; absent folders are left out."""
        ...

    def get(self, caller: Caller, folder_id: FolderId) -> Folder | None:
        """The folder with role and path, whether or not the caller may see it."""
        ...

    def get_many(self, caller: Caller, folder_ids: Sequence[FolderId]) -> Mapping[FolderId, Folder]: ...

    def list_page(self, caller: Caller, query: FolderQuery, page: PageRequest) -> Page[Folder]:
        """Folders of the query that the caller may read. A folder whose parent is hidden counts as top level."""
        ...

    def top_level(self, folder_id: FolderId) -> FolderId | None:
        """The root above a folder (itself when it is one)."""
        ...

    def descendants(self, folder_id: FolderId) -> Sequence[FolderId]:
        """The folder and all below it, deepest last."""
        ...

    def summary(self, folder_id: FolderId) -> FolderSummary:
        """Counts of direct contents."""
        ...

    def config(self, folder_id: FolderId) -> str:
        """The folder-config as JSON text."""
        ...

    def group_roles(self, folder_id: FolderId) -> Sequence[tuple[Group, Role]]:
        """Groups with a role on this folder itself, by name."""
        ...


class FolderWrites(FolderReads, Protocol):
    """Writing folders."""

    def add(self, folder: NewFolder) -> None:
        """Adds the folder with its place in the tree; the owner becomes ADMIN of it."""
        ...

    def patch(self, folder_id: FolderId, patch: FolderPatch, now_us: int) -> None: ...

    def move(self, folder_id: FolderId, parent_id: FolderId | None, now_us: int) -> None:
        """Moves a folder with all below it.

        Raises:
            InvalidArguments: the new parent is the folder itself or below it.
        """
        ...

    def delete(self, folder_ids: Sequence[FolderId]) -> None:
        """Deletes folders with roles and tree rows; datasets that they back lose them. They must hold no items."""
        ...

    def set_config(self, folder_id: FolderId, text: str) -> None: ...

    def set_role(self, folder_id: FolderId, subject_id: str, role: Role) -> None: ...

    def remove_roles(self, folder_id: FolderId, subject_ids: Sequence[GroupId]) -> int:
        """Takes the roles of groups away; ids of users are ignored. Answers how many there were."""
        ...
