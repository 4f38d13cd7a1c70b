"""What stays of a DICOM file that is de-identified, and in which form (docs/decisions/0022).

Tags are kept by a list and never removed by one: what the list does not name is gone, whatever it is. A kept value must
also look like what its tag is for, so that no text rides along in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
NUMBER_OF_FRAMES, PATIENT_NAME = 0x00280008, 0x00100010
#: UIDs that are kept; one that is none gets another in its place, the same each time.
UIDS = frozenset({SOP_INSTANCE, STUDY, SERIES})

_DECIMAL = re.compile(rb"[ ]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[ ]*")
_INTEGER = re.compile(rb"[ ]*[+-]?\d+[ ]*")
_UID = re.compile(rb"[0-9]+(\.[0-9]+)*")
_PIXEL_FORM = re.compile(rb"(MONOCHROME[12]|PALETTE COLOR|RGB|HSV|ARGB|CMYK|XYB|YBR_[A-Z0-9_]{1,20})")
_MOST_UID = 64


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written.

    Attributes:
        vr: its value representation. least, most: values, or for binary ones bytes.
        text: what each value must match; None for binary ones.
    """

    vr: str
    least: int
    most: int
    text: re.Pattern[bytes] | None = None

    def fits(self, value: bytes) -> bool:
        if self.text is None:
            return self.least <= len(value) <= self.most
        parts = value.split(b"\\")
        return self.least <= len(parts) <= self.most and all(self.text.fullmatch(part) for part in parts)


def _decimals(least: int, most: int | None = None) -> Form:
    return Form("DS", least, most or least, _DECIMAL)


def _binary(vr: str, least: int, most: int | None = None) -> Form:
    return Form(vr, least, most or least)


_TABLE = (2, 2 * 65536)
_U16 = _binary("US", 2)

#: The SDK's list (`deidentify_dicom_files`); PatientName, which it names too, is emptied.
PROMISED = {
    SOP_INSTANCE: Form("UI", 1, 1, _UID),
    0x00180050: _decimals(1),  # SliceThickness
    0x00180088: _decimals(1),  # SpacingBetweenSlices
    STUDY: Form("UI", 1, 1, _UID),
    SERIES: Form("UI", 1, 1, _UID),
    0x00200032: _decimals(3),  # ImagePositionPatient
    0x00200037: _decimals(6),  # ImageOrientationPatient
    NUMBER_OF_FRAMES: Form("IS", 1, 1, _INTEGER),
    0x00281050: _decimals(1, 64),  # WindowCenter
    0x00281051: _decimals(1, 64),  # WindowWidth
    0x00520014: Form("FD", 8, 8),  # ALinePixelSpacing
}

#: Without these nobody can tell pixels in the bytes (PS3.3, C.7.6.3), or what the object is (PS3.3, C.12.1).
NEEDED = {
    SOP_CLASS: Form("UI", 1, 1, _UID),
    0x00280002: _U16,  # SamplesPerPixel
    0x00280004: Form("CS", 1, 1, _PIXEL_FORM),  # PhotometricInterpretation
    0x00280006: _U16,  # PlanarConfiguration
    0x00280010: _U16,  # Rows
    0x00280011: _U16,  # Columns
    0x00280100: _U16,  # BitsAllocated
    0x00280101: _U16,  # BitsStored
    0x00280102: _U16,  # HighBit
    0x00280103: _U16,  # PixelRepresentation
    # Palettes: three descriptors, three tables, three compressed tables.
    **{tag: _binary("US", 6) for tag in (0x00281101, 0x00281102, 0x00281103)},
    **{tag: _binary("OW", *_TABLE) for tag in (0x00281201, 0x00281202, 0x00281203)},
    **{tag: _binary("OW", *_TABLE) for tag in (0x00281221, 0x00281222, 0x00281223)},
    # ExtendedOffsetTable and ExtendedOffsetTableLengths: where the frames of encapsulated pixels begin.
    0x7FE00001: _binary("OV", 8, 64 << 20),
    0x7FE00002: _binary("OV", 8, 64 << 20),
}

KEPT = PROMISED | NEEDED

#: Multi-frame files say the same of each frame, or of all, in functional groups (PS3.3, C.7.6.16): sequence -> tags.
GROUPS = (0x52009229, 0x52009230)
MACROS = {
    0x00209113: (0x00200032,),  # PlanePositionSequence
    0x00209116: (0x00200037,),  # PlaneOrientationSequence
    0x00289110: (0x00180050, 0x00180088),  # PixelMeasuresSequence
    0x00289132: (0x00281050, 0x00281051),  # FrameVOILUTSequence
}


def is_uid(value: bytes) -> bool:
    """Whether it is made as UIDs are (PS3.5, 9.1); zeros that lead a part are let pass, as files have them."""
    return len(value) <= _MOST_UID and _UID.fullmatch(value) is not None
