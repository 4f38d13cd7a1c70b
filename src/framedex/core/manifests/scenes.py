"""Scenes: one point-cloud file, or streams of several sensors (behaviour.md 1.10); checked as far as is sure.

The forms are those of the SDK's scene payloads: an address, `{url, format}`, one point-cloud stream, named streams, or
any of these as `content` beside settings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.manifests.fields import json_value, plain, url_problem
from framedex.core.manifests.problems import unknown_key
from framedex.core.metadata.offences import step_text
from framedex.core.metadata.raw import check_metadata

FORMATS = ("pcd", "ply", "las", "laz", "e57", "mcap", "bag", "db3")

_ROOT = "root"
_POSED = ("type", "events", "frame_of_reference", "reference_frame", "pose", "transform")
#: Type of a stream -> its keys.
_STREAMS: Mapping[str, tuple[str, ...]] = {
    "point_cloud": _POSED,
    "image": ("type", "camera", "events"),
    "camera_parameters": _POSED,
    "camera": _POSED,
    "frame_of_reference": ("type", "id", "parent_FoR_id", "parent", "parent_id", "events"),
    "time_series": ("type", "uri"),
    "model": _POSED,
}
_CONFIG = (
    "content",
    "default_ground_height",
    "default_ground",
    "view_settings",
    "layout",
    "world_convention",
    "world",
    "camera_convention",
    "camera",
)
_DIRECTIONS = {
    "right": (1, 0, 0),
    "left": (-1, 0, 0),
    "up": (0, 1, 0),
    "down": (0, -1, 0),
    "forward": (0, 0, -1),
    "backward": (0, 0, 1),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A checked scene: one file's `url`, or the exact `text` of anything more."""

    url: str | None
    text: str


def read_scene(span: msgspec.Raw, path: str) -> Scene:
    """The scene of a manifest's element.

    Raises:
        InvalidArguments: a form that is none of the above, a missing reference, an unknown key; with its path.
    """
    if bytes(memoryview(span)[:1]) == b'"':
        url = str(json_value(span, path))
        _check_file(url, None, path)
        return Scene(url, str(span, "utf-8"))
    text = check_metadata(span, path=path)
    scene = _parse(text)
    if set(scene) == {"url", "format"}:
        _check_file(scene["url"], scene["format"], path)
        return Scene(scene["url"], text)
    if scene.get("content") is not None:
        _check_config(scene, path)
        path += ".content"
    _check_content(_content(scene), path)
    return Scene(None, text)


def scene_urls(text: str) -> list[str]:
    """All addresses in a checked scene, in their order."""
    content = _content(_parse(text))
    if isinstance(content, str):
        return [content]
    if "url" in content and "format" in content:
        return [str(content["url"])]
    streams = {"": content} if content.get("type") == "point_cloud" else content
    return [url for stream in streams.values() for url in _stream_urls(stream)]


def _parse(text: str) -> dict[str, Any]:
    # Numbers of any size pass: what a scene holds is not ours to convert.
    parsed: dict[str, Any] = json.loads(text, parse_int=float)
    return parsed


def _content(scene: dict[str, Any]) -> Any:  # noqa: ANN401 - a string or an object of the scene
    content = scene.get("content")
    return scene if content is None else content


def _stream_urls(stream: object) -> Iterator[str]:
    if not isinstance(stream, dict):
        return
    if isinstance(stream.get("uri"), str):
        yield stream["uri"]
    events = stream.get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict):
            parts = [event, *(g for g in event.get("geometries") or () if isinstance(g, dict))]
            yield from (part[key] for part in parts for key in ("uri", "url") if isinstance(part.get(key), str))


def _check_file(url: object, form: object, path: str) -> None:
    if not isinstance(url, str):
        raise InvalidArguments("the url must be a string", path=path)
    problem = url_problem(url)
    if problem is not None:
        raise InvalidArguments(problem, path=path)
    extension = url.partition("?")[0].rpartition(".")[2].lower() if form is None else form
    if extension not in FORMATS:
        raise InvalidArguments(f"a scene file has one of the formats {', '.join(FORMATS)}", path=path)


def _check_config(scene: Mapping[str, Any], path: str) -> None:
    _refuse_unknown(scene, _CONFIG, path)
    found = {plain(key): value for key, value in scene.items()}
    world = _handedness(found.get("worldconvention", found.get("world")), f"{path}.world_convention")
    camera = _handedness(found.get("cameraconvention", found.get("camera")), f"{path}.camera_convention")
    if world != camera:
        raise InvalidArguments("world and camera convention differ in handedness", path=path)
    ground = found.get("defaultgroundheight", found.get("defaultground"))
    if ground is not None and not isinstance(ground, float):
        raise InvalidArguments("the ground height must be a number", path=path)


def _handedness(convention: object, path: str) -> bool:
    """Whether a convention is right-handed; so is the default (x forward, y left, z up)."""
    if convention is None:
        return True
    names = [convention.get(axis) for axis in "xyz"] if isinstance(convention, dict) else []
    if len(names) != 3 or not all(isinstance(n, str) and n in _DIRECTIONS for n in names):
        raise InvalidArguments(f"x, y and z must each be one of {', '.join(_DIRECTIONS)}", path=path)
    x, y, z = (_DIRECTIONS[str(name)] for name in names)
    cross = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    determinant = sum(c * component for c, component in zip(cross, z, strict=True))
    if determinant == 0:
        raise InvalidArguments("x, y and z must lie along three different axes", path=path)
    return determinant > 0


def _check_content(content: object, path: str) -> None:
    if isinstance(content, str):
        _check_file(content, None, path)
        return
    if not isinstance(content, dict):
        raise InvalidArguments("must be an address or an object", path=path)
    if "url" in content and "format" in content:
        _refuse_unknown(content, ("url", "format"), path)
        _check_file(content["url"], content["format"], path)
    elif content.get("type") == "point_cloud":
        _check_stream(content, path)
    else:
        _check_streams(content, path)


def _check_streams(streams: Mapping[str, object], path: str) -> None:
    checked = {name: _check_stream(stream, path + step_text(name)) for name, stream in streams.items()}
    kinds = {name: stream["type"] for name, stream in checked.items()}
    if not {"point_cloud", "image"} & set(kinds.values()):
        raise InvalidArguments("a scene has at least one stream of type point_cloud or image", path=path)
    cameras = {name for name, kind in kinds.items() if kind in ("camera_parameters", "camera")}
    frames = {stream.get("id") for stream in checked.values() if stream["type"] == "frame_of_reference"} | {_ROOT}
    for name, stream in checked.items():
        place = path + step_text(name)
        _check_reference(stream.get("camera"), cameras, "camera", place)
        for key in ("frameofreference", "referenceframe", "parentforid", "parent", "parentid"):
            _check_reference(stream.get(key), frames, "frame of reference", place)


def _check_reference(name: object, known: set[Any], what: str, path: str) -> None:
    if isinstance(name, str) and name not in known:
        raise InvalidArguments(f"there is no {what} {name[:80]!r} in this scene", path=path)


def _check_stream(stream: object, path: str) -> dict[str, Any]:
    """The members of a stream by plain key."""
    kind = stream.get("type") if isinstance(stream, dict) else None
    if not isinstance(stream, dict) or not isinstance(kind, str) or kind not in _STREAMS:
        raise InvalidArguments(f"a stream has one of the types {', '.join(_STREAMS)}", path=path)
    _refuse_unknown(stream, _STREAMS[kind], path)
    found = {plain(key): value for key, value in stream.items()}
    if kind == "time_series":
        _check_uri(found.get("uri"), f"{path}.uri")
        return found
    if kind == "frame_of_reference" and not isinstance(found.get("id"), str):
        raise InvalidArguments("a frame of reference has an id", path=path)
    events = found.get("events")
    if not isinstance(events, list):
        raise InvalidArguments("events must be a list", path=path)
    for index, event in enumerate(events):
        _check_event(event, has_uri=kind in ("point_cloud", "image"), path=f"{path}.events[{index}]")
    return found


def _check_event(event: object, *, has_uri: bool, path: str) -> None:
    if not isinstance(event, dict):
        raise InvalidArguments("must be an object", path=path)
    moment = event.get("timestamp", event.get("time"))
    if not isinstance(moment, float) or not 0 <= moment < math.inf:
        raise InvalidArguments("timestamp must be a number, 0 or more", path=path)
    if has_uri:
        _check_uri(event.get("uri"), f"{path}.uri")


def _check_uri(uri: object, path: str) -> None:
    problem = url_problem(uri) if isinstance(uri, str) else "must be an address"
    if problem is not None:
        raise InvalidArguments(problem, path=path)


def _refuse_unknown(found: Mapping[str, object], known: tuple[str, ...], path: str) -> None:
    allowed = {plain(key) for key in known}
    for key in found:
        if plain(key) not in allowed:
            raise unknown_key(key, known, path)
