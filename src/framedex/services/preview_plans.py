"""From an item and what is asked of it to the objects that a preview is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from framedex.core.access import Action, Caller
from framedex.core.errors import InvalidArguments, NotFound, UnreadableMedia
from framedex.core.ids import ItemId
from framedex.core.items import Item
from framedex.core.manifests import scene_urls
from framedex.core.media_types import ItemType
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.media import ByteSource
from framedex.services.content import ContentService
from framedex.services.items import readable_ids, require_items
from framedex.services.stamps import Stamps

#: Longer sides of pictures, in pixels; what is asked for is rounded up to the next.
SIZES = (64, 128, 256, 512, 1024)
#: Columns of a waveform, likewise.
POINTS = (500, 1000, 2000, 4000)
FORMATS = ("webp", "jpeg", "png")
_STRIP_FRAMES = 10
_SHEET_CELLS = 9
_MOST_DEPTH = 3
_CLOUD_FORMATS = (".pcd", ".ply", ".las", ".laz")
_GROUPS = frozenset({ItemType.IMAGE_GROUP, ItemType.GROUP})
#: What reads items whose own type has no bytes of its own kind.
_READ_AS: Mapping[ItemType, ItemType] = {ItemType.IMAGE_SEQUENCE: ItemType.VIDEO}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make, and how: see the `preview` and `text` modules of the kinds."""

    operation: str
    asked: Mapping[str, object]

    @property
    def show(self) -> str:
        return str(self.asked.get("show", self.operation))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a preview is made of.

    Attributes:
        item: whose object is read; of a series one of its files.
        url: an address that a scene names; None: the item's own.
        cells: of a contact sheet; nothing else is read then.
    """

    wanted: Wanted
    item: Item
    kind: ItemType
    asked: Mapping[str, object]
    url: str | None = None
    etag: str | None = None
    size: int = 0
    cells: tuple[Plan, ...] = ()

    @property
    def item_id(self) -> ItemId:
        return self.item.id

    @property
    def address(self) -> str | None:
        return self.url or self.item.object_key or self.item.url


def thumbnail(size: int, form: str) -> Wanted:
    """A small picture of an item."""
    return Wanted("preview", {"show": "thumbnail", "size": _at_least(SIZES, size, "size"), "format": _format(form)})


def strip(size: int, form: str) -> Wanted:
    """Ten key frames of a video in one row, each `size` pixels at its longer side."""
    side = _at_least(SIZES[:3], size, "size")
    return Wanted("preview", {"show": "strip", "size": side, "format": _format(form), "frames": _STRIP_FRAMES})


def spectrogram(size: int, form: str) -> Wanted:
    """Frequencies of a sound over time."""
    return Wanted("preview", {"show": "spectrogram", "size": _at_least(SIZES, size, "size"), "format": _format(form)})


def waveform(points: int) -> Wanted:
    """Peaks of a sound, as numbers."""
    return Wanted("preview", {"show": "waveform", "points": _at_least(POINTS, points, "points")})


def text(page: int, characters: int) -> Wanted:
    """Text of a page, or the beginning of a text."""
    return Wanted("text", {"page": page, "characters": characters})


class Planner:
    """Finds out what a preview is made of. Safe for threads."""

    def __init__(self, catalog: Catalog, content: ContentService) -> None:
        self._catalog = catalog
        self._content = content
        self._stamps = Stamps(content)

    def plan(self, caller: Caller, item_id: ItemId, wanted: Wanted) -> Plan:
        """The plan, for somebody who may read the item. Of a group only what the caller may read of it shows.

        Raises:
            NotPermitted, NotFound, UnreadableMedia: see `PreviewService.plan`.
        """
        with self._catalog.read() as unit:
            require_items(unit, Action.READ, caller, [item_id])
            item = unit.items.get_many([item_id], with_metadata=False)[item_id]
        return self._plan(caller, item, wanted, depth=0)

    def open(self, plan: Plan) -> ByteSource:
        """The object of a plan without cells."""
        return self._content.open(plan.item, plan.url)

    def _plan(self, caller: Caller, item: Item, wanted: Wanted, *, depth: int) -> Plan:
        if item.item_type in _GROUPS:
            return self._sheet(caller, item, wanted, depth)
        if item.item_type is ItemType.DICOM_SERIES:
            return self._plan(caller, self._middle_child(caller, item), wanted, depth=depth)
        url = _scene_address(item)
        info = self._stamps.of(item, url)
        asked = {**wanted.asked, **_hints(item)}
        kind = _READ_AS.get(item.item_type, item.item_type)
        return Plan(wanted, item, kind, asked, url, info.etag, info.size)

    def _sheet(self, caller: Caller, item: Item, wanted: Wanted, depth: int) -> Plan:
        if wanted.show != "thumbnail" or depth >= _MOST_DEPTH:
            raise UnreadableMedia(f"a {item.item_type.value} has no {wanted.show}; ask for one of its child items")
        with self._catalog.read() as unit:
            ids = readable_ids(unit, caller, unit.items.child_ids([item.id]).get(item.id, ()))
            chosen = _spread(ids, _SHEET_CELLS)
            found = unit.items.get_many(chosen, with_metadata=False)
        inside = replace(wanted, asked={**wanted.asked, "size": _cell_size(wanted), "format": "webp"})
        cells = []
        refusal: Exception | None = None
        for child_id in chosen:
            try:
                cells.append(self._plan(caller, found[child_id], inside, depth=depth + 1))
            except (NotFound, UnreadableMedia) as error:
                refusal = error
        if not cells:
            raise refusal or UnreadableMedia(f"the {item.item_type.value} has no child items to show")
        asked = {**wanted.asked, "show": "sheet", "count": len(ids)}
        return Plan(wanted, item, ItemType.IMAGE, asked, cells=tuple(cells))

    def _middle_child(self, caller: Caller, item: Item) -> Item:
        """Of a series: its files are in geometric order. Files that were moved into folders of others stay theirs."""
        with self._catalog.read() as unit:
            ids = readable_ids(unit, caller, unit.items.child_ids([item.id]).get(item.id, ()))
            if not ids:
                raise UnreadableMedia(f"the {item.item_type.value} has no files to show")
            middle = ids[len(ids) // 2]
            return unit.items.get_many([middle], with_metadata=False)[middle]


def _scene_address(item: Item) -> str | None:
    """Of a scene of several streams: its first point cloud."""
    if item.item_type is not ItemType.SCENE or item.url is not None or item.scene is None:
        return None
    for url in scene_urls(item.scene):
        if url.partition("?")[0].lower().endswith(_CLOUD_FORMATS):
            return url
    raise UnreadableMedia("the scene has no point cloud (PCD, PLY, LAS, LAZ) to show")


def _hints(item: Item) -> dict[str, object]:
    """What the catalog knows and the maker would have to find out."""
    if item.item_type is ItemType.PLAIN_TEXT:
        return {"mime_type": item.mime_type}
    if item.item_type is ItemType.DICOM_FILE:
        return {"frame_count": item.frame_count}
    return {}


def _spread(ids: Sequence[ItemId], count: int) -> Sequence[ItemId]:
    """`count` of them, evenly spread, the first among them."""
    if len(ids) <= count:
        return ids
    return [ids[index * len(ids) // count] for index in range(count)]


def _cell_size(wanted: Wanted) -> int:
    """A cell is a third of the sheet: the next size up, so that it is a thumbnail like every other."""
    size = wanted.asked["size"]
    assert isinstance(size, int)
    return next(known for known in SIZES if known * 3 >= size)


def _at_least(known: Sequence[int], wanted: int, name: str) -> int:
    for value in known:
        if value >= wanted > 0:
            return value
    raise InvalidArguments(f"{name} is between 1 and {known[-1]}, and not {wanted}")


def _format(form: str) -> str:
    if form not in FORMATS:
        raise InvalidArguments(f"format is one of {', '.join(FORMATS)}, and not {form[:40]!r}")
    return form
