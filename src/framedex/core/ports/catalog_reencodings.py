"""Which videos were encoded of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from framedex.core.ids import ItemId


@dataclass(frozen=True, slots=True)
class Reencoding:
    """A video that was encoded of another; the other may be gone.

    Attributes:
        frame_map: `framedex.core.frame_maps.FrameMap` in its compact form.
    """

    item_id: ItemId
    source_id: ItemId
    frame_map: bytes


class ReencodingReads(Protocol):
    """Reading them."""

    def get(self, item_id: ItemId) -> Reencoding | None:
        """How a video was encoded; None for one that was registered as it is."""
        ...

    def made_of(self, source_id: ItemId) -> Sequence[ItemId]:
        """The videos encoded of an item that are still there, newest first."""
        ...


class ReencodingWrites(ReencodingReads, Protocol):
    """Writing them. They end with the item."""

    def add(self, reencoding: Reencoding) -> None: ...
