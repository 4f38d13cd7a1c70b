"""Witness: PyAV decoding the whole file in order, never seeking. Real files by FFmpeg's own hashes: `tests/medium`."""

from __future__ import annotations

import functools
import hashlib
import io
import random
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from tests.builders import media_files
from tests.unit.media.picturing import Picture, picture, pictures

_TIMES = [0, 40, 45, 180, 181, 400, 777, 800, 2000, 2001, 2002, 2500, 2540, 2580, 2620, 2660, 2700, 2740, 2780, 2900]
FILES = {
    "mp4": media_files.video("mp4", frames=40),
    "mov": media_files.video("mov", frames=40),
    "matroska": media_files.video("matroska", frames=40),
    "mpegts": media_files.video("mpegts", frames=60),
    "vfr mp4": media_files.video("mp4", times_ms=_TIMES),
    "vfr mkv": media_files.video("matroska", times_ms=_TIMES),
    "edit list": media_files.video_cut_by_edit_list(40, hidden=15),
    "interlaced ts": media_files.video("mpegts", frames=40, interlaced=True),
    "odd size": media_files.video("mp4", frames=14, width=62, height=46),
}


@functools.cache
def _decoded(data: bytes) -> list[tuple[int, str, NDArray[Any]]]:
    """Time, hash and picture of every frame in the order of their times."""
    found = []
    with av.open(io.BytesIO(data), "r") as media:
        for frame in media.decode(video=0):
            assert frame.pts is not None
            planes = frame.to_ndarray()  # yuv420p without padding
            found.append((frame.pts, hashlib.sha256(planes.tobytes()).hexdigest(), frame.to_ndarray(format="rgb24")))
    return sorted(found, key=lambda row: row[0])


def _keys(data: bytes, times: list[int]) -> list[list[int]]:
    keys = _key_times(data)
    return [[index, time] for index, time in enumerate(times) if time in keys]


@functools.cache
def _key_times(data: bytes) -> frozenset[int]:
    with av.open(io.BytesIO(data), "r") as media:
        packets = [p for p in media.demux(video=0) if p.is_keyframe and p.size and not p.is_discard]
    return frozenset(p.pts for p in packets if p.pts is not None)


def _asked(data: bytes, indices: list[int], **more: Any) -> list[Picture]:
    times = [time for time, _, _ in _decoded(data)]
    frames = [[index, times[index], 0] for index in indices]
    return pictures(ItemType.VIDEO, data, frames=frames, keys=_keys(data, times), **more)


@pytest.mark.parametrize("name", FILES)
def test_make__every_frame_alone_is_what_a_whole_decode_has(name: str) -> None:
    data = FILES[name]
    truth = _decoded(data)
    order = list(range(len(truth)))
    random.Random(1).shuffle(order)
    for index in order:
        (found,) = _asked(data, [index], format=None)
        assert (found.facts["frame"], found.facts["pts"], found.facts["sha256"]) == (index, *truth[index][:2])


@pytest.mark.parametrize("name", FILES)
def test_make__many_frames_in_one_call_in_any_order(name: str) -> None:
    data = FILES[name]
    truth = _decoded(data)
    indices = random.Random(2).sample(range(len(truth)), 12)
    found = _asked(data, indices, format="png")
    assert [f.facts["sha256"] for f in found] == [truth[i][1] for i in indices]
    for picture_, index in zip(found, indices, strict=True):
        assert np.abs(picture_.pixels.astype(int) - truth[index][2]).mean() < 3


def test_make__rotation_turns_the_picture_and_not_the_hash() -> None:
    data, plain = media_files.video(rotation=90, frames=6), media_files.video(frames=6)
    (turned,) = _asked(data, [3], width=24)
    (upright,) = _asked(plain, [3])
    assert turned.facts["sha256"] == upright.facts["sha256"]
    assert (turned.facts["width"], turned.facts["height"], turned.facts["rotation"]) == (64, 48, 90)
    assert (turned.facts["shown_width"], turned.facts["shown_height"]) == (24, 32)
    # the builder's bar is on the left; counter-clockwise it comes to the bottom
    (whole,) = _asked(data, [3])
    assert np.abs(np.rot90(upright.pixels).astype(int) - whole.pixels).mean() < 2


def test_make__never_a_neighbour() -> None:
    data = FILES["mp4"]
    times = [time for time, _, _ in _decoded(data)]
    with pytest.raises(InvalidArguments, match=r"frame 7 .presentation time \d+. cannot be decoded"):
        pictures(ItemType.VIDEO, data, frames=[[7, times[7] + 1, 0]], keys=_keys(data, times))
    with pytest.raises(InvalidArguments, match="cannot be decoded"):
        pictures(ItemType.VIDEO, data, frames=[[7, times[7], 1]], keys=_keys(data, times))


def test_make__a_table_with_wrong_keys_costs_time_and_not_truth() -> None:
    data = FILES["mp4"]
    truth = _decoded(data)
    times = [time for time, _, _ in truth]
    for keys in ([], [[0, times[0]], [20, times[20]], [21, times[21]]]):
        found = pictures(ItemType.VIDEO, data, frames=[[22, times[22], 0]], keys=keys, format=None)
        assert found[0].facts["sha256"] == truth[22][1]


def test_make__counted_frames_need_no_times() -> None:
    data = FILES["matroska"]
    truth = _decoded(data)
    frames = [[index, -index, 0] for index in (0, 17, 39)]
    found = pictures(ItemType.VIDEO, data, frames=frames, keys=[], is_counted=True, format=None)
    assert [f.facts["sha256"] for f in found] == [truth[i][1] for i in (0, 17, 39)]
    with pytest.raises(InvalidArguments, match="frame 40 cannot be decoded: the video ends before it"):
        pictures(ItemType.VIDEO, data, frames=[[40, 0, 0]], keys=[], is_counted=True)


@pytest.mark.parametrize("name", FILES)
def test_make__by_time_without_a_table(name: str) -> None:
    data = FILES[name]
    truth = _decoded(data)
    with av.open(io.BytesIO(data), "r") as media:
        base = float(media.streams.video[0].time_base or 0)
    times = [(pts - truth[0][0]) * base for pts, _, _ in truth]
    for index, time in enumerate(times):
        following = times[index + 1] if index + 1 < len(times) else time + 1
        for moment in (time, (time + following) / 2):
            found = picture(ItemType.VIDEO, data, at=moment, format=None)
            assert (found.facts["frame"], found.facts["pts"], found.facts["sha256"]) == (None, *truth[index][:2])


def test_make__too_large_names_the_limit_and_its_setting() -> None:
    with pytest.raises(InvalidArguments, match=r"64 x 48 pixels; at most 1000 .*FRAMEDEX_MEDIA_DECODED_PIXELS"):
        picture(ItemType.VIDEO, FILES["mp4"], Limits(decoded_pixels=1000), frames=[[0, 0, 0]], keys=[])


def test_make__no_video() -> None:
    with pytest.raises(InvalidArguments, match="no video any more"):
        picture(ItemType.VIDEO, media_files.png(), frames=[[0, 0, 0]], keys=[])
