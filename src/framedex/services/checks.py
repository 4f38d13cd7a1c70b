"""`framedex doctor`: everything about a data directory that can be looked at without changing it."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from framedex.core.errors import DomainError
from framedex.core.ports.upkeep import CatalogChecks, Finding, StoredObjects

#: Objects younger than this may belong to an upload or a unit that is under way.
_YOUNG_S = 24 * 3600.0
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the parts of a data directory are. Sizes are bytes."""

    data: Path
    objects: StoredObjects
    secret: Path
    disk_reserve_bytes: int


class DoctorService:
    """Use cases of the operator who wants to know whether all is well."""

    def __init__(self, surroundings: Surroundings, checks: CatalogChecks) -> None:
        self._at = surroundings
        self._checks = checks

    def findings(self) -> Iterator[Finding]:
        """Everything that is not as it should be; nothing when all is well."""
        yield from self._secret()
        yield from self._disk()
        is_readable = True
        for finding in self._checks.findings():
            is_readable = is_readable and finding.check not in ("database", "integrity")
            yield finding
        if is_readable:
            yield from self._objects()

    @property
    def left_out(self) -> Sequence[str]:
        """What there is no check for here, and who looks after it."""
        return self._checks.left_out

    def mend(self) -> None:
        """Mends what can be mended without losing anything that can still be reached; look again afterwards.

        Raises:
            Unavailable: the catalog cannot be written.
        """
        self._checks.mend()

    def _secret(self) -> Iterator[Finding]:
        path = self._at.secret
        quoted = shlex.quote(str(path))
        try:
            facts = path.stat()
        except OSError as error:
            mend = "put the file back from where you keep it; without it a new one is made and signed addresses end"
            yield Finding("secret-key", f"the secret key file {path} cannot be read: {error.strerror}", mend)
            return
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o077:
            message = f"others can read the secret key file {path} (mode {mode:04o})"
            yield Finding("secret-key", message, f"chmod 600 {quoted}")
        if facts.st_size != 32:
            message = f"the secret key file {path} has {facts.st_size} bytes instead of 32"
            yield Finding("secret-key", message, "put the file back from where you keep it")

    def _disk(self) -> Iterator[Finding]:
        facts = os.statvfs(self._at.data)
        free = facts.f_bavail * facts.f_frsize
        if free < self._at.disk_reserve_bytes:
            message = f"{free >> 20} MiB are free, less than the reserve of {self._at.disk_reserve_bytes >> 20} MiB"
            mend = "free space; until then writes are refused (FRAMEDEX_DISK_RESERVE_BYTES sets the reserve)"
            yield Finding("disk", message, mend)

    def _objects(self) -> Iterator[Finding]:
        try:
            yield from self._compared(self._at.objects)
        except DomainError as error:
            message = f"our own objects in {self._at.objects.place} cannot be looked at: {error.message}"
            yield Finding("objects", message, "mend that, and the FRAMEDEX_BLOBS settings if they are wrong")

    def _compared(self, objects: StoredObjects) -> Iterator[Finding]:
        # Objects are listed before the catalog is read: what is put meanwhile is then not taken for unreferenced.
        present = dict(objects.iter_dated())
        named = self._checks.object_keys()
        missing = [key for key, must in named.items() if must and key not in present and not objects.holds(key)]
        for key in missing[:_SHOWN]:
            mend = f"put the file back at {objects.address(key)}, from a backup, or delete the item"
            yield Finding("objects", f"the object {key} of an item is not in {objects.place}", mend)
        if len(missing) > _SHOWN:
            yield Finding("objects", f"and {len(missing) - _SHOWN} more objects are missing", "as above")
        old = time.time() - _YOUNG_S
        extra = [key for key, modified in present.items() if key not in named and modified < old]
        for key in extra[:_SHOWN]:
            yield Finding("objects", f"nothing uses the object {key}", f"it only takes space: {objects.removal(key)}")
        if len(extra) > _SHOWN:
            yield Finding("objects", f"and nothing uses {len(extra) - _SHOWN} more objects", "as above")
