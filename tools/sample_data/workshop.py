"""Reads members of the archives and writes the files of the sample data, each with what is known of its origin."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid5

from tools.sample_data.packages import Pin

_RECORDS = UUID("8f1f1d3a-43c1-5c0f-9a3e-6f2f0a0f6b11")
_LARGEST_MEMBER = 64_000_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item comes from.

    Attributes:
        package: as in requirements/sample.txt.
        member: path inside its archive; a member that ends in `.gz` is stored unpacked.
        licence: one of `packages.LICENCES`.
        credit: who made it, as far as the package says.
        notes: what it shows.
        more: further metadata that is known and cannot be measured (place, time, indoor).
    """

    package: str
    member: str
    licence: str
    credit: str = ""
    notes: str = ""
    more: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One item of the manifest.

    Attributes:
        container: its list in the manifest (`images`, `image_groups`, ...).
        files: below `media/`, in order.
        metadata: becomes `clientMetadata`.
        extra: further keys of its manifest entry.
    """

    container: str
    title: str
    files: tuple[str, ...]
    metadata: Json
    extra: Json = field(default_factory=dict)


class Workshop:
    """The archives on one side, `media/` on the other."""

    def __init__(self, archives: Mapping[str, Path], pins: Mapping[str, Pin], media: Path) -> None:
        self._zips = {name: zipfile.ZipFile(path) for name, path in archives.items()}
        self._pins = pins
        self._media = media

    def close(self) -> None:
        for archive in self._zips.values():
            archive.close()

    def members(self, package: str, below: str) -> list[str]:
        """Names of the files of a package whose path starts with `below`, sorted."""
        names = self._zips[package].namelist()
        return sorted(name for name in names if name.startswith(below) and not name.endswith("/"))

    def read(self, package: str, member: str) -> bytes:
        """The bytes of one member, unpacked when it is gzipped.

        Raises:
            ValueError: it claims to be larger than anything we take.
        """
        archive = self._zips[package]
        if archive.getinfo(member).file_size > _LARGEST_MEMBER:
            raise ValueError(f"{member} of {package} claims more than {_LARGEST_MEMBER} bytes")
        found = archive.read(member)
        return gzip.decompress(found) if member.endswith(".csv.gz") else found

    def write(self, name: str, content: bytes) -> str:
        """Writes `media/<name>` and answers its name; names are ours, never an archive's."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{name} is not a name below media/")
        target = self._media / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return name

    def path(self, name: str) -> Path:
        """Where `media/<name>` is, for libraries that write by path; its folder exists afterwards."""
        target = self._media / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def metadata(self, origin: Origin, title: str, *, derived: bool = False, **measured: object) -> Json:
        """What every item carries, and what was measured of this one."""
        pin = self._pins[origin.package]
        common: Json = {
            "record_id": str(uuid5(_RECORDS, title)),
            "source": f"{origin.package}: {origin.member}",
            "source_version": pin.version,
            "license": origin.licence,
            "derived": derived,
        }
        texts = {"credit": origin.credit, "notes": origin.notes}
        return common | {key: text for key, text in texts.items() if text} | origin.more | measured
