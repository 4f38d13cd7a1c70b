"""Kinds of items and the facts that are known of one."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from framedex.core.quick import quick_dataclass


class ItemType(StrEnum):
    """Kinds of storage items; the values are the SDK's wire spellings (`StorageItemType`)."""

    VIDEO = "video"
    IMAGE = "image"
    GROUP = "group"
    IMAGE_GROUP = "imageGroup"
    IMAGE_SEQUENCE = "imageSequence"
    DICOM_FILE = "dicomFile"
    DICOM_SERIES = "dicomSeries"
    AUDIO = "audio"
    TIMESERIES = "timeseries"
    NIFTI = "nifti"
    PLAIN_TEXT = "plainText"
    PDF = "pdf"
    SCENE = "scene"


@quick_dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is true of one object's bytes; `None` where it does not apply or is not known.

    Attributes:
        file_size: bytes.
        mime_type: by content, never by name alone.
        width: pixels as displayed (after EXIF orientation or display rotation).
        height: pixels as displayed.
        duration: seconds.
        fps: average frames per second: frames divided by the time they cover.
        frame_count: frames a decoder outputs; DICOM frames; NIfTI slices along the third axis times the fourth.
        pages: PDF pages.
        audio_sample_rate: Hz.
        audio_bit_depth: bits per sample as stored (of the decoded format for lossy codecs).
        dicom_tags: `{"GGGGEEEE": {"vr": ..., "Value": [...]}}`, the form of pydicom's `to_json_dict`, geometry and UIDs
            only (no tag that identifies a patient).
        frame_table: of a video: `framedex.core.frames.FrameTable`, packed, as base64. It is kept apart from the item.
        extra: further JSON-able facts of the kind (for example `shape` of a NIfTI, `stacks` of a DICOM series).
    """

    file_size: int | None = None
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    frame_count: int | None = None
    pages: int | None = None
    audio_sample_rate: int | None = None
    audio_bit_depth: int | None = None
    audio_codec: str | None = None
    audio_num_channels: int | None = None
    dicom_instance_uid: str | None = None
    dicom_study_uid: str | None = None
    dicom_series_uid: str | None = None
    dicom_tags: dict[str, object] | None = None
    frame_table: str | None = None
    extra: dict[str, object] = field(default_factory=dict)
