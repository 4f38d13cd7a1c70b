from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from framedex.core.errors import InvalidArguments
from framedex.core.manifests import parse_manifest, scene_urls
from framedex.core.registration import ObjectRef, Unit

STREAMS: dict[str, Any] = {
    "ego": {
        "type": "frame_of_reference",
        "id": "ego",
        "parent_FoR_id": "root",
        "events": [{"timestamp": 0, "pose": []}],
    },
    "lidar": {
        "type": "point_cloud",
        "frameOfReference": "ego",
        "events": [{"timestamp": 0.5, "uri": "s3://b/0.pcd"}, {"timestamp": 1, "uri": "s3://b/1.pcd"}],
    },
    "cam": {"type": "camera_parameters", "frame_of_reference": "ego", "events": [{"timestamp": 0}]},
    "front": {"type": "image", "camera": "cam", "events": [{"timestamp": 0, "uri": "s3://b/0.jpg"}]},
    "imu": {"type": "time_series", "uri": "s3://b/imu.csv"},
}


def scene(value: object) -> Unit:
    document = {"scenes": [{"title": "s", "scene": value}]}
    (unit,) = parse_manifest(json.dumps(document).encode(), "external").units
    return unit


def refused(value: object) -> str:
    with pytest.raises(InvalidArguments) as caught:
        scene(value)
    return caught.value.message


@pytest.mark.parametrize("value", ["s3://b/a.PCD", {"url": "s3://b/a", "format": "las"}, "https://b/a.ply?x=1"])
def test_read_scene__one_file_is_an_object(value: Any) -> None:
    unit = scene(value)
    assert unit.objects == (ObjectRef(value if isinstance(value, str) else value["url"]),)
    assert unit.scene is None


def test_read_scene__streams_are_kept_as_text_with_their_addresses() -> None:
    unit = scene(STREAMS)
    assert unit.objects == ()
    assert unit.scene == json.dumps(STREAMS)
    assert scene_urls(unit.scene) == ["s3://b/0.pcd", "s3://b/1.pcd", "s3://b/0.jpg", "s3://b/imu.csv"]


def test_read_scene__content_beside_settings() -> None:
    right = {"x": "forward", "y": "left", "z": "up"}
    stream = {**STREAMS["lidar"], "frameOfReference": None}
    for content, urls in (("s3://b/a.pcd", ["s3://b/a.pcd"]), (stream, ["s3://b/0.pcd", "s3://b/1.pcd"])):
        text = scene({"content": content, "defaultGroundHeight": 1, "worldConvention": right}).scene
        assert text is not None
        assert scene_urls(text) == urls


def changed(name: str, **change: object) -> dict[str, Any]:
    streams = copy.deepcopy(STREAMS)
    streams[name] |= change
    return streams


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ("s3://b/a.mp4", "$.scenes[0].scene", "formats"),
        ({"url": "s3://b/a", "format": "mp4"}, "$.scenes[0].scene", "formats"),
        ({"imu": STREAMS["imu"]}, "$.scenes[0].scene", "at least one stream"),
        (changed("front", camera="none"), "$.scenes[0].scene.front", "no camera 'none'"),
        (changed("lidar", frameOfReference="none"), "$.scenes[0].scene.lidar", "no frame of reference"),
        (changed("lidar", colour=1), "$.scenes[0].scene.lidar.colour", "unknown key"),
        (changed("lidar", type="radar"), "$.scenes[0].scene.lidar", "types"),
        (changed("lidar", events=[{"timestamp": -1, "uri": "u"}]), "$.scenes[0].scene.lidar.events[0]", "timestamp"),
        (changed("lidar", events=[{"timestamp": 0}]), "$.scenes[0].scene.lidar.events[0].uri", "address"),
        (
            {"content": "u.pcd", "worldConvention": {"x": "right", "y": "left", "z": "up"}},
            "$.scenes[0].scene.world_convention",
            "different axes",
        ),
        (
            {"content": "u.pcd", "world_convention": {"x": "left", "y": "forward", "z": "up"}},
            "$.scenes[0].scene",
            "handedness",
        ),
        ({"content": "u.pcd", "colour": 1}, "$.scenes[0].scene.colour", "unknown key"),
        ([1], "$.scenes[0].scene", "object"),
    ],
)
def test_read_scene__refuses(value: object, path: str, reason: str) -> None:
    message = refused(value)
    assert message.startswith(path + ": ")
    assert reason in message


def test_read_scene__is_required() -> None:
    assert "scene is missing" in refused(None)


def test_default_convention__agrees_with_the_sdk_about_handedness() -> None:
    # The SDK's default, written out, must be as right-handed as no convention at all.
    default = {"x": "forward", "y": "left", "z": "up"}
    assert scene({"content": "u.pcd", "world": default}).scene is not None
