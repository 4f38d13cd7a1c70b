"""LAS and LAZ: the header by laspy, the points by their length."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile

# LAS 1.4, tables 3 and 8: where the header has its own length, that of all before the points, and how many variable
# records lie between; and the least bytes of one.
_LENGTHS, _RECORD = 94, 54


def las_points(source: ByteFile) -> dict[str, object]:
    """Point count and bounds, and `format` laz where the points are compressed.

    Raises:
        InvalidArguments: the header is broken, or the file ends before its points.
    """
    import laspy
    from laspy.errors import LaspyException

    check_las_head(source)
    source.seek(0)
    try:
        header = laspy.LasHeader.read_from(source)
    except (LaspyException, ValueError, OverflowError) as error:
        raise InvalidArguments(f"the header of the point cloud is broken: {error}") from error
    start, count = int(header.offset_to_point_data), int(header.point_count)
    is_packed = bool(header.are_points_compressed)
    # a LAZ file has the place of its chunk table in the first eight bytes of its points, -1 when written to a pipe
    end = int.from_bytes(source.exactly(start, 8, "points"), "little", signed=True) if is_packed and count else 0
    end = end if is_packed else start + count * int(header.point_format.size)
    if end > source.size:
        raise InvalidArguments(f"the file is cut off: its {count} points need {end} bytes and it has {source.size}")
    bounds = [[float(value) for value in corner] for corner in (header.mins, header.maxs)]
    return {"format": "laz" if is_packed else "las", "point_count": count, "bounds": bounds}


def check_las_head(source: ByteFile) -> None:
    """Whether the records that the header counts have room before the points: laspy reads on without end otherwise.

    Raises:
        InvalidArguments: they have not, or the file ends before its points.
    """
    lengths = source.exactly(_LENGTHS, 10, "its header")
    own, start, records = (int.from_bytes(lengths[a:b], "little") for a, b in ((0, 2), (2, 6), (6, 10)))
    if own + records * _RECORD > start or start > source.size:
        raise InvalidArguments(
            f"the header of the point cloud is broken: {records} records after {own} bytes, points at byte {start} "
            f"of {source.size}"
        )
