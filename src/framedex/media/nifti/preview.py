"""A thumbnail of a NIfTI volume: the middle slice along each of its three axes, side by side.

The volume goes by slice by slice and is never held: of each slice along the third axis one row and one column are kept,
and the middle one whole. Of a fourth axis the first volume is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.kind import Sink
from framedex.media.limits import Limits, setting_of
from framedex.media.nifti.probe import GZIP, inflated, read_header
from framedex.media.nifti.samples import as_samples, read_range
from framedex.media.pixels import check_pixels, eight_bit, image_of, window_of
from framedex.media.previews import picture, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER_BYTES = 540
_PIECE = 1 << 20
# Scanners step in tenths to tens of millimetres; what says otherwise is not believed.
_MOST_STRETCH = 8.0


@dataclass(frozen=True, slots=True)
class Volume:
    """What of a header says how to read one volume; `zooms` are relative, `start` the byte of the first voxel."""

    shape: tuple[int, int, int]
    zooms: list[float]
    data_type: Any
    start: int


def read_volume(head: bytes) -> Volume:
    """The first three axes; those that are missing have one voxel."""
    header = read_header(head)
    width, height, depth = (int(extent) for extent in [*header.get_data_shape(), 1, 1][:3])
    zooms = [float(zoom) for zoom in [*header.get_zooms(), 1.0, 1.0][:3]]
    return Volume((width, height, depth), _sound(zooms), header.get_data_dtype(), int(header["vox_offset"]))


def make(sources: Sequence[ByteFile], sink: Sink, asked: Mapping[str, Any], limits: Limits) -> dict[str, object]:
    """`thumbnail`: the planes across the first, second and third axis, in one window; voxels in their proportions.

    The first axis of a plane goes right and the second up, as stored: left and right of the patient are as the file has
    them.
    """
    from PIL.Image import new

    require(asked, "thumbnail")
    (source,) = sources
    is_packed = source.read_at(0, 2) == GZIP
    head = read_range(source, 0, _HEADER_BYTES, limits) if is_packed else source.read_at(0, _HEADER_BYTES)
    volume = read_volume(head)
    planes = read_planes(source, volume, limits, is_packed=is_packed)
    zooms = volume.zooms
    window = None if planes[2].ndim == 3 else window_of(planes[2])
    side = max(8, int(asked["size"]) // 3)
    cells = []
    for plane, (right, up) in zip(planes, ((1, 2), (0, 2), (0, 1)), strict=True):
        cell = image_of(eight_bit(plane[::-1], window)).convert("RGB")
        width, height = cell.width * zooms[right], cell.height * zooms[up]
        scale = side / max(width, height)
        cells.append(cell.resize((max(1, round(width * scale)), max(1, round(height * scale)))))
    paper = new("RGB", (3 * side, max(cell.height for cell in cells)))
    for index, cell in enumerate(cells):
        paper.paste(cell, (index * side + (side - cell.width) // 2, (paper.height - cell.height) // 2))
    return picture(paper, sink, asked, shows="middle slices along the three axes")


def read_planes(source: ByteFile, volume: Volume, limits: Limits, *, is_packed: bool) -> list[NDArray[Any]]:
    """(rows, columns) across the first, the second and the third axis; rows follow the later of the other two axes."""
    import numpy as np

    width, height, depth = volume.shape
    check_pixels(width, height, limits)
    check_pixels(width, depth, limits)
    check_pixels(height, depth, limits)
    length = width * height * volume.data_type.itemsize
    start = volume.start
    if start + length * depth > limits.inflated_bytes:
        raise InvalidArguments(
            f"one volume needs {length * depth} bytes; at most {limits.inflated_bytes} are read "
            f"({setting_of('inflated_bytes')})"
        )
    pieces = inflated(source) if is_packed else source.chunks(start)
    slices = _slices(pieces, start if is_packed else 0, length, depth)
    first, second, middle = [], [], None
    for index, data in enumerate(slices):
        values = as_samples(data, volume.data_type, (height, width))
        first.append(values[:, width // 2].copy())
        second.append(values[height // 2, :].copy())
        if index == depth // 2:
            middle = values.copy()
    if middle is None or len(first) < depth:
        raise InvalidArguments(f"the volume is cut off: it has {len(first)} of its {depth} slices")
    return [np.stack(first), np.stack(second), middle]


def _slices(pieces: Iterator[bytes], skip: int, length: int, count: int) -> Iterator[bytes]:
    """`count` runs of `length` bytes behind the first `skip`."""
    held = bytearray()
    for piece in pieces:
        taken = piece[skip:]
        skip = max(0, skip - len(piece))
        held += taken
        while len(held) >= length and count:
            yield bytes(held[:length])
            del held[:length]
            count -= 1
        if not count:
            return


def _sound(zooms: Sequence[float]) -> list[float]:
    """Sizes of a voxel relative to the least of them."""
    known = [abs(zoom) if math.isfinite(zoom) and zoom else 1.0 for zoom in zooms]
    least = min(known)
    return [min(zoom / least, _MOST_STRETCH) for zoom in known]
