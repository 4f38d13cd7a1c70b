"""PCD, the point cloud format of PCL: a text header, then text, bytes or LZF-packed bytes."""

from __future__ import annotations

import math

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.scene.text_lines import count_lines

_MOST_HEADER = 64 << 10


def pcd_points(source: ByteFile) -> dict[str, object]:
    """Point count and fields.

    Raises:
        InvalidArguments: the header is broken, or the file ends before its points.
    """
    header, start = _header(source)
    try:
        points = int(header["POINTS"][0]) if "POINTS" in header else math.prod(_ints(header, "WIDTH", "HEIGHT"))
        sizes = [int(size) for size in header["SIZE"]]
        counts = [int(count) for count in header.get("COUNT", ["1"] * len(sizes))]
        form = header["DATA"][0].lower()
        fields = header["FIELDS"]
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidArguments(f"the header of the PCD file is broken ({error})") from error
    if points < 0 or len(sizes) != len(fields):
        raise InvalidArguments("the header of the PCD file is broken: its fields and sizes do not match")
    has = _points_held(source, start, form, sum(s * c for s, c in zip(sizes, counts, strict=False)))
    if has < points:
        raise InvalidArguments(f"the file is cut off: it says {points} points and has {has}")
    return {"point_count": points, "fields": fields, "encoding": form}


def _header(source: ByteFile) -> tuple[dict[str, list[str]], int]:
    head = source.read_at(0, _MOST_HEADER)
    header: dict[str, list[str]] = {}
    start = 0
    for line in head.split(b"\n"):
        start += len(line) + 1
        words = line.decode("latin-1").split()
        if words and not words[0].startswith("#"):
            header[words[0].upper()] = words[1:]
            if words[0].upper() == "DATA":
                return header, start
    raise InvalidArguments("the header of the PCD file is broken: it has no DATA line")


def _ints(header: dict[str, list[str]], *names: str) -> list[int]:
    return [int(header[name][0]) for name in names]


def _points_held(source: ByteFile, start: int, form: str, point_bytes: int) -> int:
    if form == "ascii":
        return count_lines(source, start)
    if form == "binary":
        return (source.size - start) // max(1, point_bytes)
    if form == "binary_compressed":
        lengths = source.exactly(start, 8, "points")
        packed, whole = int.from_bytes(lengths[:4], "little"), int.from_bytes(lengths[4:], "little")
        return whole // max(1, point_bytes) if start + 8 + packed <= source.size else 0
    raise InvalidArguments(f"the PCD file has an unknown form of data: {form[:50]!r}")
