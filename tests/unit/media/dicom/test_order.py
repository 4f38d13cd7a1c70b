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
    clock: float | None = None,
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
        dicom_tags=tags, extra={} if clock is None else {"moments": {"clock_s": clock}},
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
    files = [_file(1, number=3), _file(2, number=1, clock=43202.0), _file(3, number=1, clock=43201.0)]
    extra = _order(files)
    assert extra["order"] == [2, 1, 0]
    assert _stacks(extra)[0]["sorted_by"] == "instance_number"
    assert _order([_file(1, clock=2.0), _file(2, clock=1.0)])["order"] == [1, 0]
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


def _four_dimensional(times: int, kind: str, *, lost: int | None = None) -> list[MediaFacts]:
    """Five places, each at several times, in an order of files that says nothing; `lost` is left out."""
    pairs = [(place, time) for time in range(times) for place in range(5)]
    random.Random(7).shuffle(pairs)
    files = []
    for number, (place, time) in enumerate(pairs):
        moments = {kind: 100.0 * time + (place if kind == "clock_s" else 0)}
        file = _file(10 * place + time, (0, 0, 2.0 * place), number=1 + 5 * time + place)
        files.append(replace(file, extra={"moments": moments, "known": (place, time)}))
        if number == lost:
            files.pop()
    return files


@pytest.mark.parametrize("kind", ["temporal", "trigger_ms", "clock_s"])
def test_order_dicom__several_times_at_each_place_are_volumes(kind: str) -> None:
    files = _four_dimensional(3, kind)
    (stack,) = _stacks(_order(files))
    assert (stack["time_points"], stack["time_points_by"], stack["duplicates"]) == (3, kind, [])
    assert (stack["spacing"], stack["is_evenly_spaced"], stack["gaps"]) == (2.0, True, [])
    volumes = stack["volumes"]
    assert isinstance(volumes, list)
    known = [[files[file].extra["known"] for file, _, _ in volume] for volume in volumes]
    assert known == [[(place, time) for place in range(5)] for time in range(3)]
    positions = stack["positions"]
    assert isinstance(positions, list)
    assert [files[i].extra["known"] for i in positions] == [(p, t) for p in range(5) for t in range(3)]


def test_order_dicom__a_time_that_is_missing_somewhere_is_flagged() -> None:
    files = _four_dimensional(3, "temporal", lost=4)
    (stack,) = _stacks(_order(files))
    assert (stack["time_points"], stack["volumes"]) == (3, [])
    missing = stack["missing_time_points"]
    assert isinstance(missing, list)
    assert len(missing) == 1


def test_order_dicom__one_repeated_slice_is_no_second_time() -> None:
    """Each slice of a volume has a time of its own; that alone makes no time points."""
    files = [_file(i, (0, 0, float(i)), number=i, clock=float(i)) for i in range(5)]
    files.append(_file(99, (0, 0, 2.0), number=9, clock=77.0))
    (stack,) = _stacks(_order(files))
    assert (stack["time_points"], stack["duplicates"]) == (1, [[2, 5]])


def test_order_dicom__slices_without_times_at_one_place_are_duplicates() -> None:
    files = [_file(i, (0, 0, float(i % 3)), number=i) for i in range(6)]
    (stack,) = _stacks(_order(files))
    assert (stack["time_points"], stack["duplicates"]) == (1, [[0, 3], [1, 4], [2, 5]])


def test_order_dicom__positions_that_differ_by_rounding_are_one_place() -> None:
    heights = (0.0, 1.9996, 2.0004, 4.0)
    (stack,) = _stacks(_order([_file(i, (0, 0, z), number=9 - i) for i, z in enumerate(heights)]))
    assert stack["duplicates"] == [[2, 1]]
    assert stack["positions"] == [0, 2, 1, 3]


def test_order_dicom__directions_that_differ_by_rounding_do_not_move_slices() -> None:
    """Half a metre from the origin, four decimals of a direction are worth a fifth of a millimetre."""
    files = [_file(i, (-500, 0, 0.5 * i), (1, 0, (-1) ** i * 0.0004, 0, 1, 0)) for i in range(8)]
    (stack,) = _stacks(_order(files))
    assert stack["positions"] == list(range(8))
    assert stack["is_evenly_spaced"] is True


@pytest.mark.parametrize(
    ("position", "orientation"),
    [
        ((0, 0, 1e300), AXIAL),
        ((0, 0, 1), (1, 0, 0, 1, 0, 0)),
        ((0, 0, 1), (0, 0, 0, 0, 0, 0)),
        ((0, 0, 1), (1e200,) * 6),
    ],
)
def test_order_dicom__junk_places_are_none(
    position: tuple[float, float, float], orientation: tuple[float, ...]
) -> None:
    files = [_file(1, (0, 0, 0), orientation, number=2), _file(2, position, orientation, number=1)]
    (stack,) = _stacks(_order(files))
    assert (stack["sorted_by"], stack["positions"]) == ("instance_number", [1, 0])
    assert "spacing" not in stack


def _enhanced(uid: int, places: list[tuple[float, ...] | None], **more: object) -> MediaFacts:
    frames = [
        {"00209113": {"vr": "SQ", "Value": [{"00200032": {"vr": "DS", "Value": list(place)}}]} if place else None}
        for place in places
    ]
    tags = {**(_file(uid).dicom_tags or {}), "52009230": {"vr": "SQ", "Value": frames}}
    return replace(_file(uid), dicom_tags=tags, frame_count=len(places), **more)  # type: ignore[arg-type]  # facts


def test_order_dicom__frames_of_two_files_are_one_stack() -> None:
    files = [_enhanced(1, [(0, 0, 3.0), (0, 0, 2.0), (0, 0, 1.0)]), _enhanced(2, [(0, 0, 0.0), (0, 0, 4.0)])]
    extra = _order(files)
    (stack,) = _stacks(extra)
    assert stack["frames"] == [(1, 0, 1), (0, 2, 1), (0, 1, 1), (0, 0, 1), (1, 1, 1)]
    assert (stack["positions"], extra["order"], stack["is_evenly_spaced"]) == ([1, 0], [1, 0], True)


def test_order_dicom__frames_at_times_of_one_file() -> None:
    places: list[tuple[float, ...] | None] = [(0, 0, float(z)) for _ in range(2) for z in range(3)]
    moments = [{"temporal": float(t)} for t in range(2) for _ in range(3)]
    (stack,) = _stacks(_order([_enhanced(1, places, extra={"frame_moments": moments})]))
    assert (stack["time_points"], stack["volumes"]) == (2, [[(0, 0, 3)], [(0, 3, 3)]])


def test_order_dicom__frames_without_places_stay_one_run() -> None:
    """A file may say that it has a billion frames: they are not written out."""
    files = [replace(_file(1, number=2), frame_count=10**9), replace(_file(2, number=1), frame_count=5)]
    facts = order_dicom(files, ["a", "b"])
    (stack,) = _stacks(facts.extra)
    assert stack["frames"] == [(1, 0, 5), (0, 0, 10**9)]
    assert facts.frame_count == 10**9 + 5


@pytest.mark.parametrize("name", ["dicom_study_uid", "dicom_series_uid", "dicom_instance_uid"])
def test_order_dicom__a_uid_is_at_most_64_characters(name: str) -> None:
    assert _order([replace(_file(1), **{name: "1" * 64})])  # type: ignore[arg-type]  # parametrised
    with pytest.raises(InvalidArguments, match="must have 1 to 64 characters, it has 65"):
        _order([replace(_file(1), **{name: "1" * 65})])  # type: ignore[arg-type]  # parametrised


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
