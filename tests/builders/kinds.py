"""One small real file of every format that is registered, for tests that go through all of them.

| name | holds |
|---|---|
| `FORMATS` | by name (`mp4`, `las`, ...): where a manifest lists it, its type, what it is by content, and its bytes |
| `faulty(format)` | the same file broken in every way: by fault |
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framedex.core.media_types import ItemType
from tests.builders import media_files


@dataclass(frozen=True)
class Format:
    """`entry` is the manifest's list; `mime` what content says; `make` the bytes, the same on every call.

    Attributes:
        has_end: the format itself tells that a file was cut off, wherever that was.
    """

    name: str
    entry: str
    item_type: ItemType
    mime: str
    make: Callable[[], bytes]
    has_end: bool = True

    def unit(self, url: str, title: str) -> dict[str, object]:
        """Its element of a manifest."""
        named = {"dicom_series": {"objectUrl_0": url}, "scenes": {"scene": url}}.get(self.entry, {"objectUrl": url})
        return {"title": title, **named}


def _still(name: str, mime: str, make: Callable[[], bytes]) -> Format:
    return Format(name, "images", ItemType.IMAGE, mime, make)


def _video(name: str, mime: str, container: str, *, has_end: bool = True) -> Format:
    return Format(name, "videos", ItemType.VIDEO, mime, lambda: media_files.video(container), has_end)


def _sound(name: str, mime: str, container: str, *, has_end: bool = True) -> Format:
    return Format(name, "audio", ItemType.AUDIO, mime, lambda: media_files.audio(container), has_end)


def _text(name: str, mime: str, make: Callable[[], bytes]) -> Format:
    return Format(name, "text", ItemType.PLAIN_TEXT, mime, make, has_end=False)


def _scene(name: str, make: Callable[[], bytes], *, has_end: bool = True) -> Format:
    return Format(name, "scenes", ItemType.SCENE, "application/octet-stream", make, has_end)


FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        _still("png", "image/png", lambda: media_files.png(24, 18)),
        _still("jpg", "image/jpeg", lambda: media_files.jpeg(orientation=6)),
        _still("webp", "image/webp", media_files.webp),
        _still("avif", "image/avif", media_files.avif),
        _still("tiff", "image/tiff", media_files.tiff),
        _still("bmp", "image/bmp", media_files.bmp),
        _still("gif", "image/gif", media_files.gif),
        _video("mp4", "video/mp4", "mp4"),
        _video("mov", "video/quicktime", "mov"),
        _video("mkv", "video/x-matroska", "matroska"),
        _video("avi", "video/x-msvideo", "avi"),
        _video("ts", "video/mp2t", "mpegts", has_end=False),
        _sound("wav", "audio/wav", "wav"),
        _sound("flac", "audio/flac", "flac"),
        _sound("mp3", "audio/mpeg", "mp3", has_end=False),
        _sound("m4a", "audio/mp4", "ipod"),
        _sound("ogg", "audio/ogg", "ogg", has_end=False),
        _sound("aac", "audio/aac", "adts", has_end=False),
        Format("pdf", "pdfs", ItemType.PDF, "application/pdf", lambda: media_files.pdf(3), has_end=False),
        _text("html", "text/html", media_files.html),
        _text("json", "application/json", media_files.json_text),
        _text("xml", "application/xml", media_files.xml_text),
        Format("dcm", "dicom_series", ItemType.DICOM_FILE, "application/dicom", media_files.dicom),
        Format("nii", "nifti", ItemType.NIFTI, "application/x-nifti", lambda: media_files.nifti(packed=False)),
        Format("nii.gz", "nifti", ItemType.NIFTI, "application/gzip", media_files.nifti),
        _scene("pcd", media_files.pcd),
        _scene("ply", media_files.ply),
        _scene("las", media_files.las),
        _scene("laz", lambda: media_files.las(packed=True)),
    )
}


def faulty(of: Format) -> Mapping[str, bytes]:
    """The file broken in every way, by fault; the same on every call."""
    whole = of.make()
    dice = random.Random(of.name)
    flipped = bytearray(whole)
    for _ in range(4):
        flipped[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
    holed = bytearray(whole)
    at = dice.randrange(len(whole))
    holed[at : at + 64] = bytes(min(64, len(whole) - at))
    return {
        "whole": whole,
        "empty": b"",
        "one byte": whole[:1],
        "cut early": whole[: dice.randint(2, max(3, len(whole) // 4))],
        "cut": whole[: dice.randint(len(whole) // 4, len(whole) * 3 // 4)],
        "cut late": whole[:-16],
        "zeros": bytes(len(whole)),
        "noise": dice.randbytes(len(whole)),
        "bits": bytes(flipped),
        "hole": bytes(holed),
        "huge numbers": _with_huge_numbers(whole, dice),
        "tail": whole + dice.randbytes(1000),
        "twice": whole + whole,
    }


def _with_huge_numbers(whole: bytes, dice: random.Random) -> bytes:
    """Largest numbers at some places of the first kilobyte, where formats have lengths and counts."""
    data = bytearray(whole)
    for _ in range(3):
        at = dice.randrange(4, max(5, min(len(data), 1024) - 4))
        data[at : at + 4] = dice.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"])
    return bytes(data)
