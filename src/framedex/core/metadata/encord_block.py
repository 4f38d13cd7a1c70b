"""Frames named in metadata: the `$encord` block and the older `keyframes` (behaviour.md section 2).

`{"$encord": {"config": {"sampling_rate": 0, "keyframe_mode": "frame"}, "frames": {"150": {"event": "turn"}}}}`, and
`{"keyframes": [0, 150]}` or `{"keyframes": {"150": {…}}}`, at the top level or inside `$encord`, with any separator
between the two words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from framedex.core.errors import InvalidArguments
from framedex.core.metadata.raw import JsonBytes, check_metadata, child_path, member_spans

#: The reserved key of frames and their settings.
ENCORD_KEY = "$encord"

#: Samples per second where the block names none.
DEFAULT_SAMPLING_RATE = 1.0

_KEYFRAMES = re.compile(r"[-_ .]*key[-_ .]*frames[-_ .]*")
#: Everything that spells a frames key is ASCII, which only a strange writer escapes.
_ESCAPED_ASCII = re.compile(r"\\u00[2-7]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_raw_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any_value = msgspec.json.Decoder(Any).decode
_SAMPLE_LENGTH = 100


class KeyframeMode(StrEnum):
    """How the keys of `frames` are read."""

    FRAME = "frame"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class FrameProblem:
    """A frame key that is kept but names no frame. `key` is as sent."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """What metadata says about frames.

    Attributes:
        sampling_rate: samples per second; 0 means the first frame and keyframes alone.
        keyframe_mode: whether keys are frame numbers or seconds.
        frames: key as sent -> exact JSON text of the frame's object, in the order of the text.
        problems: keys of `frames` that name no frame.
    """

    sampling_rate: float = DEFAULT_SAMPLING_RATE
    keyframe_mode: KeyframeMode = KeyframeMode.FRAME
    frames: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[FrameProblem, ...] = ()

    def positions(self) -> dict[str, float]:
        """Frame number or seconds of each key that names a frame."""
        bad = {problem.key for problem in self.problems}
        return {key: float(key) for key in self.frames if key not in bad}


def may_have_frames(text: str) -> bool:
    """A cheap test that is never wrongly False; plain metadata then needs no parsing."""
    if ENCORD_KEY in text or "frames" in text:
        return True
    return "\\u" in text and _ESCAPED_ASCII.search(text) is not None


def is_frames_key(key: str) -> bool:
    """Whether a top-level key speaks of frames, and so is no metadata key."""
    return key == ENCORD_KEY or _KEYFRAMES.fullmatch(key) is not None


def check_client_metadata(raw: JsonBytes | str, *, path: str = "$") -> str:
    """The exact text of what a caller wants to keep as metadata: every way in goes through here.

    Args:
        raw: the object as sent.
        path: where it stands in the request, for messages.

    Raises:
        InvalidArguments: as `check_metadata` and `parse_frame_block`, with the path of what is wrong.
    """
    text = check_metadata(raw, path=path)
    parse_frame_block(text, path=path)
    return text


def parse_frame_block(
    text: str, *, frame_count: int | None = None, duration_s: float | None = None, path: str = "$"
) -> FrameBlock | None:
    """The frame block of checked metadata; None when it names no frames and no settings.

    Args:
        text: the whole metadata of the item.
        frame_count: frames of the video, if known: keys outside become problems.
        duration_s: its duration in seconds, if known: used in the mode `seconds`.
        path: where the metadata stands in the request, for messages.

    Raises:
        InvalidArguments: a container of the wrong type, or a setting that is not allowed, with its path.
    """
    if not may_have_frames(text):
        return None
    members = member_spans(text)
    if not any(is_frames_key(key) for key in members):
        return None
    block = _object(members.get(ENCORD_KEY, "null"), child_path(path, ENCORD_KEY))
    block_path = child_path(path, ENCORD_KEY)
    config_path = child_path(block_path, "config")
    config = _object(block.get("config", "null"), config_path)
    mode = _mode(config, config_path)
    frames = dict(_frame_members(block.get("frames", "null"), child_path(block_path, "frames")))
    for container, place in ((block, block_path), (members, path)):
        for key, raw in container.items():
            if key != ENCORD_KEY and is_frames_key(key):
                for frame, value in _keyframes(raw, child_path(place, key)):
                    frames.setdefault(frame, value)
    limit = float(frame_count) if mode is KeyframeMode.FRAME and frame_count is not None else None
    if mode is KeyframeMode.SECONDS:
        limit = duration_s
    problems = ((key, frame_problem(key, mode, limit)) for key in frames)
    found = tuple(FrameProblem(key, reason) for key, reason in problems if reason is not None)
    return FrameBlock(_sampling_rate(config, config_path), mode, frames, found)


def frame_problem(key: str, mode: KeyframeMode, limit: float | None) -> str | None:
    """Why `key` names no frame of a video with `limit` frames (or seconds), or None when it does."""
    if not _NUMBER.fullmatch(key) or not math.isfinite(float(key)):
        return "the frame key is not a number"
    number = float(key)
    if number < 0:
        return "the frame key is negative"
    if mode is KeyframeMode.FRAME:
        if not number.is_integer():
            return "the frame key is not a whole number"
        if limit is not None and number >= limit:
            return f"the video has {int(limit)} frames"
    elif limit is not None and number > limit:
        return f"the video ends at {limit:g} s"
    return None


def _object(raw: str, path: str) -> dict[str, str]:
    if raw == "null":
        return {}
    if not raw.startswith("{"):
        raise InvalidArguments("must be an object", path=path)
    return member_spans(raw)


def _mode(config: Mapping[str, str], path: str) -> KeyframeMode:
    raw = config.get("keyframe_mode", "null")
    if raw == "null":
        return KeyframeMode.FRAME
    try:
        return KeyframeMode(str(_any_value(raw)))
    except ValueError:
        raise InvalidArguments('must be "frame" or "seconds"', path=child_path(path, "keyframe_mode")) from None


def _sampling_rate(config: Mapping[str, str], path: str) -> float:
    raw = config.get("sampling_rate", "null")
    if raw == "null":
        return DEFAULT_SAMPLING_RATE
    value = float(raw) if _NUMBER.fullmatch(raw) else -1.0
    if not 0 <= value < math.inf:
        raise InvalidArguments(
            "must be a number of samples per second, 0 or more (without quotes)",
            path=child_path(path, "sampling_rate"),
        )
    return value


def _frame_members(raw: str, path: str) -> Iterator[tuple[str, str]]:
    for key, value in _object(raw, path).items():
        if value != "null" and not value.startswith("{"):
            raise InvalidArguments("what is known of a frame must be an object", path=child_path(path, key))
        yield key, "{}" if value == "null" else value


def _keyframes(raw: str, path: str) -> Iterator[tuple[str, str]]:
    """Frames of the older forms: a list of numbers, or an object as in `$encord.frames`."""
    if not raw.startswith("["):
        if raw != "null" and not raw.startswith("{"):
            raise InvalidArguments("must be a list of frames or an object", path=path)
        yield from _frame_members(raw, path)
        return
    for element in _raw_list(raw):
        text = str(element, "utf-8")
        # A string names the frame that it spells; anything else is kept as it is written, and quarantined.
        yield (str(_any_value(element)) if text.startswith('"') else text)[:_SAMPLE_LENGTH], "{}"
