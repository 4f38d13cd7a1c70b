from __future__ import annotations

import io
import json
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.unit.media.probing import probe, refusal

# What the SDK demands of `dicomMetadata` (its own list, written out once more).
SDK_TAGS = {
    "00080018", "00100020", "00180050", "00181114", "00181164", "0020000D", "0020000E", "00200013", "00200032",
    "00200037", "00209113", "00209116", "00280004", "00280008", "00280010", "00280011", "00280030", "00281050",
    "00281051", "00289110", "52009229", "52009230",
}  # fmt: skip


def test_probe__facts_and_tags() -> None:
    facts = probe(ItemType.DICOM_FILE, media_files.dicom(number=3, z=7.5))
    assert (facts.mime_type, facts.width, facts.height, facts.frame_count) == ("application/dicom", 8, 8, 1)
    assert (facts.dicom_study_uid, facts.dicom_series_uid, facts.dicom_instance_uid) == (
        "1.2.3",
        "1.2.3.4",
        "1.2.3.4.3",
    )
    assert facts.extra["transfer_syntax"] == "1.2.840.10008.1.2.1"
    assert facts.dicom_tags is not None
    assert set(facts.dicom_tags) == SDK_TAGS
    assert facts.dicom_tags["00200032"] == {"vr": "DS", "Value": [0.0, 0.0, 7.5]}


def test_probe__nothing_identifies_the_patient() -> None:
    facts = probe(ItemType.DICOM_FILE, media_files.dicom())
    assert facts.dicom_tags is not None
    assert facts.dicom_tags["00100020"] is None
    assert "P-1" not in json.dumps([facts.dicom_tags, facts.extra])
    assert "Doe" not in json.dumps([facts.dicom_tags, facts.extra])


def test_probe__several_frames() -> None:
    assert probe(ItemType.DICOM_FILE, media_files.dicom(frames=5)).frame_count == 5


@pytest.mark.parametrize("junk", [b"3A", b"A "])
def test_probe__junk_in_number_of_frames(junk: bytes) -> None:
    """Three frames of pixels; the number is read by its digits, or taken from the pixels."""
    data = media_files.dicom(frames=3)
    at = data.index(b"\x28\x00\x08\x00IS") + 6
    data = data[:at] + len(junk).to_bytes(2, "little") + junk + data[at + 4 :]
    assert probe(ItemType.DICOM_FILE, data).frame_count == 3


@pytest.mark.parametrize(("name", "frames"), [("examples_ybr_color.dcm", 30), ("rtdose.dcm", 15), ("CT_small.dcm", 1)])
def test_probe__real_files(name: str, frames: int) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"NOT RUN: pydicom brings no {name}")
    data = Path(str(path)).read_bytes()
    facts = probe(ItemType.DICOM_FILE, data)
    truth = pydicom.dcmread(io.BytesIO(data))
    assert (facts.height, facts.width, facts.frame_count) == (truth.Rows, truth.Columns, frames)
    assert facts.dicom_instance_uid == truth.SOPInstanceUID


def test_probe__multi_frame_geometry_without_other_tags() -> None:
    item = pydicom.dcmread(io.BytesIO(media_files.dicom()))
    frame, plane = pydicom.Dataset(), pydicom.Dataset()
    plane.ImagePositionPatient = [1.0, 2.0, 3.0]
    plane.PatientComments = "secret"
    frame.PlanePositionSequence = [plane]
    item.PerFrameFunctionalGroupsSequence = [frame]
    out = io.BytesIO()
    item.save_as(out)
    tags = probe(ItemType.DICOM_FILE, out.getvalue()).dicom_tags
    assert tags is not None
    position = {"00200032": {"vr": "DS", "Value": [1.0, 2.0, 3.0]}}
    assert tags["52009230"] == {"vr": "SQ", "Value": [{"00209113": {"vr": "SQ", "Value": [position]}}]}


def _directory() -> bytes:
    item = pydicom.dcmread(io.BytesIO(media_files.dicom()))
    item.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    item.SOPInstanceUID = generate_uid(entropy_srcs=["directory"])
    out = io.BytesIO()
    item.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (broken_media.cut(media_files.dicom(), 0.95), "cut off: 40 of 128 bytes"),
        (broken_media.cut(media_files.dicom(), 0.4), "cut off"),
        (media_files.dicom(frames=2).replace(b"IS\x02\x002 ", b"IS\x02\x009 "), "holds 2 frames of pixels"),
        (_directory(), "DICOMDIR"),
        (media_files.png(), "not a DICOM file"),
        (b"", "not a DICOM file"),
        (bytes(128) + b"DICM", "damaged or cut off"),
    ],
)
def test_probe__broken_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(ItemType.DICOM_FILE, data)
