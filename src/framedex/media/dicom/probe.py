"""Facts of one DICOM file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.dicom.pixel_data import check_pixel_data
from framedex.media.dicom.tags import NUMBER_OF_FRAMES, geometry_tags
from framedex.media.limits import Limits

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_UNDEFINED = 0xFFFFFFFF
_PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)


class DicomKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        if source.read_at(128, 4) != b"DICM":
            raise InvalidArguments("not a DICOM file: `DICM` is not at byte 128")
        dataset = _read(source)
        syntax = _text(dataset.file_meta, "TransferSyntaxUID")
        length = None if syntax == _DEFLATED else _pixel_length(source, dataset)
        if _text(dataset, "SOPInstanceUID") is None:
            raise InvalidArguments("the DICOM file is damaged or cut off: it has no SOPInstanceUID")
        tags = geometry_tags(dataset)
        rows, columns = _number(dataset, "Rows"), _number(dataset, "Columns")
        frames = _frames(dataset, rows, columns, length)
        if frames is not None and tags[NUMBER_OF_FRAMES] is None and "NumberOfFrames" in dataset:
            tags[NUMBER_OF_FRAMES] = {"vr": "IS", "Value": [frames]}
        extra = {
            "transfer_syntax": syntax,
            "sop_class_uid": _text(dataset, "SOPClassUID"),
            "modality": _text(dataset, "Modality"),
            "acquired": _text(dataset, "AcquisitionTime") or _text(dataset, "ContentTime"),
        }
        return MediaFacts(
            file_size=source.size,
            mime_type="application/dicom",
            width=columns,
            height=rows,
            frame_count=frames,
            dicom_instance_uid=_text(dataset, "SOPInstanceUID"),
            dicom_study_uid=_text(dataset, "StudyInstanceUID"),
            dicom_series_uid=_text(dataset, "SeriesInstanceUID"),
            dicom_tags=tags,
            extra={key: value for key, value in extra.items() if value is not None},
        )


def _read(source: ByteFile) -> FileDataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        dataset = pydicom.dcmread(source, stop_before_pixels=True)
    except (InvalidDicomError, EOFError) as error:
        raise InvalidArguments("the DICOM file is damaged or cut off: its header cannot be read") from error
    if _text(dataset.file_meta, "MediaStorageSOPClassUID") == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        raise InvalidArguments("the file is a DICOMDIR, an index of other files; register those")
    _check_last_element(dataset)
    return dataset


def _check_last_element(dataset: FileDataset) -> None:
    """The library takes what is left of a value at the end of a file for the value."""
    last = dataset.get_item(max(dataset.keys())) if dataset else None
    # only an element that is still raw has a length
    stated = getattr(last, "length", 0)
    if last is None or (stated < _UNDEFINED and len(getattr(last, "value", None) or b"") < stated):
        raise InvalidArguments("the DICOM file is damaged or cut off: its last data element is not whole")


def _pixel_length(source: ByteFile, dataset: FileDataset) -> int | None:
    """Bytes of native pixel data; None when encapsulated, or when the file has none."""
    start = source.tell()
    is_little, is_explicit = bool(dataset.original_encoding[1]), not dataset.original_encoding[0]
    head = source.read_at(start, 4)
    if len(head) < 4:
        if "Rows" in dataset and "PixelRepresentation" in dataset:
            raise InvalidArguments("the file is cut off: it describes pixels and has none")
        return None
    group, element = (head[:2], head[2:]) if not is_little else (head[1::-1], head[:1:-1])
    tag = int.from_bytes(group + element, "big")
    if tag not in _PIXEL_TAGS:
        return None
    return check_pixel_data(source, start, is_explicit=is_explicit, is_little=is_little)


def _frames(dataset: FileDataset, rows: int | None, columns: int | None, length: int | None) -> int | None:
    """Frames of an image, checked against the length of native pixels; None when the file is no image.

    Raises:
        InvalidArguments: the pixels are fewer than the header says.
    """
    if not rows or not columns:
        return None
    stated = _stated_frames(dataset)
    bits = rows * columns * (_number(dataset, "SamplesPerPixel") or 1) * (_number(dataset, "BitsAllocated") or 0)
    is_subsampled = "422" in (_text(dataset, "PhotometricInterpretation") or "")
    if length is None or not bits or is_subsampled:
        return stated or 1
    held = length * 8 // bits
    if held < (stated or 1):
        raise InvalidArguments(f"the file holds {held} frames of pixels, its header says {stated or 1}")
    return stated or held


def _stated_frames(dataset: FileDataset) -> int | None:
    """NumberOfFrames as its leading digits (files with "1A" exist); None when missing or no number."""
    found = re.match(r"\s*(\d{1,9})", _text(dataset, "NumberOfFrames") or "")
    return int(found[1]) or None if found else None


def _number(dataset: FileDataset, keyword: str) -> int | None:
    found = re.fullmatch(r"\d{1,9}", _text(dataset, keyword) or "")
    return int(found[0]) if found else None


def _text(dataset: object, keyword: str) -> str | None:
    """The value as text; also of values that pydicom refuses to convert."""
    from pydicom import Dataset
    from pydicom.datadict import tag_for_keyword

    assert isinstance(dataset, Dataset)
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return None
    try:
        value = dataset[tag].value
    except (ValueError, TypeError, OverflowError):
        raw = getattr(dataset.get_item(tag), "value", None)
        value = raw.decode("latin-1") if isinstance(raw, bytes) else None
    text = "" if value is None else str(value).strip(" \0")
    return text or None


KIND = DicomKind()
