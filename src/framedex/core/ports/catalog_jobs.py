"""Jobs and units in the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from framedex.core.access import Caller
from framedex.core.ids import FolderId, JobId
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitReceipt, UnitState


class JobReads(Protocol):
    """Reading jobs."""

    def get(self, job_id: JobId) -> Job | None: ...

    def find_numbered(self, number: int, kind: str) -> Job | None:
        """The job of this kind whose id begins with the 64 bits of `number`, for callers that take numbers only."""
        ...

    def states(self, job_ids: Sequence[JobId]) -> Mapping[JobId, tuple[JobState, int]]:
        """State and the number of units that are no longer pending, by job. One query."""
        ...

    def list_recent(self, caller: Caller, before_id: JobId | None, limit: int) -> Sequence[Job]:
        """The caller's jobs, newest first."""
        ...

    def receipts(
        self, job_id: JobId, *, after: int, limit: int, states: Sequence[UnitState] = ()
    ) -> Sequence[UnitReceipt]:
        """Units in order of position, beginning behind `after` (-1 for the first)."""
        ...

    def receipt_texts(self, job_id: JobId, state: UnitState, *, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Position and receipt of units in this state behind the position `after`, in order, without their payloads."""
        ...

    def runnable(self, now_us: int) -> Sequence[Job]:
        """Jobs in `checking` or `applying`, most urgent first."""
        ...

    def waiting_units(self, job: Job, limit: int) -> Sequence[ClaimedUnit]:
        """The next open units of a job that the worker holds as a whole, in order; those leased alone are left out."""
        ...

    def count_open(self, job_id: JobId) -> Mapping[UnitState, int]:
        """Units that are not settled, by state."""
        ...

    def count_between(self, job_id: JobId, first: int, end: int) -> Mapping[UnitState, int]:
        """Units by state, of the positions from `first` up to `end`."""
        ...

    def count_running(self, folder_id: FolderId) -> int: ...


class JobWrites(JobReads, Protocol):
    """Writing jobs."""

    def add(self, job: Job) -> None: ...

    def add_units(self, job_id: JobId, units: Sequence[tuple[int, UnitState, str, str | None]]) -> None:
        """Adds units as (position, state, payload, receipt)."""
        ...

    def extend(self, job_id: JobId, units: Sequence[tuple[int, UnitState, str, str | None]]) -> None:
        """As `add_units`, to a job that runs: its total grows."""
        ...

    def activate(self, job_id: JobId, state: JobState, *, total: int, errors: int) -> None:
        """Ends staging."""
        ...

    def drop_staging(self, older_than_us: int) -> int:
        """Removes jobs whose staging was interrupted: their caller never got an id."""
        ...

    def claim(self, job: Job, *, worker: str, limit: int, now_us: int, lease_us: int) -> Sequence[ClaimedUnit]:
        """Leases up to `limit` units that nobody holds (or whose lease ended), in order."""
        ...

    def hold(self, job_id: JobId, worker: str, *, now_us: int, lease_us: int) -> bool:
        """Leases a running job as a whole, or prolongs that lease; False when another worker has it.

        For instant jobs: a lease on each unit would write each unit once more.
        """
        ...

    def renew(self, worker: str, now_us: int, lease_us: int) -> None:
        """Prolongs every lease of a worker."""
        ...

    def release(self, worker: str) -> None:
        """Ends every lease of a worker: somebody else may take the units at once."""
        ...

    def postpone(self, unit: ClaimedUnit, *, not_before_us: int) -> None:
        """Gives a unit back to be tried again later."""
        ...

    def note(self, unit: ClaimedUnit, receipt: str) -> None:
        """Shows what is known of a unit under way, until its outcome takes the place."""
        ...

    def held(self, job_id: JobId, worker: str, positions: Sequence[int]) -> set[int]:
        """Which of these units the worker still holds, alone or with their job: the others must not be applied."""
        ...

    def settle(self, job_id: JobId, outcomes: Sequence[UnitOutcome]) -> None:
        """Writes outcomes, ends the leases and moves the job's counters."""
        ...

    def set_state(
        self, job_id: JobId, state: JobState, *, now_us: int, problems: Sequence[str] = (), reset_done: bool = False
    ) -> None: ...

    def cancel_open_units(self, job_id: JobId) -> int:
        """Cancels units that are neither done nor failed; answers how many."""
        ...

    def cancel_done_units(self, job_id: JobId, positions: Sequence[int]) -> None:
        """Turns done units whose effect was taken back into cancelled ones without a receipt."""
        ...

    def abandon_leases(self) -> int:
        """Ends every lease, whoever holds it; only for a process that holds the data directory alone."""
        ...

    def reopen(self, job_id: JobId, state: JobState, *, options: str, with_done: bool) -> int:
        """Puts failed and cancelled units back to waiting (with `with_done`, settled ones too) and the job to `state`.

        Answers how many units wait; with none, nothing is changed.
        """
        ...
