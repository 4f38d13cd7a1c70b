"""Folders and integrations: where things are, and where they come from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from framedex.core.folders import FolderQuery
from framedex.core.ids import FolderId, parse_id
from framedex.core.paging import PageRequest, SortBy
from framedex.webapi.answers import folder_out, integration_out
from framedex.webapi.context import Context, CurrentCaller, Cursor, Limit
from framedex.webapi.cursors import ListCursor
from framedex.webapi.schemas import FoldersOut, IntegrationsOut

router = APIRouter(tags=["places"])


@router.get("/folders")
def list_folders(
    context: Context,
    caller: CurrentCaller,
    parent: Annotated[str | None, Query(description="Children of this folder; without it the top level.")] = None,
    search: Annotated[str | None, Query(description="Part of the name, in any case.")] = None,
    *,
    recursive: Annotated[bool, Query(description="All folders below, not only children.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> FoldersOut:
    """Folders that the caller may see, by name."""
    parent_id = None if parent is None else FolderId(parse_id(parent, path="query.parent"))
    position = ListCursor(
        context.cursors, "folders", parent_id, search, int(recursive), caller.user_id, int(caller.sees_workspace)
    )
    texts = position.texts(cursor, 2)
    after = None if texts is None else (texts[0], texts[1])
    query = FolderQuery(parent_id=parent_id, search=search, is_recursive=recursive)
    page = context.services.folders.list_folders(caller, query, PageRequest(limit, after, SortBy.NAME))
    following = None if page.after is None else position.after(*page.after)
    return FoldersOut(folders=[folder_out(f) for f in page.rows], next_cursor=following)


@router.get("/integrations")
def list_integrations(context: Context, caller: CurrentCaller) -> IntegrationsOut:
    """Integrations that the caller has a role on."""
    found = context.services.imports.usable_integrations(caller)
    return IntegrationsOut(integrations=[integration_out(i) for i in found], next_cursor=None)
