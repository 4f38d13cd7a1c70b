"""One slice of a NIfTI volume as stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits, setting_of
from framedex.media.nifti.probe import GZIP, inflated, read_header
from framedex.media.pixels import check_pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEADER_BYTES = 540


def read_slice(source: ByteFile, index: int, limits: Limits) -> NDArray[Any]:
    """Stored values of slice `index` along the third axis (then the fourth), as (height, width[, 3 or 4]).

    A row is the first axis and rows follow the second, both as stored. A packed volume is unpacked up to the slice.

    Raises:
        InvalidArguments: no such slice, or it is too large or too far inside a packed file.
    """
    is_packed = source.read_at(0, 2) == GZIP
    head = read_range(source, 0, _HEADER_BYTES, limits) if is_packed else source.read_at(0, _HEADER_BYTES)
    header = read_header(head)
    width, height, depth, times = [*header.get_data_shape(), 1, 1, 1, 1][:4]
    if not 0 <= index < depth * times:
        raise InvalidArguments(f"the volume has {depth * times} slices, counted from 0; there is no slice {index}")
    check_pixels(width, height, limits)
    data_type = header.get_data_dtype()
    length = width * height * data_type.itemsize
    start = int(header["vox_offset"]) + index * length
    data = read_range(source, start, length, limits) if is_packed else source.exactly(start, length, "a slice")
    return as_samples(data, data_type, (height, width))


def as_samples(data: bytes, data_type: np.dtype[Any], shape: tuple[int, int]) -> NDArray[Any]:
    import numpy as np

    values = np.frombuffer(data, data_type).reshape(shape)
    if data_type.names:  # RGB and RGBA of bytes
        return np.stack([values[name] for name in data_type.names], axis=-1)
    if data_type.kind == "c":
        values = np.abs(values)
    return values


def read_range(source: ByteFile, start: int, length: int, limits: Limits) -> bytes:
    """Bytes of the unpacked volume; everything before them is unpacked and thrown away."""
    if start + length > limits.inflated_bytes:
        raise InvalidArguments(
            f"the slice ends {start + length} bytes into the packed volume; at most {limits.inflated_bytes} are "
            f"unpacked ({setting_of('inflated_bytes')})"
        )
    found: list[bytes] = []
    position = 0
    for piece in inflated(source):
        found.append(piece[max(0, start - position) : max(0, start + length - position)])
        position += len(piece)
        if position >= start + length:
            return b"".join(found)
    raise InvalidArguments(f"the volume is cut off: it has {position} bytes, and the slice ends at {start + length}")
