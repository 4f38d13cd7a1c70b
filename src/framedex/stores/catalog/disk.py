"""The reserve of the disk that a catalog lies on: new rows are refused before it is full."""

from __future__ import annotations

import os
from pathlib import Path

from framedex.core.errors import StorageFull


class DiskReserve:
    """Space that only work which frees something (deletes, cancels, leases) may use."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes

    def check(self) -> None:
        """Looks at the disk; one system call.

        Raises:
            StorageFull: less than the reserve is free.
        """
        facts = os.statvfs(self._folder)
        if facts.f_bavail * facts.f_frsize < self._reserve_bytes:
            raise StorageFull(
                "The disk reserve of the server is reached: nothing was written. "
                "Free space (deletes go on), or lower the reserve, and try again."
            )
