"""`videoMetadata` and its like: facts that the caller supplies, trusted without a read (behaviour.md 1.3 to 1.9)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.manifests.fields import Fields, json_value
from framedex.core.media_types import MediaFacts

MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1
MAX_FPS = 1e6
MAX_DURATION = 1e9

#: Tags that `dicomMetadata` must have as keys (the SDK's list); their values may be null.
DICOM_TAGS = (
    "00080018",
    "00100020",
    "00180050",
    "00181114",
    "00181164",
    "0020000D",
    "0020000E",
    "00200013",
    "00200032",
    "00200037",
    "00209113",
    "00209116",
    "00280004",
    "00280008",
    "00280010",
    "00280011",
    "00280030",
    "00281050",
    "00281051",
    "00289110",
    "52009229",
    "52009230",
)
#: Identifies a patient: asked for, as the SDK does, but not kept among the facts.
_PATIENT_ID = "00100020"


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of a block: above `low` (or equal), at most `high`."""

    low: float
    high: float
    is_whole: bool = True
    may_equal_low: bool = True

    def check(self, value: object) -> int | float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not isinstance(value, int | float) or (self.is_whole and value != math.floor(value)):
            raise ValueError(f"must be a {'whole ' if self.is_whole else ''}number")
        if value > self.high or value < self.low or (value == self.low and not self.may_equal_low):
            wanted = "at least" if self.may_equal_low else "more than"
            raise ValueError(f"must be {wanted} {self.low:g} and at most {self.high:g}")
        return int(value) if self.is_whole else float(value)


class _Text:
    """A text of a block that must not be empty."""

    def check(self, value: object) -> str:
        if not isinstance(value, str) or not value or len(value) > MAX_MIME:
            raise ValueError(f"must be a string of 1 to {MAX_MIME} characters")
        return value


MAX_MIME = 255
_SIZE = _Number(0, MAX_INT64)
_LENGTH = _Number(1, MAX_INT32)
_DURATION = _Number(0, MAX_DURATION, is_whole=False)
_FPS = _Number(0, MAX_FPS, is_whole=False, may_equal_low=False)
_TEXT = _Text()
_FieldCheck = _Number | _Text


def _image(found: Mapping[str, object]) -> Mapping[str, object]:
    return found


def _video(found: Mapping[str, object]) -> Mapping[str, object]:
    fps, duration = found["fps"], found["duration"]
    assert isinstance(fps, float), "checked as a number"
    assert isinstance(duration, float), "checked as a number"
    return {**found, "frame_count": frame_count_of(fps, duration)}


def frame_count_of(fps: float, duration_s: float) -> int:
    """Frames of a video that is known by its supplied facts alone (design decision 6).

    Raises:
        ValueError: more than any index of frames can count.
    """
    count = round(fps * duration_s)
    if count > MAX_INT32:
        raise ValueError(f"fps times duration gives {count} frames; at most {MAX_INT32} are possible")
    return count


def _audio(found: Mapping[str, object]) -> Mapping[str, object]:
    renamed = {"sample_rate", "bit_depth", "codec", "num_channels"}
    return {f"audio_{name}" if name in renamed else name: value for name, value in found.items()}


def _pdf(found: Mapping[str, object]) -> Mapping[str, object]:
    return {"file_size": found["file_size"], "pages": found["num_pages"], "mime_type": "application/pdf"}


@dataclass(frozen=True, slots=True)
class FactsBlock:
    """One kind of block: its key, its fields, all of them required, and how they become facts."""

    key: str
    checks: Mapping[str, _FieldCheck]
    finish: Callable[[Mapping[str, object]], Mapping[str, object]] = _image

    def read(self, fields: Fields, suffix: str = "") -> MediaFacts | None:
        """The facts of this block among the members of a unit; None when there is no such block.

        Raises:
            InvalidArguments: a field is missing, unknown or of the wrong type, with its path.
        """
        found = fields.raw(self.key + suffix)
        return None if found is None else self.parse(found[1], found[0])

    def parse(self, span: msgspec.Raw, path: str) -> MediaFacts:
        """The facts of a block."""
        block = Fields(span, path)
        checked = {name: self._field(block, name, check) for name, check in self.checks.items()}
        missing = [name for name, value in checked.items() if value is None]
        if missing:
            wanted = ", ".join(self.checks)
            raise InvalidArguments(f"{', '.join(missing)} missing: {wanted} are all required", path=path)
        block.refuse_rest()
        try:
            return MediaFacts(**self.finish(checked))  # type: ignore[arg-type]  # by the tables of checks
        except ValueError as error:
            raise InvalidArguments(str(error), path=path) from None

    @staticmethod
    def _field(block: Fields, name: str, check: _FieldCheck) -> object:
        found = block.raw(name)
        if found is None:
            return None
        try:
            return check.check(json_value(found[1], found[0]))
        except (ValueError, OverflowError) as error:
            raise InvalidArguments(str(error), path=found[0]) from None


IMAGE = FactsBlock("imageMetadata", {"file_size": _SIZE, "mime_type": _TEXT, "width": _LENGTH, "height": _LENGTH})
VIDEO = FactsBlock(
    "videoMetadata",
    {
        "fps": _FPS,
        "duration": _DURATION,
        "width": _LENGTH,
        "height": _LENGTH,
        "file_size": _SIZE,
        "mime_type": _TEXT,
    },
    _video,
)
AUDIO = FactsBlock(
    "audioMetadata",
    {
        "duration": _DURATION,
        "file_size": _SIZE,
        "mime_type": _TEXT,
        "sample_rate": _LENGTH,
        "bit_depth": _LENGTH,
        "codec": _TEXT,
        "num_channels": _LENGTH,
    },
    _audio,
)
TEXT = FactsBlock("textMetadata", {"file_size": _SIZE, "mime_type": _TEXT})
PDF = FactsBlock("pdfMetadata", {"file_size": _SIZE, "num_pages": _Number(0, MAX_INT32)}, _pdf)


def read_dicom(fields: Fields, suffix: str = "") -> MediaFacts | None:
    """The facts of `dicomMetadata`: `{"tags": {"GGGGEEEE": {"vr": …, "Value": […]} | null}}`, pydicom's form.

    Raises:
        InvalidArguments: one of the 22 tags is missing as a key, or a tag is no object.
    """
    found = fields.raw("dicomMetadata" + suffix)
    if found is None:
        return None
    path, raw = found
    block = Fields(raw, path)
    tags_at = block.raw("tags")
    block.refuse_rest()
    tags = {} if tags_at is None else json_value(tags_at[1], tags_at[0])
    if not isinstance(tags, dict):
        raise InvalidArguments("must be an object", path=f"{path}.tags")
    tags = {key.upper(): value for key, value in tags.items()}
    missing = [tag for tag in DICOM_TAGS if tag not in tags]
    if missing:
        raise InvalidArguments(f"the tags {', '.join(missing)} are missing (null is a value)", path=f"{path}.tags")
    for tag, value in tags.items():
        if value is not None and not isinstance(value, dict):
            raise InvalidArguments("a tag must be an object or null", path=f"{path}.tags.{tag[:8]}")
    return _dicom_facts(tags)


def _dicom_facts(tags: Mapping[str, dict[str, object] | None]) -> MediaFacts:
    kept: dict[str, object] = {t: _geometry(tag) for t in DICOM_TAGS if (tag := tags[t]) and t != _PATIENT_ID}
    return MediaFacts(
        mime_type="application/dicom",
        width=_whole(tags["00280011"]),
        height=_whole(tags["00280010"]),
        frame_count=_whole(tags["00280008"]) or 1,
        dicom_instance_uid=_uid(tags["00080018"]),
        dicom_study_uid=_uid(tags["0020000D"]),
        dicom_series_uid=_uid(tags["0020000E"]),
        dicom_tags=kept,
    )


def _geometry(tag: Mapping[str, object]) -> dict[str, object]:
    """An element without what a sequence in it may say of the patient: there, too, only the known tags are kept."""
    values = tag.get("Value")
    if not isinstance(values, list):
        return {name: value for name, value in tag.items() if name == "vr"}
    inner = frozenset(DICOM_TAGS) - {_PATIENT_ID}
    kept = [
        {t.upper(): _geometry(v) for t, v in value.items() if t.upper() in inner and isinstance(v, dict)}
        if isinstance(value, dict)
        else value
        for value in values
    ]
    return {"vr": tag.get("vr"), "Value": kept}


def _first(tag: Mapping[str, object] | None) -> object:
    values = None if tag is None else tag.get("Value")
    return values[0] if isinstance(values, list) and values else None


def _whole(tag: Mapping[str, object] | None) -> int | None:
    """A whole number; pydicom writes the IS of NumberOfFrames as a number, other writers as text."""
    value = _first(tag)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 12:
        value = int(value)
    return value if isinstance(value, int) and 0 < value <= MAX_INT32 else None


def _uid(tag: Mapping[str, object] | None) -> str | None:
    value = _first(tag)
    return value if isinstance(value, str) and value else None
