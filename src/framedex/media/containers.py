"""Containers of video and sound: told by content, and opened with that one demuxer and nothing else.

FFmpeg would guess the format of a file object and follow what a playlist names (it was seen to fetch an http address).
Here it never guesses: the format is forced, playlists are refused before FFmpeg sees them, no protocol is allowed, and
a demuxer that asks to open something else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framedex.core.errors import InvalidArguments
from framedex.media.byte_file import ByteFile
from framedex.media.iso_boxes import top_level_boxes

if TYPE_CHECKING:
    from av.container import InputContainer

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"[playlist]", b"<smil", b"<SmoothStreamingMedia", b"v=0\r\n", b"v=0\n")
_OLD_MOVIE_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STILL_BRANDS = (b"heic", b"heix", b"mif1", b"avif", b"jxl ", b"jp2 ")


@dataclass(frozen=True, slots=True)
class Container:
    """What content says: `demuxer` is FFmpeg's name; `video_mime` or `audio_mime` is None where the kind has none."""

    demuxer: str
    video_mime: str | None
    audio_mime: str | None


_MP4 = Container("mov", "video/mp4", "audio/mp4")
_MOV = Container("mov", "video/quicktime", "audio/mp4")
_MKV = Container("matroska", "video/x-matroska", "audio/x-matroska")
_WEBM = Container("matroska", "video/webm", "audio/webm")
_AVI = Container("avi", "video/x-msvideo", None)
_TS = Container("mpegts", "video/mp2t", "audio/mp2t")
_WAV = Container("wav", None, "audio/wav")
_AIFF = Container("aiff", None, "audio/aiff")
_FLAC = Container("flac", None, "audio/flac")
_OGG = Container("ogg", None, "audio/ogg")
_MP3 = Container("mp3", None, "audio/mpeg")
_AAC = Container("aac", None, "audio/aac")


def sniff(source: ByteFile) -> Container | None:
    """The container that the first bytes show, or None when it is none of ours.

    Raises:
        InvalidArguments: a playlist: it names other objects, which are never fetched.
    """
    head = source.read_at(0, 4096)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(_PLAYLISTS) or any(mark in head[:1024] for mark in _PLAYLISTS[2:6]):
        raise InvalidArguments(
            "the file is a playlist that names other addresses, which are never followed; register the media themselves"
        )
    return _by_signature(head) or _by_sync(source, head)


def _by_signature(head: bytes) -> Container | None:
    if head[:4] == b"\x1aE\xdf\xa3":
        return _WEBM if b"webm" in head[:128] else _MKV
    if head[4:8] == b"ftyp":
        if head[8:12] in _STILL_BRANDS:
            return None
        return _MOV if head[8:12] == b"qt  " else _MP4
    if head[4:8] in _OLD_MOVIE_BOXES:
        return _MOV
    by_form = {b"AVI ": _AVI, b"WAVE": _WAV, b"AIFF": _AIFF, b"AIFC": _AIFF}
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return by_form.get(head[8:12])
    return {b"fLaC": _FLAC, b"OggS": _OGG}.get(head[:4])


def _by_sync(source: ByteFile, head: bytes) -> Container | None:
    """Streams without a signature: they repeat a pattern."""
    for packet, first in ((188, 0), (192, 4), (204, 0)):
        marks = head[first : packet * 5 : packet]
        if len(marks) >= 3 and set(marks) == {0x47}:
            return _TS
    if head[:3] == b"ID3" and len(head) > 10:
        length = (head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]
        head = source.read_at(10 + length, 16)
        if head[:4] == b"fLaC":
            return _FLAC
        # players pad between the tag and the first frame
        return _AAC if _is_adts(head) else _MP3
    if _is_adts(head):
        return _AAC
    is_mp3 = len(head) > 4 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6) and head[2] & 0xF0 != 0xF0
    return _MP3 if is_mp3 else None


def _is_adts(head: bytes) -> bool:
    return len(head) > 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


@contextmanager
def opened(file: object, container: Container, *, parses: bool = True) -> Iterator[InputContainer]:
    """The container under its one demuxer. Unless it `parses`, nothing looks into the data of packets."""
    import av

    options = {"protocol_whitelist": "none", "format_whitelist": f"{container.demuxer},mov,mp4,matroska,webm"}
    if not parses:
        options |= {"fflags": "+noparse", "analyzeduration": "1", "probesize": "32"}
    try:
        media = av.open(
            file,
            "r",
            format=container.demuxer,
            container_options=options,
            buffer_size=1 << 18,
            io_open=_refuse_open,
            **_lenient_names(av.__version__),
        )
    except (av.error.FFmpegError, EOFError) as error:
        raise InvalidArguments(f"the file is damaged or cut off: it cannot be opened as {container.demuxer}") from error
    with media:
        yield media


def _lenient_names(version: str) -> dict[str, Any]:
    """Names and titles in encodings of old are no reason to refuse a file: PyAV 19 sees it so by itself."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


def _refuse_open(url: str, flags: int, options: dict[str, str]) -> object:
    raise PermissionError("media may not name other files")


def check_whole(source: ByteFile, container: Container) -> None:
    """Whether the container's own lengths fit the object: a copy that stopped half-way is told here.

    MPEG-TS, MP3, AAC and Ogg have no length to compare; they are read up to where they end.

    Raises:
        InvalidArguments: the file is cut off.
    """
    if container.demuxer == "mov":
        _check_movie(source)
    elif container.demuxer in ("avi", "wav", "aiff"):
        _check_chunk(source, "big" if container.demuxer == "aiff" else "little")
    elif container.demuxer == "matroska":
        _check_segment(source)


def _check_movie(source: ByteFile) -> None:
    found = [box.type for box in top_level_boxes(source)]
    if b"moov" not in found:
        raise InvalidArguments("the file has no `moov` index (it is cut off, or its recording was never finished)")


def _check_chunk(source: ByteFile, order: str) -> None:
    length = int.from_bytes(source.read_at(4, 4), "big" if order == "big" else "little")
    # 0 and the largest number mean "unknown": the writer could not go back (a pipe), or the size is elsewhere (RF64)
    if length not in (0, 0xFFFFFFFF) and length + 8 > source.size + 1:
        raise InvalidArguments(f"the file is cut off: it says {length + 8} bytes and has {source.size}")


def _check_segment(source: ByteFile) -> None:
    """Matroska: the EBML header, then one Segment; both carry their lengths (RFC 8794)."""
    offset = 0
    for _ in range(2):
        _, start = _ebml_number(source, offset, keep_marker=True)
        length, data = _ebml_number(source, start, keep_marker=False)
        bits = 7 * (data - start)
        if length == (1 << bits) - 1:  # unknown: a live stream
            return
        offset = data + length
    if offset > source.size:
        raise InvalidArguments(f"the file is cut off: it says {offset} bytes and has {source.size}")


def _ebml_number(source: ByteFile, offset: int, *, keep_marker: bool) -> tuple[int, int]:
    first = source.exactly(offset, 1, "an EBML number")[0]
    if not first:
        raise InvalidArguments("the file is no sound Matroska file")
    length = 9 - first.bit_length()
    value = int.from_bytes(source.exactly(offset, length, "an EBML number"), "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), offset + length
