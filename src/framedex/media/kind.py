"""What a kind of media can do. Each kind is one folder that no other kind imports."""

from __future__ import annotations

from typing import Protocol

from framedex.core.media_types import MediaFacts
from framedex.media.byte_file import ByteFile
from framedex.media.limits import Limits


class Kind(Protocol):
    """One kind of media; runs in a limited worker process only.

    Whatever a library raises on bad bytes reaches the caller as "cannot be read"; a kind raises `InvalidArguments`
    itself where it can say more.
    """

    def probe(self, source: ByteFile, name: str, limits: Limits) -> MediaFacts:
        """Exact facts of the object; reads no more of it than that takes.

        Args:
            name: last segment of the object's address, only a hint for what content cannot tell.

        Raises:
            InvalidArguments: the bytes are no sound object of this kind, or pass a limit.
        """
        ...
