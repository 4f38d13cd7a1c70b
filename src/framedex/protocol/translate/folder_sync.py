"""Syncs of folders on the wire."""

from __future__ import annotations

from framedex.core.jobs import JobState, UnitState
from framedex.services.folder_sync import Counts, SyncProgress

_STATUS = {JobState.DONE: "done", JobState.ERROR: "error", JobState.CANCELLED: "cancelled"}


def sync_out(progress: SyncProgress) -> dict[str, object]:
    """`SyncPrivateDataWithCloudSyncedFolderGetResultResponse`.

    Pages are stretches of the listing. What they lead to is told as one upload job, and as none when that is nothing.
    """
    has_objects = any(progress.objects.values())
    state = progress.state
    return {
        "status": _STATUS.get(state, "pending"),
        **_named("scanPagesProcessing", progress.stretches),
        "uploadJobsPending": int(has_objects and not state.is_final),
        "uploadJobsDone": int(has_objects and state is JobState.DONE),
        "uploadJobsError": int(has_objects and state in (JobState.ERROR, JobState.CANCELLED)),
        **_named("uploadJobsUnits", progress.objects),
    }


def _named(prefix: str, counts: Counts) -> dict[str, int]:
    waiting = counts.get(UnitState.WAITING, 0) + counts.get(UnitState.CHECKED, 0)
    return {
        f"{prefix}Pending": waiting,
        f"{prefix}Done": counts.get(UnitState.DONE, 0),
        f"{prefix}Error": counts.get(UnitState.ERROR, 0),
        f"{prefix}Cancelled": counts.get(UnitState.CANCELLED, 0),
    }
