"""One frame of a DICOM file: its stored samples, and how they are to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.pixels import check_pixels, window_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset, FileDataset

Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DicomFrame:
    """A frame as stored and as shown.

    Attributes:
        samples: stored values before rescale and window; colours as RGB, palettes applied.
        shown: after rescale or VOI table, black to white; None: `samples`.
        window: see `framedex.media.pixels.eight_bit`; None: 8-bit samples stay.
    """

    samples: NDArray[Any]
    shown: NDArray[Any] | None
    window: Window | None


def read_frame(source: ByteFile, frame: int, limits: Limits) -> DicomFrame:
    """Decodes one frame; of native multi-frame files only its bytes are read.

    Raises:
        InvalidArguments: no image, too large, no such frame, or it cannot be decoded.
    """
    import pydicom

    source.seek(0)
    dataset = pydicom.dcmread(source, stop_before_pixels=True)
    rows, columns = _size(dataset)
    check_pixels(columns, rows, limits)
    samples = _decoded(source, frame)
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        return DicomFrame(apply_color_lut(samples, dataset), None, None)
    if samples.ndim == 3:
        return DicomFrame(samples, None, None)
    return _grey(samples, dataset, frame)


def _size(dataset: FileDataset) -> tuple[int, int]:
    try:
        return int(dataset.Rows), int(dataset.Columns)
    except (AttributeError, TypeError, ValueError):
        raise InvalidArguments("the DICOM file is no image: it has no Rows and Columns") from None


def _decoded(source: ByteFile, frame: int) -> NDArray[Any]:
    from pydicom.pixels.utils import pixel_array

    source.seek(0)
    try:
        samples = pixel_array(cast("BinaryIO", source), index=frame)
    except (ValueError, RuntimeError, AttributeError, NotImplementedError, EOFError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidArguments(f"frame {frame} of the DICOM file cannot be decoded: {reason}") from error
    if samples.dtype.kind == "b":
        return samples.astype("u1") * 255
    return samples


def _grey(samples: NDArray[Any], dataset: Dataset, frame: int) -> DicomFrame:
    holders = _holders(dataset, frame)
    if dataset.get("VOILUTSequence"):
        shown, window = _through_table(samples, dataset)
    else:
        shown = _rescaled(samples, holders)
        window = _stated_window(holders) or window_of(shown)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        shown, window = -shown.astype("f4"), (-window[1], -window[0])
    return DicomFrame(samples, shown, window)


def _through_table(samples: NDArray[Any], dataset: Dataset) -> tuple[NDArray[Any], Window]:
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    shown = apply_voi_lut(apply_modality_lut(samples, dataset), dataset)
    return shown, (float(shown.min()), float(shown.max()))


def _holders(dataset: Dataset, frame: int) -> list[Dataset]:
    """Where the tags of a frame may stand: its functional groups, those of all frames, the file itself."""
    found: list[Dataset] = []
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in (*per_frame[frame : frame + 1], *shared[:1]):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            found += (group.get(name) or [])[:1]
    return [*found, dataset]


def _rescaled(samples: NDArray[Any], holders: list[Dataset]) -> NDArray[Any]:
    slope, intercept = _number(holders, "RescaleSlope"), _number(holders, "RescaleIntercept")
    if slope is None and intercept is None:
        return samples
    return samples.astype("f4") * (1.0 if slope is None else slope) + (intercept or 0.0)


def _stated_window(holders: list[Dataset]) -> Window | None:
    """PS3.3 C.11.2.1.2.1: from c - 0.5 - (w - 1) / 2 to c - 0.5 + (w - 1) / 2."""
    centre, width = _number(holders, "WindowCenter"), _number(holders, "WindowWidth")
    if centre is None or width is None or width < 1:
        return None
    half = (width - 1) / 2
    return centre - 0.5 - half, centre - 0.5 + half


def _number(holders: list[Dataset], keyword: str) -> float | None:
    """The first value of a tag that may have several, or junk."""
    for holder in holders:
        try:
            value = holder.get(keyword)
            first = value[0] if isinstance(value, list | tuple) or hasattr(value, "append") else value
            if first is not None:
                return float(first)
        except (TypeError, ValueError, IndexError):
            continue
    return None
