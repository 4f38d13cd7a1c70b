"""From a place with files to units: what each file becomes, by its name alone. Bytes are looked at when units run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote

from framedex.core.media_types import ItemType
from framedex.core.registration import ObjectRef, Unit

_ENDINGS: Mapping[ItemType, str] = {
    ItemType.IMAGE: "jpg jpeg jfif png webp avif bmp tif tiff gif heic heif jxl",
    ItemType.VIDEO: "mp4 m4v mov webm mkv avi mpg mpeg ts",
    ItemType.AUDIO: "mp3 wav flac ogg oga opus m4a aac aif aiff",
    ItemType.PDF: "pdf",
    ItemType.PLAIN_TEXT: "txt md html htm xml json jsonl yaml yml log srt vtt",
    ItemType.NIFTI: "nii nii.gz",
    ItemType.DICOM_SERIES: "dcm dicom",
    ItemType.SCENE: "pcd ply las laz",
    ItemType.TIMESERIES: "csv",
}
_KINDS = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found. `left_out` are addresses whose ending tells no kind."""

    units: list[Unit]
    left_out: list[str]


def kind_of(address: str) -> ItemType | None:
    """What a file is registered as, by the ending of its name; None when the ending is unknown or the name hidden."""
    name = unquote(address).rpartition("/")[2].lower()
    if name.startswith("."):
        return None
    parts = name.rsplit(".", 2)
    for count in (2, 1):
        if len(parts) > count and (kind := _KINDS.get("." + ".".join(parts[-count:]))) is not None:
            return kind
    return None


def scan(addresses: Iterable[str], *, top: str) -> Scan:
    """A unit for each file; the DICOM files of one folder become one series.

    Args:
        addresses: in order.
        top: the address of the place; titles are the paths below it.
    """
    units: list[Unit] = []
    slices: list[str] = []
    left_out: list[str] = []
    for address in addresses:
        kind = kind_of(address)
        if kind is None:
            left_out.append(address)
        elif kind is ItemType.DICOM_SERIES:
            slices.append(address)
        else:
            title = title_below(address, top)
            units.append(Unit(kind, (ObjectRef(address),), title=title, path=title))
    slices.sort(key=_folder)
    units.extend(_series(folder, list(files), top) for folder, files in groupby(slices, key=_folder))
    return Scan(units, left_out)


def _series(folder: str, files: list[str], top: str) -> Unit:
    title = title_below(folder, top)
    return Unit(ItemType.DICOM_SERIES, tuple(ObjectRef(file) for file in files), title=title, path=title)


def _folder(address: str) -> str:
    return address.rpartition("/")[0]


def title_below(address: str, top: str) -> str:
    """The path below the place; the last name of the place itself, or where it is named in another form."""
    if not address.startswith(top):
        return unquote(address.rstrip("/").rpartition("/")[2])
    below = address.removeprefix(top).strip("/")
    return unquote(below if address != top and below else address.rstrip("/").rpartition("/")[2])
