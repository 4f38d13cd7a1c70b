from __future__ import annotations

import json

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.encord_block import (
    FrameBlock,
    FrameProblem,
    KeyframeMode,
    check_client_metadata,
    is_frames_key,
    may_have_frames,
    parse_frame_block,
)


def block(value: object, frame_count: int | None = None, duration_s: float | None = None) -> FrameBlock:
    found = parse_frame_block(json.dumps(value), frame_count=frame_count, duration_s=duration_s)
    assert found is not None
    return found


def test_parse_frame_block__reads_the_documented_form() -> None:
    config = '{"sampling_rate":0,"keyframe_mode":"seconds"}'
    frames = '{"1.5":{"v": 1.10},"0":{}}'
    text = f'{{"site":1,"$encord":{{"config":{config},"frames":{frames}}}}}'
    found = parse_frame_block(text)
    assert found == FrameBlock(0.0, KeyframeMode.SECONDS, {"1.5": '{"v": 1.10}', "0": "{}"})
    assert found.positions() == {"1.5": 1.5, "0": 0.0}


@pytest.mark.parametrize("text", ["{}", '{"a":1}', '{"my_frames_seen":3}', '{"a":{"$encord":{}}}'])
def test_parse_frame_block__plain_metadata_has_none(text: str) -> None:
    assert parse_frame_block(text) is None


@pytest.mark.parametrize("key", ["keyframes", "key_frames", "key-frames", "key frames", "key.frames"])
def test_parse_frame_block__takes_older_forms_at_both_places(key: str) -> None:
    assert block({key: [0, 150, "12"]}).frames == {"0": "{}", "150": "{}", "12": "{}"}
    assert block({"$encord": {key: {"7": {"a": 1}}, "frames": {"7": {"b": 1}, "8": {}}}}).frames == {
        "7": '{"b": 1}',
        "8": "{}",
    }


def test_parse_frame_block__keys_that_name_no_frame_are_problems() -> None:
    found = block({"$encord": {"frames": {"x": {}, "-1": {}, "1.5": {}, "9": {}, "10": {}, "3.0": {}, "nan": {}}}}, 10)
    assert found.problems == (
        FrameProblem("x", "the frame key is not a number"),
        FrameProblem("-1", "the frame key is negative"),
        FrameProblem("1.5", "the frame key is not a whole number"),
        FrameProblem("10", "the video has 10 frames"),
        FrameProblem("nan", "the frame key is not a number"),
    )
    assert found.positions() == {"9": 9.0, "3.0": 3.0}


def test_parse_frame_block__list_elements_that_are_no_numbers_are_problems() -> None:
    assert [p.key for p in block({"keyframes": [1, {"frame": 2}, None, True]}).problems] == [
        '{"frame": 2}',
        "null",
        "true",
    ]


def test_parse_frame_block__seconds_end_with_the_video() -> None:
    config = {"keyframe_mode": "seconds"}
    found = block({"$encord": {"config": config, "frames": {"2.5": {}, "2.6": {}}}}, 5, 2.5)
    assert found.problems == (FrameProblem("2.6", "the video ends at 2.5 s"),)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"$encord": []}, "$.$encord"),
        ({"$encord": {"frames": [1]}}, "$.$encord.frames"),
        ({"$encord": {"frames": {"1": 2}}}, '$.$encord.frames["1"]'),
        ({"$encord": {"config": 1}}, "$.$encord.config"),
        ({"$encord": {"config": {"sampling_rate": "1"}}}, "$.$encord.config.sampling_rate"),
        ({"$encord": {"config": {"sampling_rate": -1}}}, "$.$encord.config.sampling_rate"),
        ({"$encord": {"config": {"keyframe_mode": "second"}}}, "$.$encord.config.keyframe_mode"),
        ({"key frames": "all"}, '$["key frames"]'),
        ({"$encord": {"keyframes": 3}}, "$.$encord.keyframes"),
    ],
)
def test_parse_frame_block__refuses_wrong_containers_with_their_path(value: object, path: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        block(value)
    assert caught.value.path == path


def test_may_have_frames__sees_through_escapes() -> None:
    text = '{"\\u0024encord":{"frames":{"1":{}}}}'
    assert may_have_frames(text)
    found = parse_frame_block(text)
    assert found is not None
    assert found.frames == {"1": "{}"}
    assert not may_have_frames('{"weather":"rain"}')


def test_is_frames_key__is_case_sensitive_as_the_sdk() -> None:
    assert not is_frames_key("KeyFrames")
    assert is_frames_key("$encord")


def test_check_client_metadata__exact_text_or_the_path_in_the_request() -> None:
    text = '{ "big": 1e400, "$encord": {"frames": {"0": {}}} }'
    assert check_client_metadata(text.encode()) == text
    with pytest.raises(InvalidArguments, match=r"^\$\.images\[2\]\.clientMetadata\.\$encord\.frames: "):
        check_client_metadata('{"$encord": {"frames": 1}}', path="$.images[2].clientMetadata")
    with pytest.raises(InvalidArguments, match=r"^\$: must be a JSON object"):
        check_client_metadata("[]")


@pytest.mark.parametrize("text", ['{"\\u0024encord":1}', '{"key\\u0066rames":1}', '{"$\\u0065ncord":1}'])
def test_may_have_frames__however_it_is_escaped(text: str) -> None:
    assert may_have_frames(text)


def test_may_have_frames__escapes_of_other_letters_are_no_reason() -> None:
    assert not may_have_frames('{"\\u00e9\\u65e5":"\\ud83d\\ude00"}')
