"""Data groups: items of any kind shown and labelled together, and how they are laid out.

The stored form is the wire form of the SDK's `DataGroupShortInfo`, with every key present.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite, sqrt
from typing import Literal, TypeAlias

from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId

#: What one request may create.
MAX_GROUPS = 1000
MAX_CHILDREN = 1000
MAX_CHILDREN_IN_ALL = 20_000
#: Splits inside splits.
MAX_DEPTH = 100

Direction: TypeAlias = Literal["row", "column"]
Side: TypeAlias = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One item, by its key in the contents."""

    key: str


@dataclass(frozen=True, slots=True)
class Carousel:
    """Several items, one shown at a time. `size` is the strip's share of the tile in percent."""

    keys: tuple[str, ...]
    position: Side
    size: float


@dataclass(frozen=True, slots=True)
class Split:
    """Two parts side by side (`row`) or one above the other (`column`); `percentage` is the first one's share."""

    direction: Direction
    first: Layout
    second: Layout
    percentage: float


Layout: TypeAlias = Tile | Carousel | Split


@dataclass(frozen=True, slots=True)
class TileSettings:
    title: str | None = None
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class LayoutSettings:
    """`tiles` by key; None where none were given."""

    is_fixed: bool = False
    tiles: Mapping[str, TileSettings] | None = None
    has_multilayer_labels: bool | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which items a data group holds, in order, and how it shows them.

    Attributes:
        contents: key to item.
        timeline: keys shown in the timeline.
    """

    contents: Mapping[str, ItemId]
    layout: Layout | None = None
    settings: LayoutSettings = field(default_factory=LayoutSettings)
    timeline: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewDataGroup:
    """A data group to create. `metadata` is exact JSON text; without a name it gets one from its id."""

    arrangement: Arrangement
    name: str | None = None
    metadata: str | None = None


def grid(item_ids: Sequence[ItemId]) -> Arrangement:
    """Equal tiles in rows, as near to a square as they go; keys count from "0"."""
    contents = _numbered(item_ids)
    keys = list(contents)
    columns = max(1, ceil(sqrt(len(keys))))
    rows: list[Layout] = [
        _evenly("row", [Tile(key) for key in keys[start : start + columns]]) for start in range(0, len(keys), columns)
    ]
    return Arrangement(contents, _evenly("column", rows) if rows else None)


def carousel(item_ids: Sequence[ItemId]) -> Arrangement:
    """One item at a time with a strip of all below; keys count from "0"."""
    contents = _numbered(item_ids)
    return Arrangement(contents, Carousel(tuple(contents), "bottom", 20))


def _numbered(item_ids: Sequence[ItemId]) -> dict[str, ItemId]:
    return {str(position): item_id for position, item_id in enumerate(item_ids)}


def _evenly(direction: Direction, parts: Sequence[Layout]) -> Layout:
    """Parts of equal size. Splits by halves, so that a thousand tiles are ten splits deep."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    first, second = _evenly(direction, parts[:half]), _evenly(direction, parts[half:])
    return Split(direction, first, second, 100 * half / len(parts))


def check_arrangement(arrangement: Arrangement, *, path: str) -> None:
    """Refuses an arrangement that could not be shown.

    Raises:
        InvalidArguments: no items, too many, one twice, a key that `layoutContents` has not, or a share that is no
            percentage; with the path of what is wrong.
    """
    _check_contents(arrangement.contents, f"{path}.layoutContents")
    if arrangement.layout is not None:
        _check_layout(arrangement.layout, arrangement.contents, f"{path}.layout")
    for key in arrangement.timeline:
        _check_key(key, arrangement.contents, f"{path}.timeline")
    for key in arrangement.settings.tiles or ():
        _check_key(key, arrangement.contents, f"{path}.settings.tileSettings")


def _check_contents(contents: Mapping[str, ItemId], path: str) -> None:
    if not contents:
        raise InvalidArguments("a data group needs at least one item", path=path)
    if len(contents) > MAX_CHILDREN:
        raise InvalidArguments(f"a data group holds at most {MAX_CHILDREN} items; this has {len(contents)}", path=path)
    seen: set[ItemId] = set()
    for item_id in contents.values():
        if item_id in seen:
            raise InvalidArguments(f"item {item_id} is in the group twice; name each item once", path=path)
        seen.add(item_id)


def _check_layout(layout: Layout, contents: Mapping[str, ItemId], path: str) -> None:
    for part, here in _parts(layout, path):
        if isinstance(part, Tile):
            _check_key(part.key, contents, f"{here}.key")
        elif isinstance(part, Carousel):
            _check_share(part.size, f"{here}.carouselSize")
            for key in part.keys:
                _check_key(key, contents, f"{here}.keys")
        else:
            _check_share(part.percentage, f"{here}.splitPercentage")


def _parts(layout: Layout, path: str) -> Iterator[tuple[Layout, str]]:
    yield layout, path
    if isinstance(layout, Split):
        yield from _parts(layout.first, f"{path}.first")
        yield from _parts(layout.second, f"{path}.second")


def _check_key(key: str, contents: Mapping[str, ItemId], path: str) -> None:
    if key not in contents:
        raise InvalidArguments(f"{key[:80]!r} is no key of layoutContents", path=path)


def _check_share(percent: float, path: str) -> None:
    if not isfinite(percent) or not 0 < percent < 100:
        raise InvalidArguments(f"{percent} is not between 0 and 100 percent", path=path)


def arrangement_text(arrangement: Arrangement) -> str:
    """JSON text of the stored form."""
    settings = arrangement.settings
    tiles = None if settings.tiles is None else {key: _settings_json(t) for key, t in settings.tiles.items()}
    whole = {
        "layoutContents": {key: {"uuid": item_id} for key, item_id in arrangement.contents.items()},
        "layout": None if arrangement.layout is None else _layout_json(arrangement.layout),
        "layoutSettings": {
            "fixedLayout": settings.is_fixed,
            "tileSettings": tiles,
            "hasMultilayerLabels": settings.has_multilayer_labels,
        },
        "timeline": list(arrangement.timeline),
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _settings_json(tile: TileSettings) -> dict[str, object]:
    return {"title": tile.title, "isReadOnly": tile.is_read_only}


def _layout_json(layout: Layout) -> dict[str, object]:
    if isinstance(layout, Tile):
        return {"type": "data_unit", "key": layout.key}
    if isinstance(layout, Carousel):
        return {
            "type": "data_unit_list",
            "keys": list(layout.keys),
            "carouselPosition": layout.position,
            "carouselSize": layout.size,
        }
    return {
        "direction": layout.direction,
        "first": _layout_json(layout.first),
        "second": _layout_json(layout.second),
        "splitPercentage": layout.percentage,
    }
