"""Frames of items: of videos by their frame table, of groups, series and pages one by one (decision 0019)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from framedex.core.access import Action, Caller
from framedex.core.errors import Conflict, InvalidArguments, NotFound, StorageFull, UnreadableMedia
from framedex.core.frames import FrameTable
from framedex.core.ids import ItemId, JobId
from framedex.core.items import Item
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog import Catalog, ReadUnit
from framedex.core.ports.job_handlers import JobSignals
from framedex.core.ports.media import Made, Maker
from framedex.services.content import ContentService
from framedex.services.folders import require_folder
from framedex.services.frames_handler import MAX_TABLE_BYTES, add_job, keep_table
from framedex.services.items import require_items
from framedex.services.shots import FILMED, GROUPED, Shot, count_in_group, count_of, shots_of

# Tables in memory: about 40 hours of video at 60 frames a second.
_MOST_FRAMES = 8_000_000


@dataclass(frozen=True, slots=True)
class ItemFrames:
    """The frames of an item: those of a video by `table`; others by their places.

    Attributes:
        count: of all.
        shots: where the frames `start` to `start + len(shots)` are; none of videos.
    """

    item: Item
    count: int
    start: int
    end: int
    table: FrameTable | None
    shots: Sequence[Shot] = ()


class FrameService:
    """Use cases of frame tables. Tables are made at registration; those that were not are made on first use."""

    def __init__(self, catalog: Catalog, content: ContentService, maker: Maker, signals: JobSignals) -> None:
        self._catalog = catalog
        self._content = content
        self._maker = maker
        self._signals = signals
        self._known = _Known()

    def list_frames(self, caller: Caller, item_id: ItemId, start: int, end: int | None, limit: int) -> ItemFrames:
        """Frames from `start` up to (not with) `end`, at most `limit` of them.

        Raises:
            NotPermitted: not the caller's to read. NotFound: the kind has no frames.
            InvalidArguments: a start behind the last frame, or an end before the start.
            Conflict: what the frames are takes reading all of a large remote file, which was not done yet.
            UnreadableMedia: the object cannot be read.
        """
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            item = unit.items.get_many([item_id], with_metadata=False)[item_id]
            if item.item_type not in FILMED:
                return _others(unit, caller, item, start, end, limit)
        table = self._listed(item)
        start, end = _range(item, len(table), start, end, limit)
        return ItemFrames(item, len(table), start, end, table)

    def table_of(self, item: Item) -> FrameTable:
        """The true frame table of a video that may be read; made now where there is none.

        Raises:
            NotPermitted: strict client-only, so that its frames cannot be looked at.
            Conflict, UnreadableMedia: as `list_frames`.
        """
        stored = self._stored(item)
        return self._make(item) if stored is None else stored

    def stored_table_of(self, item: Item) -> FrameTable | None:
        """The true frame table of a video where there is one already; nothing is read for it but the catalog."""
        return self._stored(item)

    def start_job(self, caller: Caller, item_id: ItemId) -> JobId | None:
        """A job that makes the frame table of a video; None where there is one already.

        Raises:
            NotPermitted: not the caller's to edit. InvalidArguments: no video with an object of its own.
        """
        with self._catalog.write() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            item = unit.items.get_many([item_id], with_metadata=False)[item_id]
            if item.item_type not in FILMED:
                raise InvalidArguments(
                    f"item {item_id} is of the type {item.item_type.value}; only videos have a table"
                )
            require_folder(unit, Action.WRITE, caller, item.folder_id)
            if unit.frame_tables.get(item_id) is not None:
                return None
            job_id = add_job(unit, caller.user_id, [item_id])
            unit.after_commit(self._signals.has_work)
            return job_id

    def _listed(self, item: Item) -> FrameTable:
        stored = self._stored(item)
        if stored is not None:
            return stored
        return supplied_table(item) if item.facts_supplied else self._make(item)

    def _stored(self, item: Item) -> FrameTable | None:
        def read() -> FrameTable | None:
            with self._catalog.read() as unit:
                data = unit.frame_tables.get(item.id)
            return None if data is None else FrameTable.unpack(data)

        return self._known.get(item, read)

    def _make(self, item: Item) -> FrameTable:
        made = self._made(item)
        if made.facts.get("is_left_out"):
            raise Conflict(
                f"What the frames of item {item.id} are takes reading all of its {item.file_size} bytes, which a job "
                "does: one was started when the item was registered. Look at the jobs, or start another one with "
                f"POST /items/{item.id}/frames.",
                item=item.id,
            )
        table = FrameTable.unpack(made.data)
        with suppress(StorageFull), self._catalog.write() as unit:
            keep_table(unit, item, made)
        return table

    def _made(self, item: Item) -> Made:
        is_remote = item.object_key is None and item.integration_kind != "local"
        with closing(self._content.open(item)) as source:
            try:
                return self._maker.make(
                    "frames", ItemType.VIDEO, [source], asked={"is_remote": is_remote}, max_bytes=MAX_TABLE_BYTES
                )
            except UnreadableMedia:
                raise
            except InvalidArguments as error:
                raise UnreadableMedia(f"this video has no frame table: {error.message}") from error


class _Known:
    """Tables that were read of late, by item and version of its object. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: OrderedDict[tuple[object, ...], FrameTable] = OrderedDict()
        self._frames = 0

    def get(self, item: Item, read: Callable[[], FrameTable | None]) -> FrameTable | None:
        key = (item.id, item.url, item.object_key, item.remote_etag, item.remote_size)
        with self._lock:
            table = self._tables.get(key)
            if table is not None:
                self._tables.move_to_end(key)
                return table
        table = read()
        if table is not None:
            self._put(key, table)
        return table

    def _put(self, key: tuple[object, ...], table: FrameTable) -> None:
        with self._lock:
            if key not in self._tables:
                self._tables[key] = table
                self._frames += len(table)
            while self._frames > _MOST_FRAMES and len(self._tables) > 1:
                self._frames -= len(self._tables.popitem(last=False)[1])


def supplied_table(item: Item) -> FrameTable:
    """The table of a video of which no byte was read: round(fps * duration) frames (design decision 6).

    Raises:
        NotFound: rate and duration were not told.
    """
    if not item.fps or item.duration is None:
        raise NotFound(
            f"Of item {item.id} no byte was read, and its metadata name no rate and duration: its frames are not known."
        )
    return FrameTable.supplied(item.fps, round(item.fps * item.duration))


def _others(unit: ReadUnit, caller: Caller, item: Item, start: int, end: int | None, limit: int) -> ItemFrames:
    """Frames that are items of their own, slices or pages."""
    count = count_in_group(unit, item) if item.item_type in GROUPED else count_of(item)
    start, end = _range(item, count, start, end, limit)
    return ItemFrames(item, count, start, end, None, shots_of(unit, caller, item, range(start, end)))


def _range(item: Item, count: int, start: int, end: int | None, limit: int) -> tuple[int, int]:
    if end is not None and end < start:
        raise InvalidArguments(f"the range ends at frame {end}, before it starts at {start}", path="to")
    if start > count or (start == count and count):
        raise InvalidArguments(
            f"item {item.id} has {count} frames, counted from 0; there is no number {start}", path="from"
        )
    return start, min(count, start + limit, count if end is None else end)
