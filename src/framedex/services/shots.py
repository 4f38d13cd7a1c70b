"""Where the frames of an item are: in which object, and which of its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from framedex.core.access import Action, Caller
from framedex.core.chunks import MAX_BULK
from framedex.core.errors import NotFound
from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog import ReadUnit
from framedex.services.items import require_items

#: Items whose frames are items of their own.
GROUPED = frozenset({ItemType.IMAGE_GROUP, ItemType.DICOM_SERIES})
#: Items whose frames are a video's.
FILMED = frozenset({ItemType.VIDEO, ItemType.IMAGE_SEQUENCE})
_STILL = frozenset({ItemType.IMAGE, ItemType.DICOM_FILE, ItemType.NIFTI, ItemType.PDF})


@dataclass(frozen=True, slots=True)
class Shot:
    """Frame `frame` of `frame_count` of an item: picture `index` of the object of `holder`, it or a child of it."""

    frame: int
    frame_count: int
    holder: Item
    index: int


def shots_of(unit: ReadUnit, caller: Caller, item: Item, frames: Sequence[int]) -> Sequence[Shot]:
    """Shots of an item that is no video, in the order of `frames`.

    Raises:
        NotFound: the item has no such frame, or none at all; the message says how many.
        NotPermitted: a frame lives in a folder of others.
    """
    if item.item_type in GROUPED:
        return _grouped_shots(unit, caller, item, frames)
    if item.item_type not in _STILL:
        raise NotFound(f"item {item.id} is of the type {item.item_type.value}, which has no frames to show")
    count = count_of(item)
    for frame in frames:
        require_frame(item, frame, count)
    return [Shot(frame, count, item, frame) for frame in frames]


def require_frame(item: Item, frame: int, count: int) -> None:
    """Refuses a frame that is not there.

    Raises:
        NotFound: naming how many there are.
    """
    if not 0 <= frame < count:
        what = "pages" if item.item_type is ItemType.PDF else "frames"
        raise NotFound(
            f"item {item.id} has {count} {what}, counted from 0; there is no number {frame}", frame_count=count
        )


def count_of(item: Item) -> int:
    """Pictures in the object of a still, as far as is known; one otherwise."""
    if item.item_type is ItemType.IMAGE:
        frames = json.loads(item.extra).get("frames") if item.extra else None
        return frames if isinstance(frames, int) and frames > 0 else 1
    counted = item.pages if item.item_type is ItemType.PDF else item.frame_count
    return 1 if counted is None else counted


def count_in_group(unit: ReadUnit, item: Item) -> int:
    """Frames of a group: one for each image, all frames of each DICOM file."""
    ids = _child_ids(unit, item)
    return len(ids) if item.item_type is ItemType.IMAGE_GROUP else sum(count_of(c) for c in _loaded(unit, ids).values())


def runs_of(shots: Sequence[Shot]) -> Iterator[tuple[Item, Sequence[Shot]]]:
    """Neighbours in one object, to be read together."""
    for _, run in groupby(shots, key=lambda shot: shot.holder.id):
        found = list(run)
        yield found[0].holder, found


def _grouped_shots(unit: ReadUnit, caller: Caller, item: Item, frames: Sequence[int]) -> Sequence[Shot]:
    ids = _child_ids(unit, item)
    places: Sequence[tuple[ItemId, int]] = [(item_id, 0) for item_id in ids]
    if item.item_type is ItemType.DICOM_SERIES:
        files = _loaded(unit, ids)
        places = [(item_id, index) for item_id in ids if item_id in files for index in range(count_of(files[item_id]))]
    for frame in frames:
        require_frame(item, frame, len(places))
    holders = _loaded(unit, list(dict.fromkeys(places[frame][0] for frame in frames)))
    # the group's own folder was looked at; a child elsewhere is under the rights of others
    elsewhere = [holder.id for holder in holders.values() if holder.folder_id != item.folder_id]
    require_items(unit, Action.READ, caller, elsewhere)
    return [Shot(frame, len(places), holders[places[frame][0]], places[frame][1]) for frame in frames]


def _child_ids(unit: ReadUnit, item: Item) -> Sequence[ItemId]:
    return unit.items.child_ids([item.id]).get(item.id, ())


def _loaded(unit: ReadUnit, ids: Sequence[ItemId]) -> dict[ItemId, Item]:
    found: dict[ItemId, Item] = {}
    for start in range(0, len(ids), MAX_BULK):
        found |= unit.items.get_many(ids[start : start + MAX_BULK], with_metadata=False)
    return found
