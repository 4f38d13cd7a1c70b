"""25 random frames of each file of the truth table against the hashes of the `ffmpeg` program. `-rP` prints the column.

Three ways to them: all in one call, a few alone each, and the client's own decoder.
"""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framedex.client.frames import FrameReader
from framedex.core.frames import FrameTable
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from framedex.services.pictures import film_request
from tests.builders.media_files import Held
from tests.builders.truth_files import TRUTH_FILES, TruthFile, made, path_of, witness
from tests.conftest import require_tool

_FRAMES, _ALONE = 25, 4


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    prober = ProcessProber(workers=1)
    yield prober
    prober.close()


def _hashes(prober: ProcessProber, source: Held, table: FrameTable, frames: Sequence[int]) -> list[str]:
    asked = {**film_request(table, frames), "width": None, "format": None}
    pictures: Any = prober.make("picture", ItemType.VIDEO, [source], asked=asked, max_bytes=1 << 20).facts["pictures"]
    assert [(p["frame"], p["pts"]) for p in pictures] == [(frame, table.pts[frame]) for frame in frames]
    return [p["sha256"] for p in pictures]


@pytest.mark.parametrize("file", TRUTH_FILES, ids=lambda file: file.name)
def test_exact_frames__are_what_ffmpeg_decodes(file: TruthFile, prober: ProcessProber) -> None:
    path = path_of(file)
    told = witness(path).hashes
    source = Held(path.read_bytes())
    table = FrameTable.unpack(prober.make("frames", ItemType.VIDEO, [source], asked={}, max_bytes=1 << 20).data)
    frames = random.Random(file.name).sample(range(len(told)), min(_FRAMES, len(told)))
    expected = [told[frame] for frame in frames]
    together = _hashes(prober, source, table, frames)
    alone = [_hashes(prober, source, table, [frame])[0] for frame in frames[:_ALONE]]
    with FrameReader(path) as reader:
        theirs = [certificate.sha256 for certificate in reader.certificates(sorted(frames))]
    same = sum(found == truth for found, truth in zip(together, expected, strict=True))
    print(f"{file.name:22} {same:2} of {len(frames):2} random frames as ffmpeg decodes them  {file.trap}")
    assert together == expected
    assert alone == expected[:_ALONE]
    assert theirs == [told[frame] for frame in sorted(frames)]


def test_picture__is_turned_and_coloured_as_ffmpeg_does(prober: ProcessProber) -> None:
    path = made("rotated.mp4")
    source = Held(path.read_bytes())
    table = FrameTable.unpack(prober.make("frames", ItemType.VIDEO, [source], asked={}, max_bytes=1 << 20).data)
    asked = {**film_request(table, [30]), "width": None, "format": "png"}
    found = prober.make("picture", ItemType.VIDEO, [source], asked=asked, max_bytes=1 << 22)
    command = [require_tool("ffmpeg"), "-v", "error", "-i", str(path), "-vf", "select=eq(n\\,30)", "-frames:v", "1"]
    shown = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True)
    expected = np.frombuffer(shown.stdout, np.uint8).reshape(192, 108, 3)
    with Image.open(io.BytesIO(found.data)) as image:
        assert np.abs(np.asarray(image).astype(int) - expected).mean() < 2
