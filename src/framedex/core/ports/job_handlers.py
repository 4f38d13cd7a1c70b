"""What a kind of job gives the runner: how to prepare a unit, how to write its effect, how to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome
from framedex.core.ports.catalog import WriteUnit


@dataclass(frozen=True, slots=True)
class Prepared:
    """A unit ready to be applied. `work` is the handler's own; `checked` is JSON that a later `prepare` starts from."""

    unit: ClaimedUnit
    work: object
    checked: str | None = None


class JobHandler(Protocol):
    """One kind of job.

    The runner calls `prepare` outside transactions, from several threads, perhaps more than once for a unit; `apply`
    inside the transaction that also writes receipts, for units that this worker still holds: exactly one effect.
    """

    def is_instant(self, job: Job) -> bool:
        """Whether preparing its units does no I/O, so that they can be taken by the thousand."""
        ...

    def prepare(self, job: Job, unit: ClaimedUnit) -> Prepared:
        """Everything slow about a unit.

        Raises:
            DomainError: the unit fails with this message; `Unavailable` is tried again later.
        """
        ...

    def apply(self, write: WriteUnit, job: Job, prepared: Sequence[Prepared]) -> Sequence[UnitOutcome]:
        """Writes the effects; answers an outcome for each. A unit may still fail here, without any effect."""
        ...

    def discard(self, prepared: Prepared) -> None:
        """The unit was not applied (cancelled, lost lease): frees what `prepare` made."""
        ...

    def unit_failed(self, unit: ClaimedUnit, message: str) -> str:
        """The receipt of a unit that failed."""
        ...

    def after_checking(self, write: WriteUnit, job: Job, errors: int) -> JobState:
        """Every unit of a job in `checking` was checked: what comes next."""
        ...

    def after_applying(self, write: WriteUnit, job: Job, errors: int) -> JobState:
        """Every unit of a job in `applying` is settled: the final state."""
        ...


class JobSignals(Protocol):
    """Tells who waits that a job moved. Thread-safe."""

    def changed(self, job_id: str) -> None: ...

    def has_work(self) -> None:
        """There may be new units to claim."""
        ...

    async def wait_changed(self, job_id: str, timeout_s: float) -> None:
        """Until the job moves, or the timeout. Holds neither a thread nor a connection."""
        ...
