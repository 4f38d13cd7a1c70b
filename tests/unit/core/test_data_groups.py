from __future__ import annotations

import json
from math import ceil, sqrt

import pytest

from framedex.core.data_groups import (
    Arrangement,
    Carousel,
    Layout,
    LayoutSettings,
    Split,
    Tile,
    TileSettings,
    arrangement_text,
    carousel,
    check_arrangement,
    grid,
)
from framedex.core.errors import InvalidArguments
from framedex.core.ids import ItemId, new_id


def _ids(count: int) -> list[ItemId]:
    return [ItemId(new_id()) for _ in range(count)]


def _areas(layout: Layout, width: float = 1, height: float = 1) -> list[tuple[str, float, float]]:
    """Key, width and height of each tile, in reading order."""
    if isinstance(layout, Tile):
        return [(layout.key, width, height)]
    assert isinstance(layout, Split)
    share = layout.percentage / 100
    if layout.direction == "row":
        return [*_areas(layout.first, width * share, height), *_areas(layout.second, width * (1 - share), height)]
    return [*_areas(layout.first, width, height * share), *_areas(layout.second, width, height * (1 - share))]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 9, 12, 50, 1000])
def test_grid__rows_of_equal_tiles(count: int) -> None:
    ids = _ids(count)
    made = grid(ids)
    check_arrangement(made, path="$")
    assert made.layout is not None
    areas = _areas(made.layout)
    assert [made.contents[key] for key, _, _ in areas] == ids
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    assert {round(height, 9) for _, _, height in areas} == {round(1 / rows, 9)}
    full = areas[: columns * (count // columns)]
    assert {round(width, 9) for _, width, _ in full} == {round(1 / columns, 9)}


def test_carousel__has_all_keys_in_order() -> None:
    ids = _ids(3)
    made = carousel(ids)
    assert made.layout == Carousel(("0", "1", "2"), "bottom", 20)
    assert list(made.contents.values()) == ids


@pytest.mark.parametrize(
    ("arrangement", "message"),
    [
        (Arrangement({}), "at least one item"),
        (Arrangement({str(i): ItemId(new_id()) for i in range(1001)}), "at most 1000 items"),
        (Arrangement({"a": ItemId("x"), "b": ItemId("x")}), "item x is in the group twice"),
        (Arrangement({"a": ItemId("x")}, Tile("b")), r"\$.layout.key: 'b' is no key"),
        (
            Arrangement({"a": ItemId("x")}, Split("row", Tile("a"), Split("row", Tile("a"), Tile("b"), 5), 5)),
            r"\$.layout.second.second.key: 'b' is no key",
        ),
        (Arrangement({"a": ItemId("x")}, Carousel(("a", "b"), "top", 5)), r"\$.layout.keys: 'b' is no key"),
        (Arrangement({"a": ItemId("x")}, Carousel(("a",), "top", 0)), r"\$.layout.carouselSize: 0 is not between"),
        (Arrangement({"a": ItemId("x")}, Split("row", Tile("a"), Tile("a"), float("inf"))), "inf is not between"),
        (Arrangement({"a": ItemId("x")}, timeline=("b",)), r"\$.timeline: 'b' is no key"),
        (Arrangement({"a": ItemId("x")}, settings=LayoutSettings(tiles={"b": TileSettings()})), "'b' is no key"),
    ],
)
def test_check_arrangement__what_could_not_be_shown(arrangement: Arrangement, message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        check_arrangement(arrangement, path="$")


def test_arrangement_text__has_every_key() -> None:
    made = Arrangement(
        {"links": ItemId("x"), "ключ": ItemId("y")},
        Split("row", Tile("links"), Carousel(("ключ",), "left", 33.5), 40),
        LayoutSettings(
            is_fixed=True, tiles={"links": TileSettings("T", is_read_only=True)}, has_multilayer_labels=False
        ),
        ("links",),
    )
    assert json.loads(arrangement_text(made)) == {
        "layoutContents": {"links": {"uuid": "x"}, "ключ": {"uuid": "y"}},
        "layout": {
            "direction": "row",
            "first": {"type": "data_unit", "key": "links"},
            "second": {
                "type": "data_unit_list",
                "keys": ["ключ"],
                "carouselPosition": "left",
                "carouselSize": 33.5,
            },
            "splitPercentage": 40,
        },
        "layoutSettings": {
            "fixedLayout": True,
            "tileSettings": {"links": {"title": "T", "isReadOnly": True}},
            "hasMultilayerLabels": False,
        },
        "timeline": ["links"],
    }


def test_arrangement_text__nulls_stay() -> None:
    found = json.loads(arrangement_text(Arrangement({"a": ItemId("x")})))
    assert found["layout"] is None
    assert found["layoutSettings"] == {"fixedLayout": False, "tileSettings": None, "hasMultilayerLabels": None}
    assert found["timeline"] == []
