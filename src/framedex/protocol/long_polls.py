"""Polls that are held until a job ends: for at most 60 seconds, without a thread or a database connection."""

from __future__ import annotations

import time

from anyio import to_thread

from framedex.core.access import Caller
from framedex.core.ids import FolderId, JobId
from framedex.services.bundle import Services
from framedex.services.registration import Progress

#: The SDK polls again by itself; its own read timeout is 180 s.
HOLD_S = 60.0
#: Work of other processes sends no signal here: looked for at this interval.
_LOOK_AGAIN_S = 2.0


async def settled(
    services: Services, caller: Caller, job_id: JobId, timeout_s: float, *, folder_id: FolderId | None = None
) -> Progress:
    """The job when it is final, or as it stands when the time is over."""
    deadline = time.monotonic() + min(max(timeout_s, 0.0), HOLD_S)
    while True:
        progress = await to_thread.run_sync(lambda: services.registration.progress(caller, job_id, folder_id=folder_id))
        left = deadline - time.monotonic()
        if progress.job.state.is_final or left <= 0:
            return progress
        await services.signals.wait_changed(job_id, min(left, _LOOK_AGAIN_S))
