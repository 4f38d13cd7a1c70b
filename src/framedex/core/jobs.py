"""Jobs: work in units, leased to workers, with a receipt for each unit.

A job is `staging` while its units are being written, `checking` while each is checked and nothing is written yet (only
jobs that are all-or-nothing), `applying` while effects are written, and then final.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from framedex.core.ids import DatasetId, FolderId, JobId, UserId
from framedex.core.quick import quick_dataclass


class JobState(StrEnum):
    STAGING = "staging"
    CHECKING = "checking"
    APPLYING = "applying"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATES

    @property
    def is_running(self) -> bool:
        return self in RUNNING_STATES


FINAL_STATES = frozenset({JobState.DONE, JobState.ERROR, JobState.CANCELLED})
RUNNING_STATES = frozenset({JobState.CHECKING, JobState.APPLYING})


class UnitState(IntEnum):
    WAITING = 0
    CHECKED = 1
    DONE = 2
    ERROR = 3
    CANCELLED = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes:
        kind: names the handler.
        options: JSON text for the handler.
        problems: texts about the job as a whole.
        title: for people: the file name of the manifest, or what was asked for.
        units_done: units with an effect (or skipped on purpose); while `checking`, checked units are counted apart.
    """

    id: JobId
    kind: str
    state: JobState
    priority: int
    user_id: UserId
    folder_id: FolderId | None
    dataset_id: DatasetId | None
    title: str
    options: str
    problems: Sequence[str]
    units_total: int
    units_done: int
    units_error: int
    units_cancelled: int
    created_at: int
    finished_at: int | None

    @property
    def units_pending(self) -> int:
        return max(0, self.units_total - self.units_done - self.units_error - self.units_cancelled)


@quick_dataclass(frozen=True, slots=True)
class ClaimedUnit:
    """A unit that this worker holds until its lease ends. `payload` and `checked` are JSON texts for the handler."""

    job_id: JobId
    position: int
    payload: str
    checked: str | None
    attempts: int


@quick_dataclass(frozen=True, slots=True)
class UnitOutcome:
    """What became of a unit. `receipt` is JSON: the effect, or `{"error", "urls", "action"}`."""

    position: int
    state: UnitState
    receipt: str | None = None
    checked: str | None = None


@quick_dataclass(frozen=True, slots=True)
class UnitReceipt:
    position: int
    state: UnitState
    payload: str
    receipt: str | None
    attempts: int
