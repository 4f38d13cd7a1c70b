"""Pictures that carry a number, and what the `ffmpeg` program finds in a video of them.

| function | makes |
|---|---|
| `numbered(number, width, height)` | a grey picture with 12 upright bars: the bits of the number, highest first |
| `number_in(picture)` | the number again, whatever became of size, colours and quality |
| `video_of_numbers(path, ...)` | a video of numbered pictures 0, 1, 2, ... by the `ffmpeg` program |
| `numbers_by_ffmpeg(path)` | the number of each frame that the `ffmpeg` program decodes, in order |
| `times_by_ffprobe(path)` | the time in seconds of each of them |
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import require_tool

BITS = 12

Picture = np.ndarray[Any, np.dtype[np.uint8]]


def numbered(number: int, width: int = 96, height: int = 64) -> Picture:
    """Bars of light 220 and dark 30. The upper quarter is dark, so that a picture that stands on its head is told."""
    picture = np.full((height, width), 30, np.uint8)
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            picture[height // 4 :, width * bit // BITS : width * (bit + 1) // BITS] = 220
    return picture


def number_in(picture: Picture) -> int:
    """The number of a grey picture, by the middle of each bar."""
    height, width = picture.shape
    assert picture[: height // 8].mean() < 90, "it does not stand upright"
    number = 0
    for bit in range(BITS):
        left, right = width * bit / BITS, width * (bit + 1) / BITS
        third = (right - left) / 3
        middle = picture[
            height // 2 : height * 7 // 8, int(left + third) : max(int(left + third) + 1, int(right - third))
        ]
        number = number << 1 | int(middle.mean() > 125)
    return number


def video_of_numbers(
    path: Path, count: int, *options: str, width: int = 96, height: int = 64, fps: str = "25", sound: bool = False
) -> bytes:
    """A video of `count` numbered pictures; `options` go before the name of the output. Also writes it to `path`."""
    command = [
        require_tool("ffmpeg"), "-v", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", fps, "-i", "-",
        *(["-f", "lavfi", "-i", "sine=r=44100", "-shortest"] if sound else []),
        *options, str(path),
    ]  # fmt: skip
    pixels = b"".join(numbered(number, width, height).tobytes() for number in range(count))
    subprocess.run(command, input=pixels, check=True)  # our own arguments
    return path.read_bytes()


def numbers_by_ffmpeg(path: Path) -> list[int]:
    """Frames as the program decodes them, none repeated or left out for the sake of a rate."""
    width, height = _size(path)
    command = [
        require_tool("ffmpeg"), "-v", "error", "-i", str(path),
        "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-",
    ]  # fmt: skip
    data = subprocess.run(command, check=True, capture_output=True).stdout  # our own arguments
    frames = np.frombuffer(data, np.uint8).reshape(-1, height, width)
    return [number_in(frame) for frame in frames]


def times_by_ffprobe(path: Path) -> list[float]:
    found = probed(path, "-show_entries", "frame=pts_time", "-select_streams", "v:0")["frames"]
    return [float(frame["pts_time"]) for frame in found]


def probed(path: Path, *options: str) -> dict[str, Any]:
    """What `ffprobe` says, as JSON."""
    command = [require_tool("ffprobe"), "-v", "error", *options, "-of", "json", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _size(path: Path) -> Sequence[int]:
    """As shown: the program turns frames by the display rotation."""
    stream = probed(path, "-show_streams", "-select_streams", "v:0")["streams"][0]
    turns = [data.get("rotation", 0) for data in stream.get("side_data_list", [])]
    size = [int(stream["width"]), int(stream["height"])]
    return size[::-1] if any(turn % 180 for turn in turns) else size
