"""Backups of a data directory, made while it is served, and restoring one.

A backup is a directory: `catalog.db` (one moment, as a SQLite file whatever database the catalog is in),
`blobs/objects/…` (every object that the catalog names, where they are kept on disk),
`SHA256SUMS` (which `sha256sum -c` verifies) and `manifest.json`, written last. The secret key is never in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from framedex.core.clock import now_us, to_iso
from framedex.core.errors import Conflict, InvalidArguments, NotFound, StorageFull, Unavailable
from framedex.core.ports.upkeep import CatalogCopy, CopyCatalog, Keys, PlaceCopy, ReadCopy

FORMAT = 1
_CATALOG = "catalog.db"
_OBJECTS = Path("blobs") / "objects"
_SUMS = "SHA256SUMS"
_MANIFEST = "manifest.json"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds. `missing` are objects that items name and the disk does not have."""

    seq: int
    objects: int
    size_bytes: int
    missing: tuple[str, ...] = ()


class BackupService:
    """Use cases of the operator who keeps copies."""

    def __init__(
        self,
        copy_catalog: CopyCatalog,
        read_copy: ReadCopy,
        *,
        place_copy: PlaceCopy | None = None,
        has_objects: bool = True,
    ) -> None:
        self._copy_catalog = copy_catalog
        self._read_copy = read_copy
        self._place_copy = place_copy
        self._has_objects = has_objects

    def backup(self, data: Path, out: Path) -> BackupReport:
        """Writes a backup of the data directory `data` to the new (or empty) directory `out`; all of it or nothing.

        Our own objects are in it unless they are kept in a bucket (`has_objects`).

        Raises:
            NotFound: there is nothing to copy. Conflict: `out` holds something. StorageFull: no room.
            Unavailable: the catalog or an object is unreadable.
        """
        if out.resolve().is_relative_to((data / "blobs").resolve()):
            raise InvalidArguments(f"{out} lies among the objects of {data}; name a directory elsewhere.")
        if not data.is_dir():
            raise NotFound(f"There is no data directory {data}; name one with --data.")
        with _Draft(out) as draft:
            links = _Links(data / _OBJECTS, draft / _OBJECTS) if self._has_objects else None
            copy = self._copy_catalog(draft / _CATALOG, (lambda _keys: None) if links is None else links.add_new)
            _drop_others(copy.object_keys, draft / _OBJECTS)
            return self._finish(draft, copy, dict(_sums(draft)), [] if links is None else links.missing)

    def _finish(
        self, draft: Path, copy: CatalogCopy, sums: Mapping[str, tuple[str, int]], missing: list[str]
    ) -> BackupReport:
        _write(draft / _SUMS, "".join(f"{digest}  {name}\n" for name, (digest, _) in sums.items()))
        size = sum(size for _, size in sums.values())
        manifest = {
            "format": FORMAT,
            "created_at": to_iso(now_us()),
            "seq": copy.seq,
            "revision": copy.revision,
            "files": len(sums),
            "size_bytes": size,
            "sums_sha256": _digest(draft / _SUMS)[0],
            "left_out": ["secret.key"] if self._has_objects else ["secret.key", "objects in the bucket"],
            "missing_objects": missing,
        }
        _write(draft / _MANIFEST, json.dumps(manifest, indent=2) + "\n")
        return BackupReport(copy.seq, len(sums) - 1, size, tuple(missing))

    def restore(self, source: Path, data: Path) -> BackupReport:
        """Makes the new (or empty) directory `data` of a backup, every checksum verified; all of it or nothing.

        A catalog that belongs into a database is put there, which must be empty.

        Raises:
            Conflict: `data` or the database holds something. InvalidArguments: no backup, or one that is damaged.
        """
        manifest = _read_manifest(source)
        names = _listed(source, manifest)
        size = 0
        with _Draft(data) as draft:
            for name, digest in names.items():
                size += _copy_checked(source / name, draft / name, digest)
            copy = self._read_copy(draft / _CATALOG)
            if self._place_copy is not None:
                self._place_copy(draft / _CATALOG)
                # A server that is started without the database's address must not find a catalog that is not it.
                (draft / _CATALOG).unlink()
            (draft / _OBJECTS).mkdir(parents=True, exist_ok=True, mode=0o700)
        return BackupReport(copy.seq, len(names) - 1, size, tuple(manifest.get("missing_objects", ())))


class _Links:
    """The objects of a backup: second names, made while others write.

    Nearly all are made at once; those of objects that are new since then, while nobody writes: an object that the copy
    of the catalog names could otherwise be deleted before it is linked.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self.missing: list[str] = []
        self._source = source
        self._target = target
        self._present = set(_link_tree(source, target))

    def add_new(self, keys: Keys) -> None:
        absent = [k for k in keys if k not in self._present and not _link(self._source / k, self._target / k)]
        self.missing.extend(sorted(k for k in absent if keys[k]))


class _Draft:
    """A directory under another name until it is whole; what fails leaves nothing behind."""

    def __init__(self, final: Path) -> None:
        self._final = final.absolute()
        self._path = self._final.with_name(f".{self._final.name}.partial-{os.getpid()}")

    def __enter__(self) -> Path:
        if self._final.exists() and (not self._final.is_dir() or any(self._final.iterdir())):
            raise Conflict(f"{self._final} is not empty; name a new directory, so that nothing is overwritten.")
        try:
            self._path.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be made: {error.strerror}.") from None
        return self._path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            for folder in sorted({p.parent for p in self._path.rglob("*")}, reverse=True):
                _sync(folder)
            self._path.replace(self._final)
            _sync(self._final.parent)
            return
        shutil.rmtree(self._path, ignore_errors=True)
        if isinstance(error, OSError):
            raise StorageFull(f"{self._final} cannot be written: {error.strerror}; nothing was left.") from error


def _link_tree(source: Path, target: Path) -> Iterator[str]:
    """Links every object; answers the keys."""
    target.mkdir(parents=True, mode=0o700)
    for path in _files(source):
        key = path.relative_to(source)
        if _link(path, target / key):
            yield key.as_posix()


def _files(top: Path) -> Iterator[Path]:
    """Regular files below a directory that others change."""
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _link(source: Path, target: Path) -> bool:
    """A second name of an object where the file system allows it (objects never change), else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.link(source, target)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    except OSError:
        with suppress(FileNotFoundError):
            shutil.copyfile(source, target)
            return True
        return False
    return True


def _drop_others(keys: Keys, target: Path) -> None:
    """Takes away what the catalog does not name: objects that were deleted meanwhile, or are not used yet."""
    for path in list(_files(target)):
        if path.relative_to(target).as_posix() not in keys:
            path.unlink()
    for folder in sorted((p for p in target.rglob("*") if p.is_dir()), reverse=True):
        # Only empty ones can be removed.
        with suppress(OSError):
            folder.rmdir()


def _sums(draft: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    for path in sorted(_files(draft)):
        yield path.relative_to(draft).as_posix(), _digest(path)


def _digest(path: Path) -> tuple[str, int]:
    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
            size += len(piece)
    return hasher.hexdigest(), size


def _copy_checked(source: Path, target: Path, digest: str) -> int:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    hasher, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as read, target.open("xb") as written:
            while piece := read.read(_PIECE):
                hasher.update(piece)
                size += written.write(piece)
            written.flush()
            os.fsync(written.fileno())
    except FileNotFoundError:
        raise InvalidArguments(f"The backup is damaged: {source} is missing.") from None
    if hasher.hexdigest() != digest:
        raise InvalidArguments(f"The backup is damaged: {source} is not what was backed up (its SHA-256 differs).")
    return size


def _read_manifest(source: Path) -> dict[str, list[str]]:
    path = source / _MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError):
        raise InvalidArguments(f"{source} is not a backup: it has no readable {_MANIFEST}.") from None
    if manifest.get("format") != FORMAT:
        raise InvalidArguments(f"{path} has the format {manifest.get('format')!r}; this Framedex reads {FORMAT}.")
    found: dict[str, list[str]] = manifest
    return found


def _listed(source: Path, manifest: Mapping[str, object]) -> dict[str, str]:
    """Digest by name; names lead nowhere but into the backup."""
    sums = source / _SUMS
    if not sums.is_file() or _digest(sums)[0] != manifest.get("sums_sha256"):
        raise InvalidArguments(f"The backup is damaged: {sums} is not what was written.")
    found: dict[str, str] = {}
    for line in sums.read_text().splitlines():
        digest, _, name = line.partition("  ")
        if not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise InvalidArguments(f"The backup is damaged: {sums} lists {name!r}.")
        found[name] = digest
    if _CATALOG not in found:
        raise InvalidArguments(f"The backup is damaged: {sums} does not list {_CATALOG}.")
    return found


def _write(path: Path, text: str) -> None:
    with path.open("x") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
