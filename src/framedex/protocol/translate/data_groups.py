"""Data groups on the wire: layouts and settings in snake_case or camelCase, as the SDK passes dicts on unconverted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from framedex.core.data_groups import (
    MAX_DEPTH,
    Arrangement,
    Carousel,
    Direction,
    Layout,
    LayoutSettings,
    NewDataGroup,
    Side,
    Split,
    Tile,
    TileSettings,
    carousel,
    grid,
)
from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId, parse_id
from framedex.protocol.dto.data_groups import CustomIn, DataGroupIn, GridIn
from framedex.protocol.translate.folders import metadata_text

T = TypeVar("T")

_DIRECTIONS: Mapping[str, Direction] = {"row": "row", "column": "column"}
_SIDES: Mapping[str, Side] = {"left": "left", "right": "right", "top": "top", "bottom": "bottom"}


def new_data_group(dto: DataGroupIn, *, path: str) -> NewDataGroup:
    """What a request asks to create.

    Raises:
        InvalidArguments: with the path of what is wrong. Whether keys and items are there is checked later.
    """
    raw = dto.client_metadata
    metadata = None if raw == b"null" else metadata_text(raw, path=f"{path}.clientMetadata")
    return NewDataGroup(_arrangement(dto, path), dto.name, metadata)


def _arrangement(dto: DataGroupIn, path: str) -> Arrangement:
    if isinstance(dto, CustomIn):
        return _custom(dto, path)
    where = f"{path}.layoutContents"
    item_ids = [ItemId(parse_id(text, path=f"{where}[{i}]")) for i, text in enumerate(dto.layout_contents)]
    return grid(item_ids) if isinstance(dto, GridIn) else carousel(item_ids)


def _custom(dto: CustomIn, path: str) -> Arrangement:
    contents = {
        key: ItemId(parse_id(text, path=f"{path}.layoutContents.{key[:80]}"))
        for key, text in dto.layout_contents.items()
    }
    return Arrangement(
        contents=contents,
        layout=None if dto.layout is None else _layout(_Node(dto.layout, f"{path}.layout"), MAX_DEPTH),
        settings=_settings(_Node(dto.settings or {}, f"{path}.settings")),
        timeline=tuple(dto.timeline),
    )


@dataclass(frozen=True, slots=True)
class _Node:
    """An object of a layout or of settings. Keys that it does not know are ignored, as everywhere in v2."""

    raw: object
    path: str

    def field(self, name: str) -> object:
        """The value of a key in either spelling; None where it is null or not there."""
        if not isinstance(self.raw, dict):
            raise InvalidArguments("an object is needed here", path=self.path)
        value = self.raw.get(name)
        return self.raw.get(_snake(name)) if value is None else value

    def below(self, name: str) -> _Node:
        return _Node(self.field(name), f"{self.path}.{name}")

    def wrong(self, name: str, needed: str) -> InvalidArguments:
        return InvalidArguments(f"{needed} is needed here", path=f"{self.path}.{name}")

    def text(self, name: str) -> str:
        value = self.field(name)
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.field(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(name, "a list of texts")
        return tuple(value)

    def number(self, name: str, default: float | None = None) -> float:
        value = self.field(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.field(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def one_of(self, name: str, choices: Mapping[str, T]) -> T:
        value = self.field(name)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(name, f"one of {', '.join(choices)}")
        return choices[value]


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _layout(node: _Node, depth: int) -> Layout:
    if depth == 0:
        raise InvalidArguments(f"a layout has at most {MAX_DEPTH} splits inside each other", path=node.path)
    kind = node.field("type")
    if kind == "data_unit" or (kind is None and node.field("key") is not None):
        return Tile(node.text("key"))
    if kind == "data_unit_list" or (kind is None and node.field("keys") is not None):
        return Carousel(node.texts("keys"), node.one_of("carouselPosition", _SIDES), node.number("carouselSize"))
    if node.field("direction") is None:
        needed = "a split (direction, first, second, splitPercentage) or a tile (type data_unit or data_unit_list)"
        raise InvalidArguments(f"{needed} is needed here", path=node.path)
    return Split(
        direction=node.one_of("direction", _DIRECTIONS),
        first=_layout(node.below("first"), depth - 1),
        second=_layout(node.below("second"), depth - 1),
        percentage=node.number("splitPercentage", 50),
    )


def _settings(node: _Node) -> LayoutSettings:
    tiles = node.field("tileSettings")
    return LayoutSettings(
        is_fixed=node.flag("fixedLayout") or False,
        tiles=None if tiles is None else _tiles(tiles, f"{node.path}.tileSettings"),
        has_multilayer_labels=node.flag("hasMultilayerLabels"),
    )


def _tiles(raw: object, path: str) -> Mapping[str, TileSettings]:
    if not isinstance(raw, dict):
        raise InvalidArguments("an object with a key for each tile is needed here", path=path)
    return {key: _tile(_Node(value, f"{path}.{key[:80]}")) for key, value in raw.items()}


def _tile(node: _Node) -> TileSettings:
    title = None if node.field("title") is None else node.text("title")
    return TileSettings(title, node.flag("isReadOnly") or False)
