from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.dicom.order import order_dicom

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def _file(
    uid: int,
    position: tuple[float, float, float] | None = None,
    orientation: tuple[float, ...] | None = AXIAL,
    *,
    number: int | None = None,
    series: str = "1.1",
    study: str = "1",
    side: int = 64,
    acquired: str | None = None,
) -> MediaFacts:
    tags: dict[str, object] = {
        "00280010": {"vr": "US", "Value": [side]},
        "00280011": {"vr": "US", "Value": [side]},
        "00200032": {"vr": "DS", "Value": list(position)} if position else None,
        "00200037": {"vr": "DS", "Value": list(orientation)} if orientation else None,
        "00200013": {"vr": "IS", "Value": [number]} if number is not None else {"vr": "IS"},
    }
    return MediaFacts(
        file_size=100, dicom_instance_uid=f"{series}.{uid}", dicom_study_uid=study, dicom_series_uid=series,
        dicom_tags=tags, extra={"acquired": acquired} if acquired else {},
    )  # fmt: skip


def _order(files: list[MediaFacts]) -> dict[str, object]:
    return order_dicom(files, [f"file-{i}" for i in range(len(files))]).extra


def _stacks(extra: dict[str, object]) -> list[dict[str, object]]:
    stacks = extra["stacks"]
    assert isinstance(stacks, list)
    return stacks


@pytest.mark.parametrize("seed", range(5))
def test_order_dicom__by_position_whatever_the_numbers_say(seed: int) -> None:
    files = [_file(i, (0, 0, i * 2.5), number=99 - i) for i in range(20)]
    places = list(range(20))
    random.Random(seed).shuffle(places)
    facts = order_dicom([files[i] for i in places], [f"{i}" for i in places])
    order = facts.extra["order"]
    assert isinstance(order, list)
    assert [places[i] for i in order] == list(range(20))
    assert (facts.frame_count, facts.width, facts.height, facts.file_size) == (20, 64, 64, 2000)
    assert (facts.dicom_study_uid, facts.dicom_series_uid) == ("1", "1.1")
    (stack,) = _stacks(facts.extra)
    assert (stack["sorted_by"], stack["spacing"], stack["is_evenly_spaced"]) == ("position", 2.5, True)
    assert (stack["gaps"], stack["duplicates"]) == ([], [])


def test_order_dicom__oblique_normal() -> None:
    """Slices tilted by 30 degrees about x: no coordinate alone sorts them, the normal does."""
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    files = [_file(i, (7.0 * (i % 3), -s * d, c * d), (1, 0, 0, 0, c, s)) for i, d in enumerate((4, 0, 6, 2))]
    assert _order(files)["order"] == [1, 3, 0, 2]


def test_order_dicom__gap_and_duplicate_are_flagged() -> None:
    heights = (0, 1, 2, 5, 6, 6, 7)
    (stack,) = _stacks(_order([_file(i, (0, 0, z), number=i) for i, z in enumerate(heights)]))
    assert stack["gaps"] == [[2, 3]]
    assert stack["duplicates"] == [[4, 5]]
    assert stack["is_evenly_spaced"] is False


def test_order_dicom__series_orientations_and_shapes_are_stacks() -> None:
    files = [
        _file(1, (0, 0, 1)),
        _file(2, (0, 0, 0)),
        _file(3, (0, 0, 0), series="1.2"),
        _file(4, (5, 0, 0), SAGITTAL),
        _file(5, (0, 0, 9), side=32),
        _file(6, (0, 0, 2), (1, 0.0004, 0, 0, 1, 0)),
    ]
    extra = _order(files)
    assert [stack["positions"] for stack in _stacks(extra)] == [[4], [3], [1, 0, 5], [2]]
    assert extra["order"] == [4, 3, 1, 0, 5, 2]


def test_order_dicom__without_positions_by_number_then_time() -> None:
    files = [_file(1, number=3), _file(2, number=1, acquired="120002"), _file(3, number=1, acquired="120001")]
    extra = _order(files)
    assert extra["order"] == [2, 1, 0]
    assert _stacks(extra)[0]["sorted_by"] == "instance_number"
    assert _order([_file(1, acquired="2"), _file(2, acquired="1")])["order"] == [1, 0]
    assert _order([_file(1), _file(2)])["order"] == [0, 1]


def test_order_dicom__same_place_by_number() -> None:
    files = [_file(1, (0, 0, 1), number=2), _file(2, (0, 0, 1), number=1), _file(3, (0, 0, 0), number=9)]
    assert _order(files)["order"] == [2, 1, 0]


def test_order_dicom__repeated_instance_is_flagged() -> None:
    assert _order([_file(1, (0, 0, 1)), _file(1, (0, 0, 2))])["duplicate_instances"] == ["1.1.1"]


def test_order_dicom__multi_frame_geometry_from_functional_groups() -> None:
    def enhanced(uid: int, z: float) -> MediaFacts:
        plane = {"00200032": {"vr": "DS", "Value": [0, 0, z]}}
        turn = {"00200037": {"vr": "DS", "Value": list(AXIAL)}}
        tags = {
            **(_file(uid).dicom_tags or {}),
            "00200037": None,
            "52009229": {"vr": "SQ", "Value": [{"00209116": {"vr": "SQ", "Value": [turn]}}]},
            "52009230": {"vr": "SQ", "Value": [{"00209113": {"vr": "SQ", "Value": [plane]}}]},
        }
        return replace(_file(uid), dicom_tags=tags, frame_count=10)

    facts = order_dicom([enhanced(1, 8.0), enhanced(2, 3.0)], ["a", "b"])
    assert (facts.extra["order"], facts.frame_count) == ([1, 0], 20)


def test_order_dicom__uids_from_supplied_tags_alone() -> None:
    tags = {
        **(_file(1).dicom_tags or {}),
        "0020000D": {"vr": "UI", "Value": ["1"]},
        "0020000E": {"vr": "UI", "Value": ["1.1"]},
        "00080018": {"vr": "UI", "Value": ["1.1.7"]},
    }
    facts = order_dicom([MediaFacts(dicom_tags=tags)], ["a"])
    assert (facts.dicom_study_uid, facts.dicom_series_uid, facts.file_size) == ("1", "1.1", None)


def test_order_dicom__two_studies_are_refused_in_the_known_words() -> None:
    files = [_file(1, study="1"), _file(2, study="2"), _file(3, study="1")]
    with pytest.raises(InvalidArguments) as refused:
        order_dicom(files, ["a.dcm", "b.dcm", "c.dcm"])
    assert refused.value.message == (
        "The value of DICOM tag 'StudyInstanceUID' should be consistent across files in a series. "
        "Got [2] from 'b.dcm' and [1] from other files in the series."
    )


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        ({"dicom_study_uid": None}, "StudyInstanceUID"),
        ({"dicom_series_uid": None}, "SeriesInstanceUID"),
        ({"dicom_instance_uid": None}, "SOPInstanceUID"),
        ({"dicom_tags": {}}, "Rows"),
    ],
)
def test_order_dicom__missing_tag_is_named(change: dict[str, object], tag: str) -> None:
    with pytest.raises(InvalidArguments, match=f"b.dcm: the DICOM tag '{tag}' is missing"):
        order_dicom([_file(1), replace(_file(2), **change)], ["a.dcm", "b.dcm"])  # type: ignore[arg-type]  # parametrised


def test_order_dicom__no_files() -> None:
    with pytest.raises(InvalidArguments, match="at least one"):
        order_dicom([], [])
