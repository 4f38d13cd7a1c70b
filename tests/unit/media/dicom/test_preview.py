from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom

from framedex.core.media_types import ItemType
from tests.builders import media_files
from tests.unit.media.previewing import preview, refusal

DICOM = ItemType.DICOM_FILE


def _slice(values: list[int], **tags: Any) -> bytes:
    """Columns of these stored values."""
    dataset = pydicom.dcmread(io.BytesIO(media_files.dicom(side=len(values))))
    dataset.PixelData = np.tile(np.array(values, np.uint16), (len(values), 1)).tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    return out.getvalue()


def _row(data: bytes) -> list[int]:
    return [int(value) for value in preview(DICOM, data).pixels[0, :, 0]]


def test_thumbnail__window_after_rescale() -> None:
    """Stored 1000 is 0 HU; the window from -160 to 240 begins at stored 840 (PS3.3 C.11.2)."""
    tags = {"RescaleSlope": 1, "RescaleIntercept": -1000, "WindowCenter": 40, "WindowWidth": 400}
    row = _row(_slice([0, 840, 1040, 1240, 4000, 4095, 0, 0], **tags))
    assert row[0] == 0
    assert row[1] <= 1
    assert abs(row[2] - 128) <= 1
    assert row[3] >= 254
    assert row[4] == row[5] == 255


def test_thumbnail__monochrome1_is_inverted() -> None:
    values = [0, 500, 1000, 2000, 3000, 4000, 100, 50]
    tags = {"WindowCenter": 2000, "WindowWidth": 4000}
    plain, inverted = (
        _row(_slice(values, **tags)),
        _row(_slice(values, PhotometricInterpretation="MONOCHROME1", **tags)),
    )
    assert all(abs(a + b - 255) <= 1 for a, b in zip(plain, inverted, strict=True))


def test_thumbnail__middle_frame_of_several() -> None:
    shown = preview(DICOM, media_files.dicom(frames=5), frame_count=5)
    assert shown.facts["shows"] == "frame 2 of 5"


def test_thumbnail__what_has_no_pixels_is_refused() -> None:
    dataset = pydicom.dcmread(io.BytesIO(media_files.dicom()))
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    assert "no image" in refusal(DICOM, out.getvalue())
