from __future__ import annotations

import io
import struct
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.dicom.deidentify import make
from framedex.media.limits import Limits
from tests.builders import dicom_files
from tests.builders.dicom_files import (
    META_SECRET,
    NESTED_SECRET,
    PERSON,
    PLAIN_SYNTAXES,
    PREAMBLE_SECRET,
    TRAILING_SECRET,
    image_dataset,
    written,
)
from tests.conftest import require_tool
from tests.unit.media.dicom.deidentifying import deidentify, read, texts
from tests.unit.media.probing import probe

# The SDK's docstring of `deidentify_dicom_files`, written out once more.
PROMISED = {
    0x00080018, 0x00100010, 0x00180050, 0x00180088, 0x0020000D, 0x0020000E, 0x00200032, 0x00200037, 0x00280008,
    0x00281050, 0x00281051, 0x00520014,
}  # fmt: skip
# What pixels cannot be read without, and functional groups.
NEEDED = {
    0x00080016, 0x00280002, 0x00280004, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
    0x00280103, 0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203, 0x00281221, 0x00281222,
    0x00281223, 0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010,
}  # fmt: skip
GROUPS = {0x52009229, 0x52009230, 0x00209113, 0x00209116, 0x00289110, 0x00289132}
SECRETS = [
    *(value for value in PERSON.values()), *(part for value in PERSON.values() for part in value.split("^")),
    NESTED_SECRET, META_SECRET, PREAMBLE_SECRET, TRAILING_SECRET, "QUIXOTE", "nested follow-up",
]  # fmt: skip


def _assert_gone(data: bytes) -> None:
    assert [secret for secret in SECRETS if len(secret) > 3 and secret.encode() in data] == []


def _all_tags(dataset: Dataset) -> Iterator[int]:
    for element in dataset:
        yield int(element.tag)
        if element.VR == "SQ":
            for item in element.value:
                yield from _all_tags(item)


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES, ids=lambda uid: uid.name)
def test_make__promised_tags_stay_and_the_person_goes(syntax: str) -> None:
    data = written(image_dataset(3), syntax)
    for secret in (PREAMBLE_SECRET, META_SECRET):
        assert secret.encode() in data
    result, facts = deidentify(data)
    old, new = read(data), read(result)
    assert {int(tag) for tag in new.keys()} == (PROMISED | NEEDED) & {int(tag) for tag in old.keys()}  # noqa: SIM118  # no mapping
    for tag in (PROMISED | NEEDED) - {0x00100010}:
        if tag in old:
            assert str(new[tag].value) == str(old[tag].value)
            assert new[tag].VR == old[tag].VR
    assert new["PatientName"].value == ""
    assert new.PixelData == old.PixelData
    assert (new.pixel_array == old.pixel_array).all()
    assert (facts["new_uids"], facts["dropped"], facts["unmet"]) == ([], [], [])
    _assert_gone(result)
    assert len(result) % 2 == 0


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES, ids=lambda uid: uid.name)
def test_make__file_meta_is_made_anew_and_right(syntax: str) -> None:
    result, _ = deidentify(written(image_dataset(), syntax))
    meta = read(result).file_meta
    assert (meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID) == (syntax, "1.2.3.4.1")
    assert {element.keyword for element in meta} == {
        "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName",
    }  # fmt: skip
    pydicom.dataset.validate_file_meta(meta, enforce_standard=True)
    length = struct.unpack("<L", result[140:144])[0]
    assert result[144 + length : 144 + length + 2] in (b"\x08\0", b"\0\x08") or syntax.endswith("99")
    assert result[:128] == bytes(128)


def test_make__encapsulated_pixels_stay_byte_for_byte() -> None:
    data = dicom_files.run_length(2)
    result, facts = deidentify(data)
    old, new = read(data), read(result)
    assert new.file_meta.TransferSyntaxUID == RLELossless
    assert (new.PixelData, new["PixelData"].VR) == (old.PixelData, old["PixelData"].VR)
    assert (new.pixel_array == old.pixel_array).all()
    start, end = facts["tail"]
    assert result.endswith(data[start:end])
    _assert_gone(result)


def test_make__functional_groups_keep_geometry_alone() -> None:
    positions = [(0.0, 0.0, 2.5 * i) for i in range(4)]
    result, _ = deidentify(dicom_files.enhanced(positions, times=[1, 2, 1, 2]))
    new = read(result)
    assert set(_all_tags(new)) <= PROMISED | NEEDED | GROUPS
    frames = new.PerFrameFunctionalGroupsSequence
    assert [tuple(f.PlanePositionSequence[0].ImagePositionPatient) for f in frames] == positions
    shared = new.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].SliceThickness == 2.5
    assert list(shared.PlaneOrientationSequence[0].ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    _assert_gone(result)


def test_make__a_frame_without_geometry_keeps_its_place_among_the_groups() -> None:
    item = image_dataset(2)
    plain, placed, plane = Dataset(), Dataset(), Dataset()
    plane.ImagePositionPatient = [0, 0, 7]
    plain.FrameComments, placed.PlanePositionSequence = NESTED_SECRET, [plane]
    item.PerFrameFunctionalGroupsSequence = [plain, placed]
    new = read(deidentify(written(item))[0])
    assert [len(frame) for frame in new.PerFrameFunctionalGroupsSequence] == [0, 1]


def test_make__without_redaction_the_file_is_a_copy() -> None:
    data = written(image_dataset())
    result, facts = deidentify(data, is_redacted=False)
    assert result == data
    assert facts["tail"] == [0, len(data)]


@pytest.mark.parametrize(
    ("keyword", "junk", "tag"),
    [
        ("SliceThickness", "Doe Jane", "00180050"),
        ("WindowCenter", "40\\Doe", "00281050"),
        ("PhotometricInterpretation", "JANE DOE", "00280004"),
    ],
)
def test_make__text_in_a_kept_tag_does_not_ride_along(keyword: str, junk: str, tag: str) -> None:
    item = image_dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        item[keyword] = pydicom.DataElement(keyword, "LO", junk)  # what reads as text wherever the VR is stored
        result, facts = deidentify(written(item))
    assert facts["dropped"] == [tag]
    assert b"Doe" not in result
    assert b"DOE" not in result


def test_make__junk_behind_the_number_of_frames_is_cut_off() -> None:
    data = written(image_dataset(3))
    at = data.index(b"\x28\x00\x08\x00IS") + 6
    data = data[:at] + b"\x02\x003A" + data[at + 4 :]
    new = read(deidentify(data)[0])
    assert new.NumberOfFrames == 3


def test_make__a_uid_that_is_none_gets_another_one() -> None:
    """The SDK's service: `StudyInstanceUID_deid` is identical unless StudyInstanceUID was invalid."""
    item = image_dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        item.StudyInstanceUID, item.SOPInstanceUID = "Zuckerkandl-77", "Theodora.1"
        data = written(item)
    (one, facts), (again, _), (other, _) = deidentify(data), deidentify(data), deidentify(data, salt="another")
    assert facts["new_uids"] == ["00080018", "0020000D"]
    assert one == again
    assert read(one).StudyInstanceUID.is_valid
    assert read(one).StudyInstanceUID.startswith("2.25.")
    assert read(other).StudyInstanceUID != read(one).StudyInstanceUID
    assert read(one).file_meta.MediaStorageSOPInstanceUID == read(one).SOPInstanceUID
    assert read(one).SeriesInstanceUID == "1.2.3.4"
    _assert_gone(one)


def test_make__every_file_of_pydicom() -> None:
    """Real files of all makes: readable, same pixels, nothing but what is named, and no removed text anywhere."""
    done = 0
    for name, data in dicom_files.bundled():
        try:
            result, _ = deidentify(data)
        except InvalidArguments:
            continue
        done += 1
        old, new = read(data), read(result)
        assert set(_all_tags(new)) <= PROMISED | NEEDED | GROUPS, name
        assert new.file_meta.TransferSyntaxUID == old.file_meta.get(
            "TransferSyntaxUID", new.file_meta.TransferSyntaxUID
        )
        for tag in (0x7FE00008, 0x7FE00009, 0x7FE00010):
            assert (tag in new) == (tag in old), name
            if tag in old:
                assert new.get_item(tag).value == old.get_item(tag).value, name
        _assert_removed(name, old, new, result)
        again = probe(ItemType.DICOM_FILE, result)
        assert (again.dicom_instance_uid, again.dicom_series_uid) == (
            new.SOPInstanceUID, new.get("SeriesInstanceUID") or None
        ), name  # fmt: skip
    assert done >= 120


def _assert_removed(name: str, old: Dataset, new: Dataset, result: bytes) -> None:
    kept = [str(new[tag].value) for tag in PROMISED | NEEDED if tag in new and tag < 0x7FE00000]
    for tag, text in texts(old):
        # what says the same as a kept value is not removed, but repeated
        if len(text) > 3 and text.strip(b"\0 ") and not any(text.decode("utf-8", "replace") in value for value in kept):
            assert text not in result, f"{name}: {tag:08X} {text!r}"


@pytest.mark.parametrize(
    ("tag", "is_in", "values", "is_met"),
    [
        ("Modality", True, ["ct", "pt", "nm"], True),
        ("Modality", True, [" CT "], True),
        ("Modality", True, ["mr"], False),
        ("Modality", True, ["c"], False),
        ("ImageType", True, ["primary"], True),
        ("ImageType", True, ["ORIGINAL\\PRIMARY\\AXIAL"], True),
        ("ImageType", False, ["PRIMARY"], False),
        ("ImageType", False, ["prim"], False),
        ("ImageType", False, ["SECONDARY"], True),
        ("00080060", True, ["CT"], True),
        ("0x00080060", True, ["CT"], True),
        ("x00080060", True, ["CT"], True),
        ("(0008,0060)", True, ["CT"], True),
        ("PatientName", False, ["theodora"], False),
        ("PatientName", True, ["Zuckerkandl^Theodora"], True),
        ("InstanceNumber", True, ["1"], True),
        ("SliceThickness", True, ["2.50"], True),
        ("BodyPartExamined", True, ["CHEST"], False),
        ("BodyPartExamined", False, ["CHEST"], True),
        ("TransferSyntaxUID", True, [str(ExplicitVRLittleEndian)], True),
        ("00191001", False, ["Theodora"], False),
    ],
)
def test_make__conditions(tag: str, is_in: bool, values: list[str], is_met: bool) -> None:
    condition = {"tag": tag, "is_in": is_in, "values": values, "path": "$"}
    result, facts = deidentify(written(image_dataset()), condition)
    assert facts["unmet"] == ([] if is_met else [0])
    assert bool(result) is is_met


def test_make__all_conditions_must_be_met() -> None:
    met = {"tag": "Modality", "is_in": True, "values": ["CT"], "path": "$"}
    unmet = {"tag": "Modality", "is_in": False, "values": ["CT"], "path": "$"}
    assert deidentify(written(image_dataset()), met, unmet)[1]["unmet"] == [1]
    assert deidentify(written(image_dataset()), unmet, met, is_redacted=False) == (
        b"", deidentify(written(image_dataset()), unmet)[1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("ImageTyp", "'ImageTyp' is no DICOM tag"),
        ("", "no DICOM tag"),
        ("PixelData", "no text"),
        ("0040A730", "no text"),
    ],
)
def test_make__a_condition_on_what_is_no_tag_is_refused_before_a_file_is_read(tag: str, words: str) -> None:
    condition = {"tag": tag, "is_in": True, "values": ["x"], "path": "$.saveConditions[2].dicomTag"}
    asked = {"conditions": [condition], "is_redacted": True, "salt": ""}
    with pytest.raises(InvalidArguments, match=words) as refused:
        make([], io.BytesIO(), asked, Limits())
    assert refused.value.message.startswith("$.saveConditions[2].dicomTag: ")


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({}, "no"),
        ({"BurnedInAnnotation": "YES"}, "yes"),
        ({"BurnedInAnnotation": "NO"}, "no"),
        ({"RecognizableVisualFeatures": "YES"}, "yes"),
        ({"Modality": "US"}, "possible"),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, "no"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "possible"),
        ({"ConversionType": "WSD"}, "possible"),
        ({"BurnedInAnnotation": "NO", "OverlayBitPosition": 12}, "possible"),
    ],
)
def test_make__burned_in_annotation_is_flagged(change: dict[str, Any], flag: str) -> None:
    item = image_dataset()
    for keyword, value in change.items():
        if keyword == "OverlayBitPosition":
            item.add_new(0x60000102, "US", value)
        else:
            setattr(item, keyword, value)
    _, facts = deidentify(written(item))
    assert facts["burned_in"] == flag
    assert facts["burned_in_reason"]


@pytest.mark.parametrize("missing", ["SOPClassUID", "SOPInstanceUID"])
def test_make__no_object_without_its_uids(missing: str) -> None:
    data = written(image_dataset())
    item = read(data)
    delattr(item, missing)
    del item.file_meta.MediaStorageSOPClassUID
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        item.save_as(out)
    with pytest.raises(InvalidArguments, match=r"SOPClassUID|SOPInstanceUID"):
        deidentify(out.getvalue())


@pytest.mark.parametrize("syntax", PLAIN_SYNTAXES, ids=lambda uid: uid.name)
def test_make__dcmtk_reads_it(syntax: str, tmp_path: Path) -> None:
    """Another reader, which is strict about lengths and file meta."""
    program = require_tool("dcmdump", "dcmtk")
    path = tmp_path / "clean.dcm"
    path.write_bytes(deidentify(written(image_dataset(2), syntax))[0])
    done = subprocess.run([program, "--quote-nonascii", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(0010,0010) PN (no value available)" in done.stdout
    assert "PixelData" in done.stdout
    assert not any(secret in done.stdout for secret in SECRETS)
