from __future__ import annotations

import json
from array import array

import pytest

from framedex.core.ids import ItemId
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.metadata.schema import parse_schema
from framedex.core.ports.catalog_metadata import Misfit
from framedex.services.derived import MAX_MISFITS, Derived, Extent, derive, extent_of, typed_schema

ITEM = ItemId("item")
TYPED = typed_schema(
    1, parse_schema('{"n": {"ty": "number"}, "v": {"ty": "embedding", "size": 2}, "gone": {"ty": "tombstone"}}')
)


def derived(metadata: object, extent: Extent = Extent()) -> Derived:  # noqa: B008 - a frozen value
    rows = Derived()
    derive(rows, ITEM, json.dumps(metadata), TYPED, extent)
    return rows


@pytest.mark.parametrize(
    ("item_type", "facts", "extent"),
    [
        (ItemType.IMAGE, MediaFacts(), Extent(1)),
        (ItemType.PDF, MediaFacts(pages=3), Extent(3)),
        (ItemType.VIDEO, MediaFacts(frame_count=7, fps=2, duration=4), Extent(7, 4)),
        (ItemType.VIDEO, MediaFacts(fps=29.97, duration=10), Extent(300, 10)),
        (ItemType.VIDEO, MediaFacts(), Extent()),
        (ItemType.IMAGE_GROUP, MediaFacts(frame_count=2), Extent(2)),
        (ItemType.AUDIO, MediaFacts(fps=1, duration=9), Extent(None, 9)),
    ],
)
def test_extent_of__by_kind(item_type: ItemType, facts: MediaFacts, extent: Extent) -> None:
    assert extent_of(item_type, facts) == extent


def test_derive__vectors_of_item_and_frames_are_float32() -> None:
    rows = derived({"v": [1, 0.5], "$encord": {"frames": {"3": {"v": [0.1, -2]}, "4": {}}}}, Extent(5))
    assert rows.misfits == []
    assert [(vector.frame, vector.key) for vector in rows.vectors] == [("", "v"), ("3", "v")]
    assert [list(array("f", vector.data)) for vector in rows.vectors] == [
        [1, 0.5],
        [pytest.approx(0.1), -2],
    ]
    assert {vector.item_id for vector in rows.vectors} == {ITEM}


def test_derive__misfits_of_item_and_frames() -> None:
    rows = derived({"n": "1", "gone": "x", "$encord": {"frames": {"0": {"n": True, "v": [1]}}}}, Extent(5))
    assert rows.misfits == [
        Misfit(ITEM, "", "n", "a number is wanted; this is a string", '"1"'),
        Misfit(ITEM, "0", "n", "a number is wanted; this is a boolean", "true"),
        Misfit(ITEM, "0", "v", "2 numbers are wanted; there are 1", "[1]"),
    ]


def test_derive__of_keys_that_name_no_frame_nothing_else_is_derived() -> None:
    rows = derived({"$encord": {"frames": {"5": {"v": [1, 2]}, "x": {"n": "1"}, "4": {"v": [1, 2]}}}}, Extent(5))
    assert [(row.frame, row.key, row.reason) for row in rows.misfits] == [
        ("5", "$encord", "the video has 5 frames"),
        ("x", "$encord", "the frame key is not a number"),
    ]
    assert [vector.frame for vector in rows.vectors] == ["4"]


def test_derive__seconds() -> None:
    block = {"config": {"keyframe_mode": "seconds"}, "frames": {"1.5": {"v": [1, 2]}, "4.1": {}}}
    rows = derived({"$encord": block}, Extent(100, 4.0))
    assert [(row.frame, row.reason) for row in rows.misfits] == [("4.1", "the video ends at 4 s")]
    assert [vector.frame for vector in rows.vectors] == ["1.5"]


def test_derive__nonsense_makes_a_bounded_number_of_rows() -> None:
    rows = derived({"keyframes": [f"{'x' * 300}{number}" for number in range(5000)]})
    assert len(rows.misfits) == 1
    rows = derived({"keyframes": [f"x{number}" for number in range(5000)]})
    assert len(rows.misfits) == MAX_MISFITS


def test_derive__a_container_that_no_edge_let_in_is_quarantined() -> None:
    (row,) = derived({"$encord": 5}).misfits
    assert (row.key, row.reason) == ("$encord", "$.$encord: must be an object")
