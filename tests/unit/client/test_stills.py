"""Two implementations that share nothing answer the same: the client's and the server's."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from framedex.client.frames import NoSuchFrame
from framedex.client.stills import certify
from framedex.core.media_types import ItemType
from tests.builders import media_files
from tests.unit.media.picturing import pictures


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _dicom(name: str) -> bytes:
    with open(str(get_testdata_file(name, download=False)), "rb") as file:  # noqa: PTH123  # pydicom answers a str
        return file.read()


_RGBA = Image.fromarray(np.random.default_rng(1).integers(0, 256, (6, 8, 4), dtype=np.uint8))
_GREY = Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30))
STILLS = {
    "png": (ItemType.IMAGE, media_files.png(12, 7, orientation=5), [0]),
    "jpeg": (ItemType.IMAGE, media_files.jpeg(31, 17, orientation=6), [0]),
    "webp": (ItemType.IMAGE, media_files.webp(12, 7, orientation=8), [0]),
    "avif": (ItemType.IMAGE, media_files.avif(12, 7, orientation=3), [0]),
    "tiff": (ItemType.IMAGE, media_files.tiff(12, 7, orientation=6), [0]),
    "bmp": (ItemType.IMAGE, media_files.bmp(), [0]),
    "gif": (ItemType.IMAGE, media_files.gif(3), [0, 2]),
    "rgba": (ItemType.IMAGE, _saved(_RGBA, "PNG"), [0]),
    "palette": (ItemType.IMAGE, _saved(_RGBA.convert("RGB").quantize(5), "PNG"), [0]),
    "grey 16": (ItemType.IMAGE, _saved(_GREY, "PNG"), [0]),
    "float": (ItemType.IMAGE, _saved(Image.fromarray(np.ones((4, 5), np.float32)), "TIFF"), [0]),
    "bilevel": (ItemType.IMAGE, _saved(_GREY.convert("1"), "TIFF"), [0]),
    "cmyk": (ItemType.IMAGE, _saved(Image.new("CMYK", (8, 8), (9, 8, 7, 6)), "JPEG"), [0]),
    "heic": (ItemType.IMAGE, None, [0]),
    "jxl": (ItemType.IMAGE, None, [0]),
    "dicom": (ItemType.DICOM_FILE, media_files.dicom(frames=3), [0, 2]),
    "dicom palette": (ItemType.DICOM_FILE, _dicom("examples_palette.dcm"), [0]),
    "dicom rgb": (ItemType.DICOM_FILE, _dicom("examples_rgb_color.dcm"), [0]),
    "dicom jpeg 2000": (ItemType.DICOM_FILE, _dicom("JPEG2000.dcm"), [0]),
    "nifti": (ItemType.NIFTI, media_files.nifti((7, 5, 4, 2)), [0, 7]),
    "nifti plain": (ItemType.NIFTI, media_files.nifti(packed=False), [3]),
    "pdf": (ItemType.PDF, media_files.pdf(2), [0, 1]),
}


def _plugin_still(form: str) -> bytes:
    import pillow_heif
    import pillow_jxl  # noqa: F401  # registers itself

    pillow_heif.register_heif_opener()
    return _saved(_RGBA.convert("RGB").resize((64, 48)), {"heic": "HEIF", "jxl": "JXL"}[form])


@pytest.mark.parametrize("name", STILLS)
def test_certify__as_the_server(name: str) -> None:
    kind, data, indices = STILLS[name]
    data = _plugin_still(name) if data is None else data
    theirs = [found.facts for found in pictures(kind, data, frames=indices, format=None)]
    ours = [certify(kind.value, data, index) for index in indices]
    names = ("frame", "pts", "pixel_format", "width", "height", "sha256")
    assert [[getattr(one, n) for n in names] for one in ours] == [[one[n] for n in names] for one in theirs]


def test_certify__none_there() -> None:
    with pytest.raises(NoSuchFrame):
        certify("image", media_files.gif(2), 2)
    with pytest.raises(NoSuchFrame):
        certify("pdf", media_files.pdf(1), 1)
    with pytest.raises(ValueError, match="a scene has no pictures"):
        certify("scene", b"", 0)
