"""Witness: pydicom's own arrays, and the window's definition (PS3.3 C.11.2.1.2) written out."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from tests.builders import media_files
from tests.unit.media.picturing import picture, pictures


def _sha256(array: Any) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def _file(name: str) -> bytes:
    with open(str(get_testdata_file(name, download=False)), "rb") as file:  # noqa: PTH123  # pydicom answers a str
        return file.read()


def test_make__each_frame_of_a_multi_frame_file() -> None:
    data = media_files.dicom(frames=3)
    stored = pydicom.dcmread(io.BytesIO(data)).pixel_array
    found = pictures(ItemType.DICOM_FILE, data, frames=[2, 0])
    assert [f.facts["sha256"] for f in found] == [_sha256(stored[2]), _sha256(stored[0])]
    assert {f.facts["pixel_format"] for f in found} == {"gray16le"}
    assert {f.facts["pts"] for f in found} == {None}


def test_make__the_stated_window_after_rescale() -> None:
    data = _file("CT_small.dcm")
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    out = io.BytesIO()
    dataset.save_as(out)
    found = picture(ItemType.DICOM_FILE, out.getvalue())
    units = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    expected = np.clip((units - (40 - 0.5)) / (400 - 1) + 0.5, 0, 1) * 255
    assert found.facts["pixel_format"] == "grays16le"
    assert found.facts["sha256"] == _sha256(dataset.pixel_array)
    assert np.abs(found.pixels.astype(int) - expected).max() <= 1


def test_make__monochrome1_is_shown_inverted() -> None:
    dataset = pydicom.dcmread(io.BytesIO(media_files.dicom()))
    plain = picture(ItemType.DICOM_FILE, media_files.dicom()).pixels
    dataset.PhotometricInterpretation = "MONOCHROME1"
    out = io.BytesIO()
    dataset.save_as(out)
    found = picture(ItemType.DICOM_FILE, out.getvalue())
    assert np.abs(found.pixels.astype(int) - (255 - plain.astype(int))).max() <= 1


@pytest.mark.parametrize(
    ("name", "pixel_format"),
    [("examples_rgb_color.dcm", "rgb24"), ("examples_palette.dcm", "rgb48le"), ("MR_small_RLE.dcm", "grays16le")],
)
def test_make__colour_and_compressed(name: str, pixel_format: str) -> None:
    found = picture(ItemType.DICOM_FILE, _file(name), width=32)
    assert found.facts["pixel_format"] == pixel_format
    assert found.pixels.std() > 1


def test_make__refusals() -> None:
    with pytest.raises(InvalidArguments, match="frame 1 of the DICOM file cannot be decoded"):
        picture(ItemType.DICOM_FILE, media_files.dicom(), frames=[1])
    with pytest.raises(InvalidArguments, match="is no image"):
        picture(ItemType.DICOM_FILE, _file("rtplan.dcm"))
