"""Re-encoding jobs on the wire (sdk-protocol 3.5; decision 0018 says what the SDK leaves open)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.jobs import Job, JobState, UnitState
from framedex.services.reencoding import Reencoded

_UNDER_WAY, _DONE, _ERROR = "submitted", "done", "error"
_UNIT_STATUS = {UnitState.DONE: _DONE, UnitState.ERROR: _ERROR, UnitState.CANCELLED: "cancelled"}


def job_status(job: Job) -> str:
    """`JobStatus` of a job; one that was cancelled has failed, as the SDK has no word for it."""
    if not job.state.is_final:
        return _UNDER_WAY
    return _DONE if job.state is JobState.DONE else _ERROR


def new_items(results: Sequence[Reencoded]) -> Sequence[Item]:
    """The videos of a job, each once."""
    return list({result.new.id: result.new for result in results if result.new is not None}.values())


def process_out(job: Job, results: Sequence[Reencoded]) -> dict[str, object]:
    """`ReencodeVideoItemsResponse`: what became of each video, as soon as all have ended."""
    listed = [_result_out(result) for result in results] if job.state.is_final else None
    return {"status": job_status(job), "result": listed}


def _result_out(result: Reencoded) -> dict[str, object]:
    facts = result.facts
    return {
        "storageItem": result.item_id,
        "status": _UNIT_STATUS.get(result.state, _UNDER_WAY),
        "reencodedItem": None if result.new is None else result.new.id,
        "title": None if result.new is None else result.new.name,
        "alreadyThere": result.is_known,
        "error": result.error,
        "frameRate": facts.get("rate"),
        "frameCount": facts.get("frames"),
        "keepsFrameNumbers": facts.get("is_one_to_one"),
        "lostFrames": facts.get("lost_frames"),
    }


def task_out(job: Job, results: Sequence[Reencoded], links: Mapping[ItemId, str | None]) -> dict[str, object]:
    """`ReEncodeVideoTask`: the videos that there are, by the data row that was named."""
    made = [(result, result.new) for result in results if result.new is not None]
    listed = [
        {"data_hash": result.row_id, "signed_url": links[new.id], "bucket_path": new.url or new.object_key or ""}
        for result, new in made
    ]
    return {"status": job_status(job).upper(), "result": listed if job.state.is_final else None}
