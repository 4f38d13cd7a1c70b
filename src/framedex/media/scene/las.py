"""LAS and LAZ: the header by laspy, the points by their length."""

from __future__ import annotations

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile


def las_points(source: ByteFile) -> dict[str, object]:
    """Point count and bounds, and `format` laz where the points are compressed.

    Raises:
        InvalidArguments: the header is broken, or the file ends before its points.
    """
    import laspy
    from laspy.errors import LaspyException

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
