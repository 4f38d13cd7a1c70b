"""The index of an MP4 or QuickTime file (ISO/IEC 14496-12), and a small file that holds nothing but one track of it.

When a frame is shown follows from decoding times, composition offsets and edit lists, which FFmpeg applies in ways of
its own; and the frames that a decoder hands out carry FFmpeg's times. So no time is computed here: the tables of the
track are handed to FFmpeg in a file in which each frame is one byte. Of the real file the index alone is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from framedex.core.errors import InvalidArguments
from framedex.core.frames import MOST_FRAMES
from framedex.media.byte_file import ByteFile
from framedex.media.iso_boxes import top_level_boxes

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int, int], np.dtype[np.int64]]

# Ten million frames with all that can be told of each.
_MOST_INDEX = 512 << 20
_MOST_EDITS = 10_000
# An edit begins at a key frame before its start.
_FRAMES_BEFORE_EDIT = 300
_PARENTS = frozenset({b"trak", b"mdia", b"minf", b"stbl", b"edts"})
# Where samples lie and how long they are is made anew; names, covers and keys are of no use.
_LEFT_OUT = frozenset(
    {
        b"stsz",
        b"stz2",
        b"stsc",
        b"stco",
        b"co64",
        b"udta",
        b"meta",
        b"senc",
        b"saiz",
        b"saio",
        b"tref",
        b"stts",
        b"ctts",
    }
)


@dataclass(frozen=True, slots=True)
class Atom:
    """A box of the index: its content, or its boxes where those are looked into."""

    type: bytes
    data: memoryview
    boxes: Sequence[Atom] = ()

    def find(self, *path: bytes) -> memoryview | None:
        """The content of a box some levels below; the first of its type at each level."""
        for box in self.boxes:
            if box.type == path[0]:
                return box.data if len(path) == 1 else box.find(*path[1:])
        return None


def read_index(source: ByteFile) -> Sequence[Atom]:
    """The boxes of the `moov` box.

    Raises:
        InvalidArguments: there is none, it is too large, or a box passes the one that it is in.
    """
    box = next((box for box in top_level_boxes(source) if box.type == b"moov"), None)
    if box is None:
        raise InvalidArguments("the file has no `moov` index (it is cut off, or its recording was never finished)")
    length = box.end - box.body
    if length > _MOST_INDEX:
        raise InvalidArguments(f"the index of the file has {length} bytes; at most {_MOST_INDEX} are read")
    return list(_boxes(memoryview(source.exactly(box.body, length, "the `moov` index")), "moov"))


def _boxes(data: memoryview, parent: str) -> Iterator[Atom]:
    start = 0
    while start + 8 <= len(data):
        length, kind, body = (
            int.from_bytes(data[start : start + 4], "big"),
            bytes(data[start + 4 : start + 8]),
            start + 8,
        )
        if length == 1:
            length, body = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        elif length == 0:  # up to the end of its parent; QuickTime ends some lists so
            length = len(data) - start
        name = kind.decode("latin-1")
        if length < body - start or start + length > len(data):
            raise InvalidArguments(
                f"the file is damaged: its `{name}` box does not fit into the `{parent}` box around it"
            )
        content = data[body : start + length]
        yield Atom(kind, content, list(_boxes(content, name)) if kind in _PARENTS else ())
        start += length


def is_fragmented(index: Sequence[Atom]) -> bool:
    """Whether samples are told by fragments all over the file."""
    return any(atom.type == b"mvex" for atom in index)


def check_index(index: Sequence[Atom], size: int) -> None:
    """Whether the tables of the video tracks are sound, before anybody builds on what they say.

    Raises:
        InvalidArguments: counts that the boxes have no room for, more frames than are read, or edits without end.
    """
    for track in index:
        if track.type == b"trak" and _handler(track) == b"vide":
            _Track(track, _movie_scale(index)).check(size)


def movie_of_track(index: Sequence[Atom], track_id: int) -> bytes | None:
    """A file with this track alone, one byte a frame, and the media left out.

    None where it could not say the same as the whole file: fragments, a compressed index, several sample descriptions.
    """
    track = next((a for a in index if a.type == b"trak" and _track_id(a) == track_id), None)
    if track is None or is_fragmented(index):
        return None
    found = _Track(track, _movie_scale(index))
    if found.descriptions != 1 or not found.count:
        return None
    header = [atom for atom in index if atom.type == b"mvhd"]
    return _file(header, found)


class _Track:
    """The tables of one track."""

    def __init__(self, atom: Atom, movie_scale: int) -> None:
        self.atom = atom
        self._movie_scale = movie_scale
        self._tables: Mapping[bytes, memoryview] = {
            box.type: box.data for part in _below(atom, b"mdia", b"minf", b"stbl") for box in part.boxes
        }
        self.descriptions = _number(self._tables.get(b"stsd", b""), 4)
        self.count = min(self._sample_count(), self._placed_count())

    def _sample_count(self) -> int:
        return _number(self._tables.get(b"stsz", self._tables.get(b"stz2", b"")), 8)

    def _placed_count(self) -> int:
        """Samples that the chunks have room for."""
        import numpy as np

        chunks = _number(self._tables.get(b"stco", self._tables.get(b"co64", b"")), 4)
        runs = self.rows(b"stsc", 3)
        if not len(runs):
            return 0
        firsts = np.clip(runs[:, 0] - 1, 0, chunks)
        lengths = np.diff(np.append(firsts, chunks))
        return int((np.clip(lengths, 0, None) * runs[:, 1]).sum())

    def rows(self, kind: bytes, width: int) -> Numbers:
        """A table of 32-bit numbers behind their count.

        Raises:
            InvalidArguments: it says more rows than it has room for.
        """
        import numpy as np

        data = self._tables.get(kind)
        if data is None:
            return np.zeros((0, width), np.int64)
        count = _number(data, 4)
        _require_room(kind, count, (len(data) - 8) // (4 * width))
        return np.frombuffer(data, ">u4", count * width, 8).astype(np.int64).reshape(-1, width)

    def sizes(self) -> Numbers | None:
        """Bytes of each sample; None where all have as many."""
        import numpy as np

        data = self._tables.get(b"stsz")
        if data is None or _number(data, 4):
            return None
        count = _number(data, 8)
        _require_room(b"stsz", count, (len(data) - 12) // 4)
        return np.frombuffer(data, ">u4", count, 12).astype(np.int64).reshape(-1, 1)

    def check(self, size: int) -> None:
        count = self._sample_count()
        if count > MOST_FRAMES:
            raise InvalidArguments(f"the file says that it has {count} frames; at most {MOST_FRAMES} are read")
        each = _number(self._tables.get(b"stsz", b""), 4)
        if each * count > size:
            raise InvalidArguments(
                f"the file is cut off: its index names {count} frames of {each} bytes, and it has {size} bytes"
            )
        self.sizes()
        for kind in (b"stts", b"ctts"):
            self.rows(kind, 2)
        self._check_edits(count)

    def _check_edits(self, count: int) -> None:
        edits = self.edits()
        steps = self.rows(b"stts", 2)
        length_s = float((steps[:, 0] * steps[:, 1]).sum()) / max(1, self._scale()) or 1.0
        shares = sum(min(1.0, edit / self._movie_scale / length_s) if edit else 1.0 for edit in edits)
        if shares * count + len(edits) * min(count, _FRAMES_BEFORE_EDIT) > MOST_FRAMES:
            raise InvalidArguments(
                f"the {len(edits)} edits of the file show its {count} frames again and again: more than {MOST_FRAMES}"
            )

    def edits(self) -> list[int]:
        """How long each edit is, in units of the movie.

        Raises:
            InvalidArguments: the edit list says more edits than it has room for, or has more than are read.
        """
        data = self.atom.find(b"edts", b"elst")
        if data is None or len(data) < 8:
            return []
        row, length = (20, 8) if data[0] == 1 else (12, 4)
        count = _number(data, 4)
        _require_room(b"elst", count, (len(data) - 8) // row)
        if count > _MOST_EDITS:
            raise InvalidArguments(f"the edit list of the file has {count} edits; at most {_MOST_EDITS} are read")
        return [int.from_bytes(data[8 + row * i : 8 + row * i + length], "big") for i in range(count)]

    def _scale(self) -> int:
        data = self.atom.find(b"mdia", b"mdhd") or b""
        return _number(data, 20 if data[:1] == b"\1" else 12)


def _below(atom: Atom, *path: bytes) -> Iterator[Atom]:
    """All boxes at the end of a path of types."""
    for box in atom.boxes:
        if box.type == path[0]:
            yield from (box,) if len(path) == 1 else _below(box, *path[1:])


def _require_room(kind: bytes, count: int, room: int) -> None:
    if count > room:
        raise InvalidArguments(
            f"the file is damaged: its `{kind.decode()}` table says {count} entries and has room for {room}"
        )


def _number(data: memoryview | bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 4], "big")


def _handler(track: Atom) -> bytes:
    return bytes((track.find(b"mdia", b"hdlr") or b"")[8:12])


def _track_id(track: Atom) -> int:
    data = track.find(b"tkhd") or b""
    return _number(data, 20 if data[:1] == b"\1" else 12)


def _movie_scale(index: Sequence[Atom]) -> int:
    data = next((atom.data for atom in index if atom.type == b"mvhd"), b"")
    return max(1, _number(data, 20 if data[:1] == b"\1" else 12))


def _file(header: Sequence[Atom], track: _Track) -> bytes:
    brand = _box(b"ftyp", b"isom\0\0\2\0isom")
    movie = b""
    # where the samples begin is known when the length of the index is; it is a number of fixed length
    for start in (0, len(brand) + len(_index(header, track, 0)) + 8):
        movie = _index(header, track, start)
    return brand + movie + _box(b"mdat", bytes(track.count))


def _index(header: Sequence[Atom], track: _Track, start: int) -> bytes:
    parts = [_box(atom.type, bytes(atom.data)) for atom in header]
    return _box(b"moov", b"".join(parts) + _rewritten(track.atom, track, start))


def _rewritten(atom: Atom, track: _Track, start: int) -> bytes:
    if not atom.boxes:
        return _box(atom.type, bytes(atom.data))
    kept = b"".join(_rewritten(box, track, start) for box in atom.boxes if box.type not in _LEFT_OUT)
    return _box(atom.type, kept + _tables(track, start) if atom.type == b"stbl" else kept)


def _tables(track: _Track, start: int) -> bytes:
    count = track.count
    tables = _clipped(track, b"stts") + _clipped(track, b"ctts") + _size_table(track)
    tables += _table(b"stsc", 1, _numbers(1, count, 1))
    return tables + _table(b"stco", 1, _numbers(start))


def _clipped(track: _Track, kind: bytes) -> bytes:
    """A table of runs, which may not reach beyond the last sample: FFmpeg makes room for all that it says."""
    import numpy as np

    rows = track.rows(kind, 2)
    if not len(rows):
        return b""
    before = np.cumsum(rows[:, 0]) - rows[:, 0]
    rows = rows[before < track.count]
    rows[:, 0] = np.minimum(rows[:, 0], track.count - before[: len(rows)])
    version = bytes(track.atom.find(b"mdia", b"minf", b"stbl", kind) or b"")[:1]
    return _table(kind, len(rows), rows.astype(">u4").tobytes(), version=version)


def _size_table(track: _Track) -> bytes:
    """One byte each; a sample without bytes (a frame that was dropped) stays without."""
    import numpy as np

    sizes = track.sizes()
    if sizes is None or bool(sizes[: track.count].all()):
        return _box(b"stsz", _numbers(0, 1, track.count))
    return _box(b"stsz", _numbers(0, 0, track.count) + np.minimum(sizes[: track.count], 1).astype(">u4").tobytes())


def _table(kind: bytes, count: int, rows: bytes, *, version: bytes = b"\0") -> bytes:
    return _box(kind, version.ljust(4, b"\0") + _numbers(count) + rows)


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content
