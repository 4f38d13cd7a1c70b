"""DICOM files with people in them, in every transfer syntax, and all that pydicom brings along."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

#: What only a person would be called, each more than three characters: none of it may come out at the other end.
PERSON = {
    "PatientName": "Zuckerkandl^Theodora", "PatientID": "MRN-7731904", "PatientBirthDate": "19471103",
    "PatientAddress": "12 Quaint Mews", "PatientComments": "wears a green hat", "OtherPatientIDs": "ALT-55120",
    "ReferringPhysicianName": "Okonkwo^Ifeanyi", "InstitutionName": "St Cuthbert Infirmary", "StudyDate": "20210704",
    "AccessionNumber": "ACC-90210", "StudyDescription": "follow-up of Mrs Z", "DeviceSerialNumber": "SN-44-118",
    "OperatorsName": "Lindqvist^Astrid",
}  # fmt: skip
META_SECRET, PREAMBLE_SECRET, TRAILING_SECRET, NESTED_SECRET = (
    "WARD7SCANNER",
    "Theodora",
    "tail of Theodora",
    "Wibble^Anna",
)

PLAIN_SYNTAXES = (
    ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
)  # fmt: skip


def image_dataset(frames: int = 1, side: int = 8, *, seed: int = 1) -> Dataset:
    """A native 16-bit image of a person, with people in nested sequences and private tags, without file meta."""
    item = Dataset()
    for keyword, value in PERSON.items():
        setattr(item, keyword, value)
    item.SOPClassUID, item.SOPInstanceUID = CTImageStorage, f"1.2.3.4.{seed}"
    item.StudyInstanceUID, item.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    item.Modality, item.ImageType, item.InstanceNumber = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], seed
    item.SliceThickness, item.SpacingBetweenSlices, item.PixelSpacing = "2.50", "2.500", [0.5, 0.5]
    item.ImagePositionPatient, item.ImageOrientationPatient = ["-1.0", "2", "3.125"], [1, 0, 0, 0, 1, 0]
    item.WindowCenter, item.WindowWidth, item.ALinePixelSpacing = [40, 300], [400, 1500], 0.25
    item.NumberOfFrames = frames
    item.Rows = item.Columns = side
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    request = Dataset()
    request.RequestingPhysician, request.RequestedProcedureDescription = NESTED_SECRET, "nested follow-up"
    deeper = Dataset()
    deeper.PatientName, deeper.SOPInstanceUID = NESTED_SECRET, "1.2.3.99"
    request.ReferencedStudySequence = [deeper]
    item.RequestAttributesSequence = [request]
    block = item.private_block(0x0019, "QUIXOTE 1.0", create=True)
    block.add_new(0x01, "LO", "private Theodora")
    pixels = np.random.default_rng(seed).integers(0, 4000, (frames, side, side), dtype=np.uint16)
    item.PixelData = pixels.tobytes()
    item["PixelData"].VR = "OW"
    return item


def written(item: Dataset, syntax: str = ExplicitVRLittleEndian, *, trailing: bool = True) -> bytes:
    """A file with people in its preamble and file meta too, and in what follows the pixels."""
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = UID(syntax)
    item.file_meta.MediaStorageSOPClassUID, item.file_meta.MediaStorageSOPInstanceUID = (
        item.SOPClassUID,
        item.SOPInstanceUID,
    )
    item.file_meta.SourceApplicationEntityTitle = META_SECRET
    item.preamble = PREAMBLE_SECRET.encode().ljust(128, b"\0")
    if trailing:
        item.add_new(0xFFFCFFFC, "OB", TRAILING_SECRET.encode())  # DataSetTrailingPadding
    out = io.BytesIO()
    is_big = syntax == ExplicitVRBigEndian
    pydicom.dcmwrite(out, item, little_endian=not is_big, implicit_vr=syntax == ImplicitVRLittleEndian)
    return out.getvalue()


def run_length(frames: int = 2) -> bytes:
    """Encapsulated pixels."""
    item = image_dataset(frames)
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.compress(RLELossless, generate_instance_uid=False)
    return written(item, RLELossless)


def enhanced(
    positions: Sequence[tuple[float, float, float]],
    *,
    seed: int = 1,
    times: Sequence[int] | None = None,
    more: Mapping[str, object] | None = None,
) -> bytes:
    """A multi-frame image with a functional group for each frame; people in the groups, too."""
    item = image_dataset(len(positions), seed=seed)
    item.SOPClassUID = EnhancedCTImageStorage
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceThickness", "SpacingBetweenSlices"):
        delattr(item, keyword)
    shared, turn, measures = Dataset(), Dataset(), Dataset()
    turn.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.SliceThickness, measures.PixelSpacing = 2.5, [0.5, 0.5]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [turn], [measures]
    item.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number, position in enumerate(positions):
        frame, plane, content = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = list(position)
        plane.PatientComments = NESTED_SECRET
        content.FrameComments = NESTED_SECRET
        if times is not None:
            content.TemporalPositionIndex = times[number]
        frame.PlanePositionSequence, frame.FrameContentSequence = [plane], [content]
        frames.append(frame)
    item.PerFrameFunctionalGroupsSequence = frames
    for keyword, value in (more or {}).items():
        setattr(item, keyword, value)
    return written(item)


def bundled() -> Iterator[tuple[str, bytes]]:
    """Every file that comes with pydicom, by its path there."""
    top = Path(pydicom.__file__).parent / "data"
    for path in sorted(top.rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".pyc", ".json", ".txt", ".md"):
            yield str(path.relative_to(top)), path.read_bytes()
