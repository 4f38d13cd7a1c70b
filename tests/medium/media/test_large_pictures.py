"""Frames of 8K fit into the limits of a reader, as the defaults are."""

from __future__ import annotations

import io
import threading
from fractions import Fraction
from typing import Any, Self

import av
import numpy as np
import psutil
import pytest
from av.video.frame import VideoFrame

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders.media_files import Held

_WIDTH, _HEIGHT = 7680, 4320
#: Of the server and all its processes, in bytes (issue 4).
_MOST = 1_500_000_000


def _filmed() -> bytes:
    rows = (np.add.outer(np.arange(_HEIGHT), np.arange(_WIDTH)) // 16 % 256).astype(np.uint8)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as media:
        stream = media.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast", "bf": "2"}
        for index in range(4):
            frame = VideoFrame.from_ndarray(np.roll(rows, index * 8, 1), format="gray")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return out.getvalue()


class _Watch:
    """The most memory that processes of ours had while it ran."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, sum(_memory(p) for p in psutil.Process().children(recursive=True)))


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@pytest.mark.slow
def test_make__a_frame_of_8k_in_each_format() -> None:
    source = Held(_filmed())
    asked = {"frames": [[3, 3 * 512, 0]], "keys": [[0, 0]], "width": None}
    prober = ProcessProber(workers=1)
    try:
        with _Watch() as watch:
            for form in (None, "jpeg", "png", "webp"):
                made = prober.make(
                    "picture", ItemType.VIDEO, [source], asked={**asked, "format": form}, max_bytes=1 << 28
                )
                pictures: Any = made.facts["pictures"]
                assert (pictures[0]["width"], pictures[0]["height"]) == (_WIDTH, _HEIGHT)
                assert bool(made.data) is (form is not None)
    finally:
        prober.close()
    assert 100_000_000 < watch.peak < _MOST


def test_make__what_needs_too_much_is_refused_by_name() -> None:
    prober = ProcessProber(workers=1, limits=Limits(decoded_pixels=8_000_000))
    try:
        with pytest.raises(
            InvalidArguments, match=r"7680 x 4320 pixels; at most 8000000 .*FRAMEDEX_MEDIA_DECODED_PIXELS"
        ):
            prober.make(
                "picture",
                ItemType.VIDEO,
                [Held(_filmed())],
                asked={"frames": [[0, 0, 0]], "keys": [[0, 0]], "width": 100, "format": "jpeg"},
                max_bytes=1 << 20,
            )
    finally:
        prober.close()
