"""Upload jobs on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import NAMESPACE_OID, uuid5

import msgspec

from framedex.core.jobs import JobState
from framedex.services.dataset_uploads import LinkedItem
from framedex.services.registration import Progress, UnitError

_CHUNK = 2000
_encode = msgspec.json.Encoder().encode

#: `LongPollingStatus` of each state.
_STATUS = {JobState.DONE: "DONE", JobState.ERROR: "ERROR", JobState.CANCELLED: "CANCELLED"}


def status(state: JobState) -> str:
    """`LongPollingStatus` of a state."""
    return _STATUS.get(state, "PENDING")


def unit_error_out(job_id: str, error: UnitError) -> dict[str, object]:
    """`DataUnitError`; `subtaskUuid` is stable for a unit of a job."""
    return {
        "objectUrls": list(error.urls),
        "error": error.error,
        "subtaskUuid": str(uuid5(NAMESPACE_OID, f"{job_id}/{error.position}")),
        "actionDescription": error.action,
    }


def counts(progress: Progress) -> dict[str, object]:
    """The four counters of units."""
    return {
        "unitsPendingCount": progress.units_pending,
        "unitsDoneCount": progress.units_done,
        "unitsErrorCount": progress.job.units_error,
        "unitsCancelledCount": progress.job.units_cancelled,
    }


def upload_state_chunks(
    progress: Progress, items: Iterable[tuple[str, str]], errors: Iterable[UnitError]
) -> Iterator[bytes]:
    """`UploadLongPollingState` in pieces: a job may have registered, or failed on, half a million units."""
    fields: dict[str, object] = {
        "status": status(progress.job.state),
        "errors": progress.error_texts,
        "fileName": progress.job.title or None,
        **counts(progress),
    }
    yield _encode(fields)[:-1] + b',"unitErrors":['
    yield from json_list_chunks(unit_error_out(progress.job.id, e) for e in errors)
    yield b'],"itemsWithNames":['
    yield from json_list_chunks({"itemUuid": item_id, "name": name} for item_id, name in items)
    yield b"]}"


def dataset_state_chunks(
    progress: Progress, linked: Iterable[Sequence[LinkedItem]], errors: Iterable[UnitError]
) -> Iterator[bytes]:
    """`DatasetDataLongPolling` in pieces."""
    fields: dict[str, object] = {
        "status": status(progress.job.state),
        "errors": progress.error_texts,
        **counts(progress),
    }
    yield _encode(fields)[:-1] + b',"dataUnitErrors":['
    yield from json_list_chunks(unit_error_out(progress.job.id, e) for e in errors)
    yield b'],"dataHashesWithTitles":['
    if progress.job.state.is_final:
        yield from json_list_chunks(
            {"data_hash": item.row_id, "title": item.title, "backing_item_uuid": item.item_id}
            for piece in linked
            for item in piece
        )
    yield b"]}"


def json_list_chunks(rows: Iterable[object]) -> Iterator[bytes]:
    """The inside of a JSON list, a few thousand rows at a time."""
    walk = iter(rows)
    separator = b""
    while batch := list(islice(walk, _CHUNK)):
        yield separator + _encode(batch)[1:-1]
        separator = b","
