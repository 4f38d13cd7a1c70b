"""The SHA-256 that certifies a still: an image, a frame of a DICOM file, a slice of a NIfTI volume, a page of a PDF.

It is over samples of 8 or 16 bits (grey also float), rows from top to bottom, after the orientation that the file
tells: grey, RGB or RGBA, little-endian. Of DICOM and NIfTI the values as stored, before rescale and window; of a page
its drawing of a given width: only the same version of PDFium draws the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framedex.client.frames import Certificate, NoSuchFrame

_ORIENTATION = 0x0112
_DEEP = {"rgb48be": (">u2", 3), "rgb48le": ("<u2", 3), "rgba64be": (">u2", 4), "rgba64le": ("<u2", 4)}


def certify(kind: str, data: bytes, index: int, *, width: int | None = None) -> Certificate:
    """What picture `index` of a file is.

    Args:
        kind: the item's type: `image`, `dicomFile`, `nifti` or `pdf`.
        width: pixels that a page is drawn at; None: two a point.

    Raises:
        NoSuchFrame: there is no such picture.
        ValueError: a kind without pictures.
    """
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"a {kind} has no pictures; certified are {', '.join(_READERS)} and videos")
    try:
        samples = read(data, index, width)
    except (EOFError, IndexError) as error:
        raise NoSuchFrame(f"there is no picture {index} in this {kind}") from error
    return Certificate(index, None, _name(samples), samples.shape[1], samples.shape[0], _sha256(samples))


def _image(data: bytes, index: int, _width: int | None) -> NDArray[Any]:
    from PIL import Image, ImageOps

    with contextlib.suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
        import_module("pillow_jxl")
    with Image.open(io.BytesIO(data)) as image:
        image.seek(index)
        deep = _deep(data, index, image.format)
        if deep is not None:
            return _turned(deep, image.getexif().get(_ORIENTATION, 1))
        # of these the reader applies the orientation itself
        plain = image.copy() if image.format in ("TIFF", "HEIF", "JXL") else ImageOps.exif_transpose(image)
        return np.asarray(_canonical(plain))


def _canonical(image: Any) -> Any:  # noqa: ANN401  # Pillow is imported on use
    is_transparent = "transparency" in image.info and image.mode in ("1", "L", "P", "RGB")
    if is_transparent or image.mode in ("LA", "La", "PA", "RGBa"):
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    is_kept = image.mode in ("L", "RGB", "RGBA", "I", "F") or image.mode.startswith("I;16")
    return image if is_kept else image.convert("RGB")


def _deep(data: bytes, index: int, form: str | None) -> NDArray[Any] | None:
    """16-bit colours of PNG and TIFF, which Pillow cuts to 8 bits."""
    if form not in ("PNG", "TIFF") or (form == "PNG" and (index or data[24] != 16 or data[25] not in (2, 6))):
        return None
    import av

    decoder: Any = av.CodecContext.create(form.lower(), "r")
    decoder.options = {"page": str(index + 1)} if form == "TIFF" and index else {}
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.error.FFmpegError:
        return None
    if not frames or frames[0].format.name not in _DEEP:
        return None
    dtype, channels = _DEEP[frames[0].format.name]
    plane = frames[0].planes[0]
    rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // 2)
    return rows[:, : frames[0].width * channels].reshape(plane.height, frames[0].width, channels)


def _turned(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    turns: Mapping[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: np.rot90,
    }
    turn = turns.get(orientation)
    return samples if turn is None else turn(samples)


def _dicom(data: bytes, index: int, _width: int | None) -> NDArray[Any]:
    import pydicom
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    samples = pixel_array(io.BytesIO(data), index=index)
    dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        return apply_color_lut(samples, dataset)
    return samples.astype("u1") * 255 if samples.dtype.kind == "b" else samples


def _nifti(data: bytes, index: int, _width: int | None) -> NDArray[Any]:
    import gzip

    import nibabel

    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    second = 540 in (int.from_bytes(plain[:4], "little"), int.from_bytes(plain[:4], "big"))
    kind: Any = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    volume = np.asarray(kind.from_bytes(plain).dataobj.get_unscaled())
    stacked = volume.reshape((*volume.shape, 1, 1, 1)[:4])
    time, depth = divmod(index, stacked.shape[2])
    samples = stacked[:, :, depth, time].T
    if samples.dtype.names:
        return np.stack([samples[name] for name in samples.dtype.names], axis=-1)
    return np.abs(samples) if samples.dtype.kind == "c" else samples


def _page(data: bytes, index: int, width: int | None) -> NDArray[Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        if index >= len(document):
            raise IndexError(index)
        page = document[index]
        scale = 2.0 if width is None else width / max(page.get_width(), 1e-3)
        samples: NDArray[Any] = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True).to_numpy().copy()
    finally:
        document.close()
    if samples.ndim == 3:
        samples = samples[:, :, :3] if samples.shape[2] >= 3 else samples[:, :, 0]
    return samples


_READERS: Mapping[str, Callable[[bytes, int, int | None], NDArray[Any]]] = {
    "image": _image,
    "dicomFile": _dicom,
    "nifti": _nifti,
    "pdf": _page,
}


def _sha256(samples: NDArray[Any]) -> str:
    return hashlib.sha256(samples.astype(samples.dtype.newbyteorder("<")).tobytes()).hexdigest()


def _name(samples: NDArray[Any]) -> str:
    """FFmpeg's name of the format, or one in its manner."""
    bits, channels = samples.dtype.itemsize * 8, 1 if samples.ndim == 2 else samples.shape[2]
    stem = {1: "gray", 3: "rgb", 4: "rgba"}[channels]
    if bits == 8 and samples.dtype.kind == "u":
        return {1: "gray", 3: "rgb24", 4: "rgba"}[channels]
    sign = {"u": "", "i": "s", "f": "f"}[samples.dtype.kind]
    return f"{stem}{sign}{bits * channels}{'le' if bits > 8 else ''}"
