"""PLY: a text header of elements and their properties, then text or bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.scene.text_lines import count_lines

_MOST_HEADER = 64 << 10
#: Types of properties -> numpy's names of them.
PLY_TYPES = {
    "char": "i1", "uchar": "u1", "int8": "i1", "uint8": "u1", "short": "i2", "ushort": "u2", "int16": "i2",
    "uint16": "u2", "int": "i4", "uint": "u4", "int32": "i4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip


@dataclass(slots=True)
class PlyElement:
    """`properties` are names, `types` those of their values (of a list: of its length)."""

    name: str
    count: int
    types: list[str] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)
    has_list: bool = False

    def least_bytes(self) -> int:
        return self.count * sum(int(PLY_TYPES[name][1]) for name in self.types)


def ply_points(source: ByteFile) -> dict[str, object]:
    """Count and fields of the `vertex` element.

    Raises:
        InvalidArguments: the header is broken, or the file ends before its data.
    """
    form, elements, start = read_ply_header(source)
    vertices = next((element for element in elements if element.name == "vertex"), None)
    if vertices is None:
        raise InvalidArguments("the PLY file has no `vertex` element")
    if form == "ascii":
        has, needs, unit = count_lines(source, start), sum(element.count for element in elements), "lines"
    else:
        has, needs, unit = source.size - start, sum(element.least_bytes() for element in elements), "bytes"
    if has < needs:
        raise InvalidArguments(f"the file is cut off: its elements need {needs} {unit} and it has {has}")
    return {"point_count": vertices.count, "fields": vertices.properties, "encoding": form}


def read_ply_header(source: ByteFile) -> tuple[str, list[PlyElement], int]:
    """Form of the data, elements, and the byte at which the data begins.

    Raises:
        InvalidArguments: the header is broken.
    """
    head = source.read_at(0, _MOST_HEADER)
    end = head.find(b"end_header")
    line_end = head.find(b"\n", end)
    if end < 0 or line_end < 0:
        raise InvalidArguments("the header of the PLY file is broken: it has no end")
    form, elements = "", list[PlyElement]()
    try:
        for line in head[:end].decode("latin-1").splitlines():
            words = line.split()
            if words[:1] == ["format"]:
                form = words[1]
            elif words[:1] == ["element"]:
                elements.append(PlyElement(words[1], int(words[2])))
            elif words[:1] == ["property"]:
                # of a list, the length that stands first is the least there is
                kind = words[2] if words[1] == "list" else words[1]
                PLY_TYPES[kind]  # a KeyError where there is no such type
                elements[-1].types.append(kind)
                elements[-1].has_list |= words[1] == "list"
                elements[-1].properties.append(words[-1])
    except (IndexError, KeyError, ValueError) as error:
        raise InvalidArguments(f"the header of the PLY file is broken ({error})") from error
    if form not in ("ascii", "binary_little_endian", "binary_big_endian") or any(e.count < 0 for e in elements):
        raise InvalidArguments("the header of the PLY file is broken: it has no sound format or counts")
    return form, elements, line_end + 1
