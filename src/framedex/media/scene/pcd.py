"""PCD, the point cloud format of PCL: a text header, then text, bytes or LZF-packed bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.scene.text_lines import count_lines

_MOST_HEADER = 64 << 10


@dataclass(frozen=True, slots=True)
class PcdHeader:
    """`sizes` are bytes of one value, `counts` values of a field; `types` are F, I and U; `form` is that of DATA."""

    points: int
    fields: list[str]
    sizes: list[int]
    types: list[str]
    counts: list[int]
    form: str

    def point_bytes(self) -> int:
        return sum(size * count for size, count in zip(self.sizes, self.counts, strict=True))


def pcd_points(source: ByteFile) -> dict[str, object]:
    """Point count and fields.

    Raises:
        InvalidArguments: the header is broken, or the file ends before its points.
    """
    header, start = read_pcd_header(source)
    has = _points_held(source, start, header.form, header.point_bytes())
    if has < header.points:
        raise InvalidArguments(f"the file is cut off: it says {header.points} points and has {has}")
    return {"point_count": header.points, "fields": header.fields, "encoding": header.form}


def read_pcd_header(source: ByteFile) -> tuple[PcdHeader, int]:
    """The header, and the byte at which the points begin.

    Raises:
        InvalidArguments: it is broken.
    """
    header, start = _header(source)
    try:
        sizes = [int(size) for size in header["SIZE"]]
        found = PcdHeader(
            points=int(header["POINTS"][0]) if "POINTS" in header else math.prod(_ints(header, "WIDTH", "HEIGHT")),
            fields=header["FIELDS"],
            sizes=sizes,
            types=[kind.upper() for kind in header.get("TYPE", ["F"] * len(sizes))],
            counts=[int(count) for count in header.get("COUNT", ["1"] * len(sizes))],
            form=header["DATA"][0].lower(),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidArguments(f"the header of the PCD file is broken ({error})") from error
    lengths = {len(found.fields), len(found.sizes), len(found.types), len(found.counts)}
    if found.points < 0 or len(lengths) > 1 or min([*found.sizes, *found.counts], default=0) < 0:
        raise InvalidArguments("the header of the PCD file is broken: its fields and sizes do not match")
    return found, start


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
