"""Progress of units that take long, shown in their receipts while they are under way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from framedex.core.errors import Conflict
from framedex.core.jobs import ClaimedUnit
from framedex.core.ports.catalog import Catalog

_NOTE_EVERY_S = 3.0


def noting(catalog: Catalog, unit: ClaimedUnit) -> Callable[[float], None]:
    """Shows the share that is done in the unit, and ends the work when the job was cancelled.

    What is answered raises `Conflict` then.
    """
    next_at = time.monotonic()

    def on_progress(share: float) -> None:
        nonlocal next_at
        if time.monotonic() < next_at:
            return
        with catalog.read() as read:
            state = read.jobs.states([unit.job_id]).get(unit.job_id)
        if state is None or state[0].is_final:
            raise Conflict("the job was cancelled")
        with catalog.write(frees=True) as write:
            write.jobs.note(unit, json.dumps({"progress": round(share, 3)}))
        next_at = time.monotonic() + _NOTE_EVERY_S

    return on_progress
