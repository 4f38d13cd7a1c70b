"""The 22 tags of a DICOM file that the SDK's `dicomMetadata` carries, as pydicom's JSON model, without the patient.

The list is the SDK's (reference/behaviour.md 1.6). PatientID is one of its keys: the key is there, its value is null.
Sequences keep their geometry only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PATIENT_ID = "00100020"
TAGS = (
    "00080018", PATIENT_ID, "00180050", "00181114", "00181164", "0020000D", "0020000E", "00200013", "00200032",
    "00200037", "00209113", "00209116", "00280004", "00280008", "00280010", "00280011", "00280030", "00281050",
    "00281051", "00289110", "52009229", "52009230",
)  # fmt: skip
NUMBER_OF_FRAMES = "00280008"
#: What is read of a file for them; the patient's is not.
TAG_NUMBERS = tuple(int(tag, 16) for tag in TAGS if tag != PATIENT_ID)
_SEQUENCES = frozenset({"00209113", "00209116", "00289110", "52009229", "52009230"})
_WITHIN_SEQUENCES = frozenset(TAGS) - {PATIENT_ID}


def geometry_tags(dataset: Dataset) -> dict[str, object]:
    """All 22 keys; null where the file has no such tag, or no value that can be read."""
    return {tag: None if tag == PATIENT_ID else _element(dataset, tag) for tag in TAGS}


def _element(dataset: Dataset, tag: str) -> object:
    number = int(tag, 16)
    if number not in dataset:
        return None
    try:
        element = dataset[number]
        if tag in _SEQUENCES:
            return {"vr": "SQ", "Value": [_geometry(item) for item in element.value]}
        found: dict[str, object] = element.to_json_dict(None, 0)
    except (ValueError, TypeError, OverflowError, AttributeError, NotImplementedError):
        # real files carry junk such as NumberOfFrames "1A"
        return None
    return found


def _geometry(item: Dataset) -> dict[str, object]:
    tags = (f"{int(element.tag):08X}" for element in item)
    return {tag: _element(item, tag) for tag in tags if tag in _WITHIN_SEQUENCES}
