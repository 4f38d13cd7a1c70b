"""Frame tables of videos, as they were found when the object was read."""

from __future__ import annotations

from typing import Protocol

from framedex.core.ids import ItemId


class FrameTableReads(Protocol):
    """Reading them."""

    def get(self, item_id: ItemId) -> bytes | None:
        """The packed table (`framedex.core.frames.FrameTable`) of a video; None where none was made yet."""
        ...


class FrameTableWrites(FrameTableReads, Protocol):
    """Writing them. Those found at registration are written with the item; all end with it, or when it moves."""

    def put(self, item_id: ItemId, data: bytes) -> None:
        """Keeps the packed table of a video, in the place of an older one."""
        ...

    def complete(
        self, item_id: ItemId, *, frame_count: int, duration: float | None, fps: float | None, now_us: int
    ) -> bool:
        """Gives a video that was registered without a frame count what its table says. Whether it lacked one."""
        ...
