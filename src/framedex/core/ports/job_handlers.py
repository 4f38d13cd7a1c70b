"""What a kind of job gives the runner: how to prepare a unit, how to write its effect, how to end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome
from framedex.core.ports.catalog import WriteUnit
from framedex.core.quick import quick_dataclass


@quick_dataclass(frozen=True, slots=True)
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

    def instant_units(self, job: Job) -> int:
        """How many units may be taken at once because preparing them does no I/O; 0 when it does."""
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
        """Every unit of a job in `applying` is settled: the final state.

        `APPLYING` when the end itself takes several transactions: the runner commits, and calls again.
        """
        ...


class WaitForEnd(Protocol):
    """A watched job, to wait for."""

    async def __call__(self, timeout_s: float) -> None:
        """Until the job has ended, or the timeout. Holds neither a thread nor a connection."""
        ...


class JobSignals(Protocol):
    """Tells who waits that a job came to its end. Thread-safe."""

    @property
    def is_stopping(self) -> bool:
        """The server is about to stop: whoever waits answers now."""
        ...

    def stop(self) -> None:
        """Wakes everybody, and nobody waits any more. May be called in a signal handler."""
        ...

    def ended(self, job_id: str) -> None: ...

    def has_work(self) -> None:
        """There may be new units to claim."""
        ...

    def watching(self, job_id: str) -> AbstractContextManager[WaitForEnd]:
        """Watches one job; entered before its state is read, no end is missed. For use on an event loop."""
        ...
