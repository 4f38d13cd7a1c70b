"""Edit lists, which no tool at hand writes as one likes: put into an MP4 file of one track by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def with_edits(data: bytes, edits: Sequence[tuple[float, float]]) -> bytes:
    """The file with this edit list in its first track, at its end.

    Args:
        edits: where in the media each begins and how long it is, in seconds; a begin of -1 shows nothing.
    """
    return with_elst(data, lambda movie, media: elst([(_ticks(b, media), round(s * movie)) for b, s in edits]))


def elst(rows: Sequence[tuple[int, int]], *, count: int | None = None) -> bytes:
    """An `edts` box; rows are begin in the media and length in the movie, in their units. `count` may lie."""
    table = b"".join(_u32(length) + _u32(begin & 0xFFFFFFFF) + _u32(0x10000) for begin, length in rows)
    return box(b"edts", box(b"elst", _u32(0) + _u32(len(rows) if count is None else count) + table))


def with_elst(data: bytes, make: object) -> bytes:
    """The file with the box that `make(movie_timescale, media_timescale)` answers in its first track."""
    assert callable(make)
    start, end = next((s, e) for kind, s, e in boxes(data) if kind == b"moov")
    moov = data[start:end]
    assert end == len(data), "offsets of samples stay right only where the index is the last"
    movie_scale = _scale(moov, b"mvhd")
    return data[:start] + _with_edits(moov, make(movie_scale, _scale(moov, b"mdhd")))


def _with_edits(moov: bytes, edts: bytes) -> bytes:
    parts = []
    for kind, start, end in boxes(moov[8:]):
        part = moov[8 + start : 8 + end]
        if kind == b"trak":
            inner = part[8:]
            kept = [inner[s:e] for k, s, e in boxes(inner) if k != b"edts"]
            part = box(b"trak", kept[0] + edts + b"".join(kept[1:]))
        parts.append(part)
    return box(b"moov", b"".join(parts))


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each."""
    start = 0
    while start + 8 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start, start + length
        start += length


def box(kind: bytes, content: bytes) -> bytes:
    return _u32(len(content) + 8) + kind + content


def _scale(data: bytes, kind: bytes) -> int:
    """The timescale in a header of version 0."""
    place = data.index(kind) + 4 + 12
    return int.from_bytes(data[place : place + 4], "big")


def _ticks(begin_s: float, scale: int) -> int:
    return -1 if begin_s == -1 else round(begin_s * scale)


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")
