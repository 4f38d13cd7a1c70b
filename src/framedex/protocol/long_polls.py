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
    """The job when it is final, or as it stands when the time is over or the server stops."""
    deadline = time.monotonic() + min(max(timeout_s, 0.0), HOLD_S)

    def progress() -> Progress:
        return services.registration.progress(caller, job_id, folder_id=folder_id)

    with services.signals.watching(job_id) as wait_for_end:
        first = await to_thread.run_sync(progress)
        if first.job.state.is_final:
            return first
        while (left := deadline - time.monotonic()) > 0 and not services.signals.is_stopping:
            await wait_for_end(min(left, _LOOK_AGAIN_S))
            if await to_thread.run_sync(services.registration.is_over, job_id):
                break
    return await to_thread.run_sync(progress) if timeout_s > 0 else first


async def until_over(services: Services, job_id: JobId, timeout_s: float) -> None:
    """Until a job of any kind is final or gone, or the time is over, or the server stops."""
    deadline = time.monotonic() + min(max(timeout_s, 0.0), HOLD_S)
    with services.signals.watching(job_id) as wait_for_end:
        while not await to_thread.run_sync(services.registration.is_over, job_id):
            left = deadline - time.monotonic()
            if left <= 0 or services.signals.is_stopping:
                return
            await wait_for_end(min(left, _LOOK_AGAIN_S))
