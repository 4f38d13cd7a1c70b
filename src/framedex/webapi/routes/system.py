"""Status and the change feed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from framedex.webapi.context import Context, CurrentCaller, Limit
from framedex.webapi.schemas import ChangeOut, ChangesOut, StatusOut
from framedex.webapi.version import server_version

router = APIRouter(tags=["system"])


@router.get("/status")
def status(context: Context, caller: CurrentCaller) -> StatusOut:
    """The newest committed change, the newest that queries know of, and the version of the server."""
    return StatusOut(
        seq=context.services.changes.last_seq(),
        indexed_seq=context.services.queries.indexed_seq(),
        version=server_version(),
    )


@router.get("/changes")
def changes(
    context: Context,
    caller: CurrentCaller,
    after: Annotated[int, Query(ge=0, description="A seq: what changed behind it.")] = 0,
    limit: Limit = 1000,
) -> ChangesOut:
    """What changed, in the order of commits, as far as the caller may see it now.

    Items and folders show themselves to those who may read them. Everything else, deleted things included, shows
    itself to admins of the workspace alone. 410 when the log does not reach back, or not yet, to `after`.
    """
    feed = context.services.changes.list_changes(caller, after=after, limit=limit)
    shown = [ChangeOut(seq=c.seq, entity=c.entity, id=c.entity_id, op=c.op) for c in feed.changes]
    return ChangesOut(changes=shown, next_after=feed.next_after, seq=feed.seq)
