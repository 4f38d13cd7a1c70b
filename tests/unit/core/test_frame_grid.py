from __future__ import annotations

import pytest

from framedex.core.frame_grid import GridFrame, every_frame, sampled
from framedex.core.frames import FrameTable
from framedex.core.metadata.encord_block import parse_frame_block

#: 10 seconds at 25 frames a second.
TABLE = FrameTable.supplied(25.0, 250)
IN_SECONDS = '{"$encord": {"config": {"sampling_rate": 0, "keyframe_mode": "seconds"}, "frames": {"1.5": {}}}}'


def numbers(frames: list[GridFrame]) -> list[int]:
    return [frame.number for frame in frames]


def test_sampled__one_a_second_by_default() -> None:
    frames = sampled(TABLE, None)
    assert numbers(frames) == [0, 25, 50, 75, 100, 125, 150, 175, 200, 225]
    assert [frame.time for frame in frames] == [float(second) for second in range(10)]
    assert not any(frame.is_named for frame in frames)


@pytest.mark.parametrize(
    ("metadata", "expected", "named"),
    [
        ('{"$encord": {"config": {"sampling_rate": 0}}}', [0], []),
        ('{"$encord": {"config": {"sampling_rate": 0}, "frames": {"150": {}, "7": {}}}}', [0, 7, 150], [7, 150]),
        ('{"$encord": {"config": {"sampling_rate": 0.5}}}', [0, 50, 100, 150, 200], []),
        (IN_SECONDS, [0, 37], [37]),
        ('{"keyframes": [0, 3]}', [0, 3, 25, 50, 75, 100, 125, 150, 175, 200, 225], [0, 3]),
        ('{"$encord": {"config": {"sampling_rate": 0}, "frames": {"250": {}, "x": {}}}}', [0], []),
    ],
)  # fmt: skip
def test_sampled__the_grid_and_what_metadata_names(metadata: str, expected: list[int], named: list[int]) -> None:
    block = parse_frame_block(metadata, frame_count=len(TABLE), duration_s=10.0)
    frames = sampled(TABLE, block)
    assert numbers(frames) == expected
    assert [frame.number for frame in frames if frame.is_named] == named


def test_sampled__two_spellings_of_a_frame_are_one() -> None:
    block = parse_frame_block('{"$encord": {"config": {"sampling_rate": 0}, "frames": {"7": {}, "7.0": {}}}}')
    (first, seventh) = sampled(TABLE, block)
    assert (first.keys, seventh.keys) == ([], ["7", "7.0"])


def test_sampled__of_no_frames_is_nothing() -> None:
    assert sampled(FrameTable.supplied(25.0, 0), None) == []


def test_every_frame__has_times_only_where_there_is_a_rate() -> None:
    assert [frame.time for frame in every_frame(3, None)] == [None] * 3
    assert [frame.time for frame in every_frame(3, None, fps=2.0)] == [0.0, 0.5, 1.0]
