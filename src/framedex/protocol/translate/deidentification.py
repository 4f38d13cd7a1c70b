"""DICOM de-identification on the wire."""

from __future__ import annotations

from collections.abc import Sequence

from framedex.core.deidentification import SaveCondition
from framedex.core.errors import InvalidArguments, NotImplementedHere
from framedex.core.jobs import JobState
from framedex.protocol.dto.deidentification import DeidentificationIn, SaveConditionIn
from framedex.services.deidentification import DeidentificationState


def conditions_of(dto: DeidentificationIn) -> Sequence[SaveCondition]:
    """The conditions of a request.

    Raises:
        InvalidArguments: a value of the other type's form, with its path.
    """
    return [_condition(one, f"$.saveConditions[{n}]") for n, one in enumerate(dto.save_conditions or ())]


def _condition(one: SaveConditionIn, path: str) -> SaveCondition:
    is_in = one.condition_type == "in"
    if is_in == isinstance(one.value, str):
        form = "a list of texts" if is_in else "one text"
        raise InvalidArguments(f"the value of a condition {one.condition_type!r} is {form}", path=f"{path}.value")
    values = [one.value] if isinstance(one.value, str) else one.value
    if not values or not all(value.strip() for value in values):
        raise InvalidArguments("a condition needs a value that is not empty", path=f"{path}.value")
    return SaveCondition(is_in, one.dicom_tag, tuple(values), f"{path}.dicomTag")


def require_no_pixels(dto: DeidentificationIn) -> None:
    """Refuses to touch pixels: who asks for it must not get a file that only looks as if it was done.

    Raises:
        NotImplementedHere: always, for the modes that redact.
    """
    if dto.redact_pixels_mode != "redactNoText":
        raise NotImplementedHere(
            f"Framedex does not implement redactPixelsMode {dto.redact_pixels_mode!r}: it has no text recognition, so "
            "it cannot find text in pixels. Use DeidentifyRedactTextMode.REDACT_NO_TEXT, and look at the files that "
            "the job flags for burned-in annotation before you pass them on."
        )


def state_out(state: DeidentificationState) -> dict[str, object]:
    """`DicomDeIdGetResultResponse`; a job that was cancelled has no result, which the SDK knows as an error."""
    if state.state is JobState.DONE:
        return {"status": "DONE", "urls": list(state.urls or ())}
    return {"status": "ERROR" if state.state.is_final else "PENDING", "urls": None}
