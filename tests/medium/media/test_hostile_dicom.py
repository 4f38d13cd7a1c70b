"""DICOM files that lie, nest without end or inflate without end: read in a limited process, refused in clear words."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable, Iterator

import psutil
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders.dicom_files import PERSON, enhanced, image_dataset, run_length, written
from tests.builders.media_files import Held
from tests.medium.media.acting_source import workers_of

_ASKED = {"conditions": [], "is_redacted": True, "salt": "s"}
_UNDEFINED = b"\xff\xff\xff\xff"
_SEQUENCE = b"\x40\x00\x75\x02SQ\0\0"  # RequestAttributesSequence
_ITEM = b"\xfe\xff\x00\xe0"
_MOST_RESIDENT = 700 << 20


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    made = ProcessProber(workers=2, limits=Limits(seconds=20))
    yield made
    made.close()


def _head(syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return bytes(128) + b"DICM" + b"\x02\0\x10\0UI" + struct.pack("<H", len(value)) + value


def _element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


_UIDS = _element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0") + _element(8, 0x18, b"UI", b"1.2.3\0")


def _deep() -> bytes:
    """A hundred thousand sequences, one in the other."""
    return _head() + _UIDS + (_SEQUENCE + _UNDEFINED + _ITEM + _UNDEFINED) * 100_000


def _deep_groups() -> bytes:
    """The same in the sequence that we look into, with lengths that are known."""
    inner = b""
    for _ in range(3000):
        item = _ITEM + struct.pack("<L", len(inner)) + inner
        inner = b"\x00\x52\x30\x92SQ\0\0" + struct.pack("<L", len(item)) + item
    return _head() + _UIDS + inner


def _wrong_length() -> bytes:
    return _head() + _UIDS + b"\x09\x00\x01\x10OB\0\0" + struct.pack("<L", 0x7FFFFFF0) + b"abc"


def _wrong_length_of_what_is_kept() -> bytes:
    return _head() + _UIDS + b"\x20\x00\x32\x00DS" + struct.pack("<H", 0xFFF0) + b"1\\2\\3"


def _no_pixels_behind() -> bytes:
    sizes = _element(0x28, 0x10, b"US", b"\xff\xff") + _element(0x28, 0x11, b"US", b"\xff\xff")
    more = _element(0x28, 0x100, b"US", b"\x40\0") + _element(0x28, 0x103, b"US", b"\0\0")
    return _head() + _UIDS + sizes + more


def _huge_frame() -> bytes:
    """65535 x 65535 pixels of 64 bits, 1 000 000 000 frames, and four bytes."""
    data = _head() + _UIDS + _element(0x28, 2, b"US", b"\1\0") + _element(0x28, 8, b"IS", b"999999999 ")
    data += _element(0x28, 0x10, b"US", b"\xff\xff") + _element(0x28, 0x11, b"US", b"\xff\xff")
    data += _element(0x28, 0x100, b"US", b"\x40\0")
    return data + b"\xe0\x7f\x10\0OW\0\0\x04\0\0\0abcd"


def _frames_without_fragments() -> bytes:
    data = run_length(2)
    at = data.index(b"\x28\x00\x08\x00IS")
    return data[:at] + _element(0x28, 8, b"IS", b"999999999 ") + data[at + 8 + data[at + 6] :]


def _bomb() -> bytes:
    """300 MB of a private value that is to have a gigabyte, deflated to a third of a megabyte."""
    packing = zlib.compressobj(9, wbits=-15)
    parts = [packing.compress(_UIDS + b"\x09\x00\x01\x10OB\0\0" + struct.pack("<L", 1 << 30))]
    parts += [packing.compress(bytes(1 << 20)) for _ in range(300)]
    return _head(DeflatedExplicitVRLittleEndian) + b"".join(parts) + packing.flush()


def _cut_deflated() -> bytes:
    return written(image_dataset(), DeflatedExplicitVRLittleEndian)[:-40]


def _many_elements() -> bytes:
    """A hundred thousand elements of one private group, and a sequence of as many empty items."""
    return _head() + _UIDS + _element(9, 0x1001, b"LO", b"ab") * 100_000 + _SEQUENCE + _UNDEFINED + (
        _ITEM + bytes(4)
    ) * 100_000 + b"\xfe\xff\xdd\xe0\0\0\0\0"  # fmt: skip


def _no_end_of_sequence() -> bytes:
    return _head() + _UIDS + _SEQUENCE + _UNDEFINED + _ITEM + _UNDEFINED + _element(8, 0x60, b"CS", b"CT")


def _endless_meta() -> bytes:
    return bytes(128) + b"DICM" + b"\x02\0\x00\x01OB\0\0" + struct.pack("<L", 0xFFFFFFF0) + bytes(100)


_HOSTILE: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "deep": (_deep, "nested too deeply|damaged or cut off"),
    "deep groups": (_deep_groups, "nested too deeply"),
    "wrong length": (_wrong_length, "cut off"),
    "wrong length of a kept tag": (_wrong_length_of_what_is_kept, "cut off"),
    "described and not there": (_no_pixels_behind, "describes pixels and has none"),
    "huge frame": (_huge_frame, "holds 0 frames of pixels, its header says 999999999"),
    "frames without fragments": (_frames_without_fragments, "holds 2 frames of pixels, its header says 999999999"),
    "bomb": (_bomb, r"inflates past the limit of 268435456 bytes \(FRAMEDEX_MEDIA_INFLATED_DICOM_BYTES\)"),
    "cut deflated": (_cut_deflated, "has no end"),
    "many elements": (_many_elements, None),
    "sequence without end": (_no_end_of_sequence, "damaged or cut off|cut off"),
    "endless file meta": (_endless_meta, "damaged or cut off"),
    "no data set": (_head, "no SOPInstanceUID|damaged or cut off"),
    "no instance": (lambda: _head() + _element(8, 0x60, b"CS", b"CT"), "no SOPInstanceUID"),
}


def _resident(prober: ProcessProber) -> int:
    return max((psutil.Process(pid).memory_info().rss for pid in workers_of(prober)), default=0)


@pytest.mark.parametrize("name", _HOSTILE)
def test_probe__hostile_files_are_bounded(prober: ProcessProber, name: str) -> None:
    make, words = _HOSTILE[name]
    data = make()
    began = time.monotonic()
    if words is None:
        assert prober.probe(ItemType.DICOM_FILE, Held(data), name="a.dcm").dicom_instance_uid == "1.2.3"
    else:
        with pytest.raises(InvalidArguments, match=words):
            prober.probe(ItemType.DICOM_FILE, Held(data), name="a.dcm")
    assert time.monotonic() - began < 60
    assert _resident(prober) < _MOST_RESIDENT


@pytest.mark.parametrize("name", _HOSTILE)
def test_deidentify__hostile_files_are_bounded(prober: ProcessProber, name: str) -> None:
    data = _HOSTILE[name][0]()
    try:
        made = prober.make("deidentify", ItemType.DICOM_FILE, [Held(data)], asked=_ASKED, max_bytes=300 << 20)
    except InvalidArguments:
        made = None
    if made is not None:
        assert len(made.data) < 1 << 20
        assert pydicom.dcmread(io.BytesIO(made.data)).SOPInstanceUID.startswith("1.2.3")
    assert _resident(prober) < _MOST_RESIDENT


def test_probe__a_file_that_inflates_within_the_limit(prober: ProcessProber) -> None:
    facts = prober.probe(
        ItemType.DICOM_FILE, Held(written(image_dataset(3), DeflatedExplicitVRLittleEndian)), name="a.dcm"
    )
    assert (facts.frame_count, facts.extra["transfer_syntax"]) == (3, DeflatedExplicitVRLittleEndian)


_SEEDS = [
    written(image_dataset(2)), written(image_dataset(), DeflatedExplicitVRLittleEndian), run_length(2),
    enhanced([(0, 0, 0), (0, 0, 1)], times=[1, 2]),
]  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A sound file with bytes changed, cut out or repeated; small enough that a hundred are read in seconds."""
    data = bytearray(draw(st.sampled_from(_SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(128, len(data) - 1))
        kind = draw(st.sampled_from(["change", "cut", "repeat", "length"]))
        if kind == "change":
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 40))]
        else:
            data[at : at + 4] = draw(st.sampled_from([_UNDEFINED, b"\xf0\xff\xff\x7f", bytes(4), b"\xff\xff\0\0"]))
        if len(data) < 140:
            return bytes(data)
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(_damaged())
def test_fuzz__facts_or_a_clear_refusal(prober: ProcessProber, data: bytes) -> None:
    """No reader dies of it; what can be read has sane facts; no refusal shows who the patient is."""
    for call in (_probed, _deidentified):
        said = _refusal(call, prober, data)
        assert "crashed" not in said
        assert not any(value in said for value in PERSON.values())


def _refusal(call: Callable[[ProcessProber, bytes], None], prober: ProcessProber, data: bytes) -> str:
    try:
        call(prober, data)
    except InvalidArguments as error:
        return error.message
    return ""


def _probed(prober: ProcessProber, data: bytes) -> None:
    facts = prober.probe(ItemType.DICOM_FILE, Held(data), name="a.dcm")
    assert facts.frame_count is None or 0 < facts.frame_count < 10**9
    assert (
        prober.order_dicom([facts], ["a"]) if facts.dicom_study_uid and facts.dicom_series_uid and facts.width else True
    )


def _deidentified(prober: ProcessProber, data: bytes) -> None:
    made = prober.make("deidentify", ItemType.DICOM_FILE, [Held(data)], asked=_ASKED, max_bytes=300 << 20)
    tail = made.facts["tail"]
    assert isinstance(tail, list) or tail is None
    assert tail is None or 0 <= tail[0] <= tail[1] <= len(data)
    assert not any(value.encode() in made.data for value in PERSON.values())
