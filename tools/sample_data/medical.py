"""DICOM series and NIfTI volumes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop

if TYPE_CHECKING:
    from pydicom import Dataset

_FILES = "pydicom/data/test_files/"
_SETS = f"{_FILES}dicomdirtests/"
# Folder of one study -> title of each of its series by the folder of its files. Pixels were cut to 16 x 16 upstream.
_SERIES = {
    "77654033/CR1": "CR chest 1",
    "77654033/CR2": "CR chest 2",
    "77654033/CR3": "CR chest 3",
    "77654033/CT2": "CT 77654033",
    "98892001/CT2N": "CT 98892001 two slices",
    "98892001/CT5N": "CT 98892001 five slices",
    "98892003/MR700": "MR 98892003 series 700",
}
_SINGLE = {
    "CT_small.dcm": "CT slice",
    "MR_small.dcm": "MR slice",
    "MR_small_RLE.dcm": "MR slice, run length encoded",
    "693_J2KI.dcm": "CT slice, JPEG 2000",
    "examples_overlay.dcm": "MR slice with overlay",
    "examples_palette.dcm": "Ultrasound, palette colours",
    "examples_rgb_color.dcm": "Ultrasound, RGB",
    "examples_ybr_color.dcm": "Ultrasound, 30 frames",
    "JPEG2000.dcm": "Nuclear medicine, JPEG 2000",
    "rtdose.dcm": "Radiotherapy dose, 15 frames",
    "liver_1frame.dcm": "Segmentation of a liver",
}
_VOLUMES = {
    "anatomical.nii": "Head, low resolution",
    "functional.nii": "Functional series of a head",
    "example4d.nii.gz": "Two volumes of a head",
    "example_nifti2.nii.gz": "NIfTI-2",
    "reoriented_anat_moved.nii": "Head, moved and reoriented",
    "resampled_anat_moved.nii": "Head, moved and resampled",
}


def build_dicom(shop: Workshop) -> Iterator[SampleItem]:
    """Complete series of several instances, then single files of many encodings."""
    for folder, title in _SERIES.items():
        yield _series(shop, title, shop.members("pydicom", f"{_SETS}{folder}/"))
    for name, title in _SINGLE.items():
        yield _series(shop, title, [_FILES + name])


def _series(shop: Workshop, title: str, members: list[str]) -> SampleItem:
    contents = [shop.read("pydicom", member) for member in members]
    names = [member.rsplit("/", 1)[1].removesuffix(".dcm") + ".dcm" for member in members]
    stored = tuple(
        shop.write(f"dicom_series/{title}/{name}", content) for name, content in zip(names, contents, strict=True)
    )
    origin = Origin("pydicom", members[0], "MIT", "", title, {"subject": "medical"})
    return SampleItem("dicom_series", title, stored, shop.metadata(origin, title, **_tags(contents[0])))


def _tags(content: bytes) -> Json:
    """Modality and time of the study: nothing that identifies a patient."""
    from pydicom import dcmread

    dataset = dcmread(io.BytesIO(content), stop_before_pixels=True)
    found: Json = {"modality": str(dataset.get("Modality", "OT"))}
    moment = study_moment(dataset)
    return found | ({"captured_at": moment} if moment else {})


def study_moment(dataset: Dataset) -> str | None:
    """Study date and time as ISO 8601; a file without zone is taken as UTC, as the server does."""
    date = str(dataset.get("StudyDate", "") or "").replace(".", "")
    clock = (str(dataset.get("StudyTime", "") or "").replace(":", "").split(".")[0] + "000000")[:6]
    if len(date) != 8 or not (date + clock).isdigit():
        return None
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"


def build_nifti(shop: Workshop) -> Iterator[SampleItem]:
    """Volumes, plain and gzipped, NIfTI-1 and NIfTI-2."""
    for name, notes in _VOLUMES.items():
        origin = Origin(
            "nibabel", f"nibabel/tests/data/{name}", "MIT", "", notes, {"subject": "medical", "modality": "MR"}
        )
        stored = shop.write(f"nifti/{name}", shop.read(origin.package, origin.member))
        yield SampleItem("nifti", name, (stored,), shop.metadata(origin, name))
