"""Where the points of a cloud are: (n, 3) of x, y, z, at most two million of them, spread over the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits
from framedex.media.scene.las import check_las_head
from framedex.media.scene.lzf import unpack
from framedex.media.scene.pcd import read_pcd_header
from framedex.media.scene.ply import PLY_TYPES, read_ply_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_POINTS = 2_000_000
_RUNS = 20
# Text is read as far as this, packed PCD unpacked so far.
_MOST_TEXT = 256 << 20
_PCD_TYPES = {("F", 4): "f4", ("F", 8): "f8", ("I", 1): "i1", ("I", 2): "i2", ("I", 4): "i4", ("I", 8): "i8",
              ("U", 1): "u1", ("U", 2): "u2", ("U", 4): "u4", ("U", 8): "u8"}  # fmt: skip


def runs(count: int) -> list[tuple[int, int]]:
    """Which points to take, as (first, how many)."""
    if count <= _MOST_POINTS:
        return [(0, count)]
    length = _MOST_POINTS // _RUNS
    return [(index * (count - length) // (_RUNS - 1), length) for index in range(_RUNS)]


def las_positions(source: ByteFile, limits: Limits) -> tuple[NDArray[np.float64], int]:
    """LAS and LAZ; packed chunks between the runs are passed over."""
    import laspy
    import numpy as np
    from laspy.errors import LaspyException

    check_las_head(source)
    source.seek(0)
    try:
        with laspy.open(source, closefd=False, read_evlrs=False) as reader:
            count = int(reader.header.point_count)
            parts = []
            for first, length in runs(count):
                reader.seek(first)
                points = reader.read_points(length)
                parts.append(np.stack((points.x, points.y, points.z), axis=1))
    except (LaspyException, ValueError, OverflowError) as error:
        raise InvalidArguments(f"the points cannot be read: {error}") from error
    return np.concatenate(parts), count


def ply_positions(source: ByteFile, limits: Limits) -> tuple[NDArray[np.float64], int]:
    """PLY whose vertices come first and have no lists, as all writers make them."""
    form, elements, start = read_ply_header(source)
    vertices = elements[0] if elements else None
    if vertices is None or vertices.name != "vertex" or vertices.has_list:
        raise InvalidArguments("the vertices of the PLY file do not come first, or have lists; it has no picture")
    columns = _xyz(vertices.properties)
    if form == "ascii":
        return _text_positions(source, start, vertices.count, columns, limits), vertices.count
    order = "<" if form == "binary_little_endian" else ">"
    record = [(f"f{i}", order + PLY_TYPES[name]) for i, name in enumerate(vertices.types)]
    return _binary_positions(source, start, vertices.count, record, columns), vertices.count


def pcd_positions(source: ByteFile, limits: Limits) -> tuple[NDArray[np.float64], int]:
    """PCD as text, bytes, or LZF-packed bytes."""
    header, start = read_pcd_header(source)
    counts = header.counts
    columns = _xyz(header.fields)
    if header.form == "ascii":
        before = [sum(counts[:column]) for column in columns]
        return _text_positions(source, start, header.points, before, limits), header.points
    record = [
        (f"f{i}", "<" + _PCD_TYPES[kind, size], (count,)) if count > 1 else (f"f{i}", "<" + _PCD_TYPES[kind, size])
        for i, (kind, size, count) in enumerate(zip(header.types, header.sizes, counts, strict=True))
    ]
    if header.form == "binary":
        return _binary_positions(source, start, header.points, record, columns), header.points
    return _packed_positions(source, start, header.points, record, columns), header.points


def _xyz(names: Sequence[str]) -> list[int]:
    try:
        return [names.index(name) for name in "xyz"]
    except ValueError:
        raise InvalidArguments("the points have no x, y and z") from None


def _binary_positions(
    source: ByteFile, start: int, count: int, record: Sequence[Any], columns: Sequence[int]
) -> NDArray[np.float64]:
    import numpy as np

    form = np.dtype(list(record))
    parts = []
    for first, length in runs(count):
        data = source.exactly(start + first * form.itemsize, length * form.itemsize, "points")
        points = np.frombuffer(data, form)
        parts.append(np.stack([points[f"f{column}"].astype(np.float64) for column in columns], axis=1))
    return np.concatenate(parts)


def _text_positions(
    source: ByteFile, start: int, count: int, columns: Sequence[int], limits: Limits
) -> NDArray[np.float64]:
    """The first points, line by line: text cannot be entered in the middle of a known point."""
    import numpy as np

    found: list[list[float]] = []
    rest = b""
    for data in source.chunks(start, start + _MOST_TEXT):
        *lines, rest = (rest + data).split(b"\n")
        _add_lines(found, lines, columns)
        if len(found) >= min(count, _MOST_POINTS):
            break
    else:
        _add_lines(found, [rest], columns)
    return np.array(found[: min(count, _MOST_POINTS)], np.float64).reshape(-1, 3)


def _add_lines(found: list[list[float]], lines: Sequence[bytes], columns: Sequence[int]) -> None:
    for line in lines:
        words = line.split()
        if not words:
            continue
        try:
            found.append([float(words[column]) for column in columns])
        except (ValueError, IndexError):
            raise InvalidArguments("a line of the point cloud has no x, y and z") from None


def _packed_positions(
    source: ByteFile, start: int, count: int, record: Sequence[Any], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Packed PCD holds field after field, so only what stands before the last of x, y and z is unpacked."""
    import numpy as np

    form = np.dtype(list(record))
    packed = int.from_bytes(source.exactly(start, 4, "points"), "little")
    ends: list[int] = []
    for index in range(len(record)):
        ends.append((ends[-1] if ends else 0) + form[index].itemsize * count)
    needed = ends[max(columns)]
    if needed > _MOST_TEXT:
        raise InvalidArguments(f"the packed points need {needed} bytes unpacked; at most {_MOST_TEXT} are read")
    data = unpack(source.exactly(start + 8, packed, "points"), needed)
    parts = []
    for column in columns:
        values = np.frombuffer(data, form[column].base, count, ends[column] - form[column].itemsize * count)
        parts.append(values.astype(np.float64))
    points = np.stack(parts, axis=1)
    return points[:: -(-count // _MOST_POINTS)] if count > _MOST_POINTS else points
