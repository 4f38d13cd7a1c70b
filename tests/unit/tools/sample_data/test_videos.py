from __future__ import annotations

import io

import av
import numpy as np
import pytest

from tools.sample_data.plan import misfits
from tools.sample_data.videos import Frame, decode, drop_frames, encord_block, noted_frames, repack


def a_video(frames: int = 30) -> bytes:
    """Grey for 20 frames, then white; 25 frames a second."""
    into = io.BytesIO()
    with av.open(into, "w", "mp4") as target:
        stream = target.add_stream("libx264", rate=25, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            level = 60 if number < 20 else 250
            picture = np.full((48, 64, 3), level, dtype=np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        target.mux(stream.encode(None))
    return into.getvalue()


def some_frames(levels: list[int], fps: float = 10) -> list[Frame]:
    return [Frame(n, n / fps, np.full((8, 8, 3), level, dtype=np.uint8)) for n, level in enumerate(levels)]


def test_noted_frames__start_cut_and_one_every_two_seconds() -> None:
    noted = noted_frames(some_frames([0] * 15 + [200] * 30))
    assert {index: facts["event"] for index, facts in noted.items()} == {0: "start", 15: "cut", 35: "sample"}
    assert noted[15]["motion"] == pytest.approx(200 / 255, abs=1e-3)
    assert [problem for facts in noted.values() for problem in misfits(facts)] == []


@pytest.mark.parametrize(("mode", "keys"), [("frame", ["0", "15"]), ("seconds", ["0", "1.5"])])
def test_encord_block__keys_lie_inside_the_video(mode: str, keys: list[str]) -> None:
    frames = some_frames([0] * 15 + [200] * 5)
    block = encord_block(noted_frames(frames), frames, mode=mode, sampling_rate=0)
    assert block["config"] == {"sampling_rate": 0, "keyframe_mode": mode}
    assert list(block["frames"]) == keys
    last = frames[-1].index if mode == "frame" else frames[-1].time
    assert all(0 <= float(key) <= last for key in block["frames"])


def test_drop_frames__times_stay_and_are_irregular() -> None:
    frames = decode(drop_frames(a_video()))
    kept = [n for n in range(30) if n % 10 in (0, 1, 2, 4, 9)]
    assert [round(frame.time * 25) for frame in frames] == kept
    assert [frame.index for frame in frames] == list(range(15))


def test_drop_frames__same_bytes_each_time() -> None:
    source = a_video()
    assert drop_frames(source) == drop_frames(source)


@pytest.mark.parametrize("container", ["matroska", "mov"])
def test_repack__same_frames_in_another_container(container: str) -> None:
    source = a_video()
    packed = repack(source, container)
    assert packed == repack(source, container)
    before, after = decode(source), decode(packed)
    assert [round(f.time, 2) for f in before] == [round(f.time, 2) for f in after]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(before, after, strict=True))
