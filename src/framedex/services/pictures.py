"""Exact pictures of frames, pages and slices, and what certifies them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from framedex.core.access import Action, Caller
from framedex.core.errors import InvalidArguments, UnreadableMedia
from framedex.core.frames import FrameTable
from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.media_types import ItemType
from framedex.core.ports.blobs import ObjectInfo
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.media import Made, Maker
from framedex.core.ports.previews import PreviewCache
from framedex.services.content import ContentService
from framedex.services.items import require_items
from framedex.services.read_log import ReadLog
from framedex.services.shots import FILMED, Shot, require_frame, runs_of, shots_of
from framedex.services.stamps import Stamps

MAX_WIDTH = 16_384
MAX_FRAMES = 1000
_MAX_BYTES = 256 << 20
# Key frames before a frame that a decoder may have to go back to.
_KEYS_BEFORE = 5
# Who asks for the neighbour of a frame asks for the next, too: pixels and pictures that are made in advance then.
_RUN_PIXELS, _RUN_FRAMES = 32_000_000, 16
# Changes when pictures of the same object would become other ones.
_FORM = "picture-1"


class FrameTables(Protocol):
    """Where tables of videos come from."""

    def table_of(self, item: Item) -> FrameTable:
        """The frame table of a video that may be read; made where there is none."""
        ...

    def stored_table_of(self, item: Item) -> FrameTable | None:
        """The frame table of a video where there is one already."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """How a picture is to look: `width` pixels at most (None: as it is); `form` jpeg, png, webp (None: no picture)."""

    width: int | None = None
    form: str | None = "jpeg"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a frame is, without its pixels.

    Attributes:
        frame: its index, and `frame_count` of the item; None (but for frame 0) of a video whose table is not known yet.
        holder_id: the item whose object was decoded: the item itself, or a child of it.
        holder_index: which picture of that object.
        pts: presentation time in units of `time_base`; None for all but videos, like the next two.
        time: seconds after the first frame.
        is_key: whether a decoder can begin there.
        pixel_format: FFmpeg's name.
        sha256: over the decoder's planes, see `framedex.media.pixels`.
        width: of the planes, pixels; `rotation` (degrees against the clock) turns them for display.
    """

    frame: int | None
    frame_count: int | None
    holder_id: ItemId
    holder_index: int | None
    pts: int | None
    time_base: str | None
    time: float | None
    is_key: bool | None
    pixel_format: str
    sha256: str
    width: int
    height: int
    rotation: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture with its certificate. `key` names exactly these bytes."""

    certificate: Certificate
    key: str
    data: bytes
    width: int
    height: int


class PictureService:
    """Use cases of pictures. Bytes are decoded in limited processes; what they made is kept in the cache."""

    def __init__(
        self,
        catalog: Catalog,
        content: ContentService,
        maker: Maker,
        tables: FrameTables,
        cache: PreviewCache,
        read_log: ReadLog,
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._maker = maker
        self._tables = tables
        self._cache = cache
        self._read_log = read_log
        self._stamps = Stamps(content)

    def picture(self, caller: Caller, item_id: ItemId, frame: int, wish: Wish) -> Picture:
        """One frame, page or slice.

        Raises:
            NotPermitted: not the caller's to read. NotFound: no such frame; how many there are.
            UnreadableMedia: it cannot be decoded, or passes a limit.
        """
        return self.pictures(caller, item_id, [frame], wish)[0]

    def picture_at(self, caller: Caller, item_id: ItemId, seconds: float, wish: Wish) -> Picture:
        """The frame of a video on screen so many seconds after its first.

        No frame table is made for it: where there is none yet, its certificate has no index.
        """
        _check([0], wish)
        item = self._readable(caller, item_id)
        if item.item_type not in FILMED:
            raise InvalidArguments(f"item {item.id} is of the type {item.item_type.value}: its frames have no times")
        table = self._tables.stored_table_of(item)
        if table is None:
            return self._untabled(caller, item, seconds, wish)
        return self._film(caller, item, table, [table.at(seconds)], wish)[0]

    def pictures(self, caller: Caller, item_id: ItemId, frames: Sequence[int], wish: Wish) -> Sequence[Picture]:
        """Several frames, in the order asked for; a run of neighbours is decoded once. See `picture`."""
        _check(frames, wish)
        item = self._readable(caller, item_id)
        if item.item_type in FILMED:
            table = self._tables.stored_table_of(item)
            if table is None and not any(frames):
                # the first frame is the first without a table, too: what a large file shows at once
                return [self._untabled(caller, item, 0.0, wish)] * len(frames)
            return self._film(caller, item, table or self._tables.table_of(item), frames, wish)
        with self._catalog.read() as unit:
            shots = shots_of(unit, caller, item, frames)
        self._read_log.note(caller, item.id, "item.picture")
        return [picture for holder, run in runs_of(shots) for picture in self._stills(holder, run, wish)]

    def certificates(self, caller: Caller, item_id: ItemId, frames: Sequence[int]) -> Sequence[Certificate]:
        """What several frames are; nothing is encoded. See `pictures`."""
        return [picture.certificate for picture in self.pictures(caller, item_id, frames, Wish(form=None))]

    def _readable(self, caller: Caller, item_id: ItemId) -> Item:
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            return unit.items.get_many([item_id], with_metadata=False)[item_id]

    def _film(
        self, caller: Caller, item: Item, table: FrameTable, frames: Sequence[int], wish: Wish
    ) -> Sequence[Picture]:
        for frame in frames:
            require_frame(item, frame, len(table))
        self._read_log.note(caller, item.id, "item.picture")
        roll = self._roll(item, ItemType.VIDEO, wish)
        found = roll.known(frames)
        missing = [frame for frame in dict.fromkeys(frames) if frame not in found]
        if missing:
            wanted = _widened(roll, missing[0], item, table) if len(frames) == 1 else missing
            found |= roll.make(wanted, film_request(table, wanted))
        return [_picture(_filmed(item, frame, found[frame], table), roll.key(frame), found[frame]) for frame in frames]

    def _untabled(self, caller: Caller, item: Item, seconds: float, wish: Wish) -> Picture:
        self._read_log.note(caller, item.id, "item.picture")
        roll = self._roll(item, ItemType.VIDEO, wish)
        place = f"at {seconds!r}"
        found = roll.known([place]) or roll.make([place], {"at": seconds})
        return _picture(_timed(item, found[place], is_first=not seconds), roll.key(place), found[place])

    def _stills(self, holder: Item, shots: Sequence[Shot], wish: Wish) -> Sequence[Picture]:
        roll = self._roll(holder, holder.item_type, wish)
        indices = list(dict.fromkeys(shot.index for shot in shots))
        found = roll.known(indices)
        missing = [index for index in indices if index not in found]
        if missing:
            found |= roll.make(missing, {"frames": missing})
        return [_picture(_still(shot, found[shot.index]), roll.key(shot.index), found[shot.index]) for shot in shots]

    def _roll(self, item: Item, kind: ItemType, wish: Wish) -> _Roll:
        return _Roll(self._content, self._maker, self._cache, item, kind, wish, self._stamps.of(item))


#: A picture of an object: its index, or a moment.
Place = int | str


@dataclass(frozen=True, slots=True)
class _Roll:
    """Pictures of one object in one form: those that are kept, and those to be made."""

    content: ContentService
    maker: Maker
    cache: PreviewCache
    item: Item
    kind: ItemType
    wish: Wish
    info: ObjectInfo

    def has(self, index: Place) -> bool:
        return self.cache.get(self.key(index)) is not None

    def known(self, indices: Sequence[Place]) -> dict[Place, Made]:
        """Those that are kept."""
        return {index: made for index in indices if (made := self.cache.get(self.key(index))) is not None}

    def make(self, indices: Sequence[Place], asked: Mapping[str, object]) -> Mapping[Place, Made]:
        """Decodes, and keeps what was made.

        Raises:
            UnreadableMedia: it cannot be decoded, or passes a limit.
        """
        request = {**asked, "width": self.wish.width, "format": self.wish.form}
        source = self.content.open(self.item)
        try:
            made = self.maker.make("picture", self.kind, [source], asked=request, max_bytes=_MAX_BYTES)
        except UnreadableMedia:
            raise
        except InvalidArguments as error:
            raise UnreadableMedia(f"there is no picture of this object: {error.message}") from error
        finally:
            source.close()
        found = {}
        for index, facts in zip(indices, cast("list[dict[str, Any]]", made.facts["pictures"]), strict=True):
            start = facts.get("offset", 0)
            found[index] = Made(facts, made.data[start : start + facts.get("length", 0)])
            self.cache.put(self.key(index), facts, found[index].data)
        return found

    def key(self, index: Place) -> str:
        """Names a picture of this version of the object."""
        item, info, wish = self.item, self.info, self.wish
        parts = (_FORM, item.id, item.object_key or item.url, info.etag, info.size, wish.width, wish.form, index)
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()


def _widened(roll: _Roll, frame: int, item: Item, table: FrameTable) -> Sequence[int]:
    """The frame, and those that will be asked for next when its neighbour has been asked for."""
    pixels = (item.width or 1920) * (item.height or 1080)
    if roll.wish.width is not None and item.width:
        pixels = round(pixels * min(1.0, roll.wish.width / item.width) ** 2)
    length = min(_RUN_FRAMES, _RUN_PIXELS // max(1, pixels))
    if roll.wish.form is None or length <= 1:
        return [frame]
    if frame and roll.has(frame - 1):
        return range(frame, min(frame + length, len(table)))
    if frame + 1 < len(table) and roll.has(frame + 1):
        return range(max(0, frame - length + 1), frame + 1)
    return [frame]


def _check(frames: Sequence[int], wish: Wish) -> None:
    if not 0 < len(frames) <= MAX_FRAMES:
        raise InvalidArguments(f"from 1 to {MAX_FRAMES} frames in one request; this asks for {len(frames)}")
    if wish.width is not None and not 0 < wish.width <= MAX_WIDTH:
        raise InvalidArguments(
            f"a picture is from 1 to {MAX_WIDTH} pixels wide; this asks for {wish.width}", path="width"
        )


def film_request(table: FrameTable, frames: Sequence[int]) -> dict[str, object]:
    """Only what a decoder needs of the table: the frames, and some key frames before each."""
    keys: set[int] = set()
    for frame in frames:
        key = table.key_at_or_before(frame)
        for _ in range(_KEYS_BEFORE):
            if key is None or key in keys:
                break
            keys.add(key)
            key = table.key_at_or_before(key - 1) if key else None
    return {
        "frames": [[frame, table.pts[frame], table.nth(frame)] for frame in frames],
        "keys": [[key, table.pts[key]] for key in sorted(keys)],
        "is_counted": table.is_counted,
    }


def _filmed(item: Item, frame: int, made: Made, table: FrameTable) -> Certificate:
    facts: Any = made.facts
    return Certificate(
        frame, len(table), item.id, frame, table.pts[frame], str(table.time_base), table.time(frame),
        table.is_key(frame), facts["pixel_format"], facts["sha256"], facts["width"], facts["height"], facts["rotation"],
    )  # fmt: skip


def _timed(item: Item, made: Made, *, is_first: bool) -> Certificate:
    facts: Any = made.facts
    frame = 0 if is_first else None
    return Certificate(
        frame, None, item.id, frame, facts["pts"], facts["time_base"], facts["time"], None,
        facts["pixel_format"], facts["sha256"], facts["width"], facts["height"], facts["rotation"],
    )  # fmt: skip


def _still(shot: Shot, made: Made) -> Certificate:
    facts: Any = made.facts
    return Certificate(
        shot.frame, shot.frame_count, shot.holder.id, shot.index, None, None, None, None,
        facts["pixel_format"], facts["sha256"], facts["width"], facts["height"], 0,
    )  # fmt: skip


def _picture(certificate: Certificate, key: str, made: Made) -> Picture:
    facts: Any = made.facts
    return Picture(certificate, key, made.data, facts.get("shown_width", 0), facts.get("shown_height", 0))
