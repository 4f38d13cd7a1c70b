"""Facts of one DICOM file."""

from __future__ import annotations

import re

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.dicom.files import DicomFile, number_of, open_dicom, text_of
from framedex.media.dicom.moments import MOMENT_TAGS, frame_moments_of, moments_of
from framedex.media.dicom.tags import NUMBER_OF_FRAMES, TAG_NUMBERS, geometry_tags
from framedex.media.limits import Limits

_SOP_CLASS, _SOP_INSTANCE, _MODALITY = 0x00080016, 0x00080018, 0x00080060
_STUDY, _SERIES = 0x0020000D, 0x0020000E
_SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS = 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _REPRESENTATION = 0x00280100, 0x00280103
_READ = (*TAG_NUMBERS, *MOMENT_TAGS, _SOP_CLASS, _MODALITY, _SAMPLES, _ALLOCATED, _REPRESENTATION)
# MPEG-2, MPEG-4 and HEVC: one stream for all frames (PS3.5, annex A.4.5 and following).
_VIDEO_SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10\d(\.1)?")


class DicomKind:
    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        file = open_dicom(source, _READ, limits)
        dataset = file.dataset
        if text_of(dataset, _SOP_INSTANCE) is None:
            raise InvalidArguments("the DICOM file is damaged or cut off: it has no SOPInstanceUID")
        tags = geometry_tags(dataset)
        rows, columns = number_of(dataset, _ROWS), number_of(dataset, _COLUMNS)
        frames = _frames(file, rows, columns)
        if frames is not None and tags[NUMBER_OF_FRAMES] is None and _FRAMES in dataset:
            tags[NUMBER_OF_FRAMES] = {"vr": "IS", "Value": [frames]}
        extra = {
            "transfer_syntax": file.syntax,
            "sop_class_uid": text_of(dataset, _SOP_CLASS),
            "modality": text_of(dataset, _MODALITY),
            "moments": moments_of(dataset) or None,
            "frame_moments": frame_moments_of(dataset),
        }
        return MediaFacts(
            file_size=source.size,
            mime_type="application/dicom",
            width=columns,
            height=rows,
            frame_count=frames,
            dicom_instance_uid=text_of(dataset, _SOP_INSTANCE),
            dicom_study_uid=text_of(dataset, _STUDY),
            dicom_series_uid=text_of(dataset, _SERIES),
            dicom_tags=tags,
            extra={key: value for key, value in extra.items() if value is not None},
        )


def _frames(file: DicomFile, rows: int | None, columns: int | None) -> int | None:
    """Frames of an image, checked against the bytes or fragments of its pixels; None when the file is no image.

    Raises:
        InvalidArguments: the pixels are fewer than the header says.
    """
    if not rows or not columns:
        return None
    stated = stated_frames(text_of(file.dataset, _FRAMES))
    held = _held_frames(file, rows, columns)
    if held is not None and held < (stated or 1):
        raise InvalidArguments(f"the file holds {held} frames of pixels, its header says {stated or 1}")
    is_native = file.pixels is not None and file.pixels.length is not None
    return stated or (held if is_native else None) or 1


def _held_frames(file: DicomFile, rows: int, columns: int) -> int | None:
    """How many frames the pixels hold, at most when they are encapsulated; None when their length cannot tell."""
    if file.pixels is None:
        return None
    if file.pixels.length is None:
        # a frame has a fragment at least (PS3.5, annex A.4)
        return None if _VIDEO_SYNTAX.fullmatch(file.syntax or "") else file.pixels.fragments
    dataset = file.dataset
    bits = rows * columns * (number_of(dataset, _SAMPLES) or 1) * (number_of(dataset, _ALLOCATED) or 0)
    is_subsampled = "422" in (text_of(dataset, _PHOTOMETRIC) or "")
    return None if is_subsampled or not bits else file.pixels.length * 8 // bits


def stated_frames(text: str | None) -> int | None:
    """NumberOfFrames as its leading digits (files with "1A" exist); None when missing or no number."""
    found = re.match(r"\s*(\d{1,9})", text or "")
    return int(found[1]) or None if found else None


KIND = DicomKind()
