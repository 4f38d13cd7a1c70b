"""A DICOM file without what tells who the patient is. What stays is in `kept`; pixels stay byte for byte."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.dicom import burned_in
from framedex.media.dicom.conditions import parse_conditions
from framedex.media.dicom.elements import EXPLICIT_LITTLE, Encoding, element, sequence
from framedex.media.dicom.files import DEFLATED, MAGIC, PREAMBLE_BYTES, DicomFile, open_dicom
from framedex.media.dicom.kept import (
    GROUPS,
    KEPT,
    MACROS,
    NUMBER_OF_FRAMES,
    PATIENT_NAME,
    SOP_CLASS,
    SOP_INSTANCE,
    UIDS,
    is_uid,
)
from framedex.media.dicom.probe import stated_frames
from framedex.media.kind import Sink
from framedex.media.limits import Limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Who wrote the file: made once from a random UUID, as PS3.5, annex B.2 allows.
_IMPLEMENTATION = b"2.25.271826467849877176421870152494239426584"
_VERSION = b"FRAMEDEX"
_PADDING = b"\0 "
_SYNTAXES = {
    Encoding(is_explicit=False, is_little=True): b"1.2.840.10008.1.2",
    Encoding(is_explicit=True, is_little=True): b"1.2.840.10008.1.2.1",
    Encoding(is_explicit=True, is_little=False): b"1.2.840.10008.1.2.2",
}


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """Writes the file, or its beginning: the bytes of the object from `tail[0]` up to `tail[1]` follow.

    Args:
        sources: the file; without one, only `asked` is looked at.
        asked: `conditions` (see `framedex.media.dicom.conditions`); `is_redacted`, whether tags are removed; `salt`, a
            secret text that new UIDs are made with.

    Returns:
        `unmet`, positions of conditions that are not met (then nothing is written); `tail`; `burned_in` and
        `burned_in_reason`; `new_uids` and `dropped`, tags whose kept values were replaced or left out because they
        were none. No value of the file is among them.
    """
    conditions = parse_conditions(asked["conditions"])
    if not sources:
        return {}
    (source,) = sources
    wanted = (*KEPT, PATIENT_NAME, *GROUPS, *burned_in.READ, *(condition.tag for condition in conditions))
    file = open_dicom(source, wanted, limits)
    # First of all: whoever looks at a value through the library changes how it is kept there.
    rewriting = _Rewriting(file, asked["salt"].encode())
    flag, reason = burned_in.burned_in(file.dataset)
    facts: dict[str, object] = {
        "unmet": [number for number, condition in enumerate(conditions) if not condition.is_met(file)],
        "tail": None,
        "burned_in": flag,
        "burned_in_reason": reason,
        "new_uids": [],
        "dropped": [],
    }
    if facts["unmet"]:
        return facts
    if not asked["is_redacted"]:
        return facts | {"tail": [0, source.size]}
    return facts | rewriting.write(sink)


class _Rewriting:
    """Writes one file anew."""

    def __init__(self, file: DicomFile, salt: bytes) -> None:
        is_implicit, is_little = file.dataset.original_encoding
        self._file = file
        self._encoding = Encoding(is_explicit=not is_implicit, is_little=bool(is_little))
        self._salt = salt
        self._values = {tag: _raw(file.dataset, tag) for tag in KEPT}
        self._new_uids: list[str] = []
        self._dropped: list[str] = []

    def write(self, sink: Sink) -> dict[str, object]:
        head = bytes(PREAMBLE_BYTES) + MAGIC + self._meta()
        body = b"".join(self._elements())
        pixels = self._file.pixels
        facts: dict[str, object] = {"new_uids": sorted(set(self._new_uids)), "dropped": sorted(set(self._dropped))}
        if self._file.syntax != DEFLATED:
            sink.write(head + body)
            return facts | {"tail": None if pixels is None else [pixels.start, pixels.end]}
        sink.write(head)
        self._deflate(sink, body)
        return facts

    def _meta(self) -> bytes:
        """File meta anew: that of the file may name machines and people (PS3.10, 7.1)."""
        sop_class = (self._values[SOP_CLASS] or _raw(self._file.meta, 0x00020002) or b"").rstrip(_PADDING)
        instance = (self._values[SOP_INSTANCE] or b"").rstrip(_PADDING)
        if not is_uid(sop_class) or not instance:
            raise InvalidArguments("the DICOM file has no SOPClassUID or no SOPInstanceUID, so that it is no object")
        syntax = (self._file.syntax or "").encode("latin-1", "replace")
        values = {
            0x00020001: ("OB", b"\0\1"),
            0x00020002: ("UI", sop_class),
            0x00020003: ("UI", self._uid(SOP_INSTANCE, instance)),
            0x00020010: ("UI", syntax if is_uid(syntax) else _SYNTAXES[self._encoding]),
            0x00020012: ("UI", _IMPLEMENTATION),
            0x00020013: ("SH", _VERSION),
        }
        group = b"".join(element(tag, vr, value, EXPLICIT_LITTLE) for tag, (vr, value) in values.items())
        return element(0x00020000, "UL", len(group).to_bytes(4, "little"), EXPLICIT_LITTLE) + group

    def _elements(self) -> Iterator[bytes]:
        dataset = self._file.dataset
        for tag in sorted({*KEPT, PATIENT_NAME, *GROUPS}):
            if tag == PATIENT_NAME:
                yield element(tag, "PN", b"", self._encoding) if tag in dataset else b""
            elif tag in GROUPS:
                yield self._groups(tag)
            else:
                yield self._kept(tag, self._values[tag])

    def _kept(self, tag: int, value: bytes | None) -> bytes:
        """The element, if its value is one; an empty one stays empty."""
        form = KEPT[tag]
        if value is None:
            return b""
        if form.text is not None:
            value = value.rstrip(_PADDING)
        if not value:
            return element(tag, form.vr, b"", self._encoding)
        if tag in UIDS:
            value = self._uid(tag, value)
        if tag == NUMBER_OF_FRAMES:
            # files with "1A" exist, see the prober
            value = str(stated_frames(value.decode("latin-1")) or "").encode() or value
        if not form.fits(value):
            self._dropped.append(f"{tag:08X}")
            return b""
        return element(tag, form.vr, value, self._encoding)

    def _uid(self, tag: int, value: bytes) -> bytes:
        """The UID, or one made of it where it is none: nobody without the salt finds it out by trying names."""
        if is_uid(value):
            return value
        self._new_uids.append(f"{tag:08X}")
        digest = hmac.digest(self._salt, value, "sha256")
        return b"2.25." + str(int.from_bytes(digest[:16], "big") or 1).encode()

    def _groups(self, tag: int) -> bytes:
        """Functional groups: one for each frame stays one for each frame, however little is left of it."""
        groups = [b"".join(self._macros(group)) for group in _items(self._file.dataset, tag)]
        return sequence(tag, groups, self._encoding) if any(groups) else b""

    def _macros(self, group: Dataset) -> Iterator[bytes]:
        for macro, tags in MACROS.items():
            items = [b"".join(self._kept(tag, _raw(item, tag)) for tag in tags) for item in _items(group, macro)]
            if any(items):
                yield sequence(macro, items, self._encoding)

    def _deflate(self, sink: Sink, body: bytes) -> None:
        packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        sink.write(packing.compress(body))
        if self._file.pixels is not None:
            for chunk in self._file.data.chunks(self._file.pixels.start, self._file.pixels.end):
                sink.write(packing.compress(chunk))
        rest = packing.flush()
        # an even number of bytes is asked for (PS3.5, annex A.5)
        sink.write(rest)
        if sink.tell() % 2:
            sink.write(b"\0")


def _raw(dataset: Dataset, tag: int) -> bytes | None:
    """The value as it is in the file; None where there is none, or none as bytes."""
    try:
        found = getattr(dataset.get_item(tag), "value", None) if tag in dataset else None
    except (ValueError, TypeError, OSError):
        return None
    return found if isinstance(found, bytes) else None


def _items(dataset: Dataset, tag: int) -> Sequence[Dataset]:
    if tag not in dataset:
        return []
    try:
        return list(dataset[tag].value or [])
    except (ValueError, TypeError, AttributeError, OSError, NotImplementedError):
        return []
