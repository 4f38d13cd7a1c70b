"""Whether pixels may show who the patient is, by what the file says of itself: nobody looks at them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framedex.media.dicom.files import number_of, text_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_BURNED_IN, _FEATURES = 0x00280301, 0x00280302
_SOP_CLASS, _MODALITY, _CONVERSION = 0x00080016, 0x00080060, 0x00080064
# A bit of each pixel that holds no pixel but an overlay (retired): text that is drawn over the image.
_OVERLAY_BITS = tuple(0x60000102 + (group << 17) for group in range(16))
READ = (_BURNED_IN, _FEATURES, _SOP_CLASS, _MODALITY, _CONVERSION, *_OVERLAY_BITS)

# Secondary captures, ultrasound, videos and photographs, encapsulated documents.
_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.6.",
    "1.2.840.10008.5.1.4.1.1.77.1.",
    "1.2.840.10008.5.1.4.1.1.104.",
)
# Ultrasound, endoscopy, photographs and the like print names on their pictures; OT, SC and DOC are captures and scans.
_MODALITIES = frozenset({"US", "IVUS", "ES", "XC", "GM", "OP", "OT", "SC", "DOC", "ECG", "HD"})
# WSD workstation, DF digitised film, SD scanned document, SI scanned image, DV digitised video, DRW drawing.
_CONVERSIONS = frozenset({"WSD", "DF", "SD", "SI", "DV", "DRW"})


def burned_in(dataset: Dataset) -> tuple[str, str]:
    """`yes`, `no` or `possible`, and the reason.

    What the file says in BurnedInAnnotation counts; where it says nothing, kinds of images that often have text in them
    are `possible` (PS3.15, annex E.3.1, and PS3.3, C.7.6.1.1.7).
    """
    stated = (text_of(dataset, _BURNED_IN) or "").upper()
    if stated == "YES":
        return "yes", "BurnedInAnnotation is YES"
    if (text_of(dataset, _FEATURES) or "").upper() == "YES":
        return "yes", "RecognizableVisualFeatures is YES"
    if any((number_of(dataset, tag) or 0) > 0 for tag in _OVERLAY_BITS):
        return "possible", "an overlay is kept in unused bits of the pixels"
    if stated == "NO":
        return "no", "BurnedInAnnotation is NO"
    sop_class, modality = text_of(dataset, _SOP_CLASS) or "", text_of(dataset, _MODALITY) or ""
    if sop_class.startswith(_CLASSES):
        return "possible", "images of this SOP class often have text in them"
    if modality in _MODALITIES:
        return "possible", f"images of modality {modality} often have text in them"
    if (text_of(dataset, _CONVERSION) or "") in _CONVERSIONS:
        return "possible", "the image was captured or scanned"
    return "no", "nothing in the file speaks of it"
