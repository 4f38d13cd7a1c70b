"""What services ask of the place where previews are kept: they can all be made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from framedex.core.ports.media import Made


class PreviewCache(Protocol):
    """Previews by key, up to a number of bytes; those that nobody looked at for long go first. Safe for threads."""

    def get(self, key: str) -> Made | None:
        """What was put under the key, whole, or None: never there, gone, or damaged on the disk."""
        ...

    def put(self, key: str, facts: Mapping[str, object], data: bytes) -> None:
        """Keeps a preview as well as it can: where there is no room nothing is kept, and nothing is raised."""
        ...
