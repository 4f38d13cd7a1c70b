from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import av
import numpy as np
import pytest
from PIL import Image

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from tests.builders import broken_media, media_files
from tests.builders.media_files import Held

MOST = 1 << 24


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    made = ProcessProber(workers=1)
    yield made
    made.close()


def _colour(colour: tuple[int, int, int], size: tuple[int, int] = (65, 49), form: str = "PNG") -> Held:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return Held(out.getvalue())


def _encoded(prober: ProcessProber, sources: Sequence[Held], *, fps: float, max_bytes: int) -> bytes:
    with prober.encode_sequence(sources, fps=fps, max_bytes=max_bytes) as made:
        return made.read()


def test_encode_sequence__one_frame_per_image_in_order(prober: ProcessProber) -> None:
    colours = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 250), (5, 5, 5)]
    sources = [_colour(c, (65 + 20 * i, 49), "PNG" if i % 2 else "JPEG") for i, c in enumerate(colours)]
    data = _encoded(prober, sources, fps=4, max_bytes=MOST)
    with av.open(io.BytesIO(data), "r") as media:
        frames = list(media.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 5
    assert [frame.time for frame in frames] == [0, 0.25, 0.5, 0.75, 1]
    for frame, colour in zip(frames, colours, strict=True):
        assert np.abs(frame.to_ndarray(format="rgb24").mean((0, 1)) - colour).max() < 12


def test_encode_sequence__plays_while_it_loads_and_probes(prober: ProcessProber) -> None:
    data = _encoded(prober, [Held(media_files.jpeg(seed=i)) for i in range(40)], fps=12.5, max_bytes=MOST)
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    facts = prober.probe(ItemType.VIDEO, Held(data), name="video.mp4")
    assert (facts.mime_type, facts.frame_count, facts.fps, facts.duration) == ("video/mp4", 40, 12.5, 3.2)
    assert (facts.width, facts.height, facts.extra) == (32, 24, {"codec": "h264"})


def test_encode_sequence__images_stand_upright(prober: ProcessProber) -> None:
    data = _encoded(prober, [Held(media_files.jpeg(64, 32, orientation=6))], fps=5, max_bytes=MOST)
    facts = prober.probe(ItemType.VIDEO, Held(data), name="video.mp4")
    assert (facts.width, facts.height) == (32, 64)


def test_encode_sequence__sixteen_bit_grey_is_scaled(prober: ProcessProber) -> None:
    out = io.BytesIO()
    Image.fromarray(np.full((32, 32), 32_768, dtype=np.uint16)).save(out, "PNG")
    data = _encoded(prober, [Held(out.getvalue())], fps=5, max_bytes=MOST)
    with av.open(io.BytesIO(data), "r") as media:
        assert abs(next(media.decode(video=0)).to_ndarray(format="rgb24").mean() - 128) < 5


def test_encode_sequence__broken_image_is_named(prober: ProcessProber) -> None:
    sources = [Held(media_files.png()), Held(broken_media.cut(media_files.jpeg())), Held(media_files.png())]
    with pytest.raises(InvalidArguments, match="image 1 of the sequence"):
        prober.encode_sequence(sources, fps=5, max_bytes=MOST)
    with pytest.raises(InvalidArguments, match="image 0 of the sequence: SVG"):
        prober.encode_sequence([Held(broken_media.svg())], fps=5, max_bytes=MOST)


def test_encode_sequence__limit_of_bytes_and_rate(prober: ProcessProber) -> None:
    sources = [Held(media_files.png(64, 64, seed=i)) for i in range(5)]
    with pytest.raises(InvalidArguments, match="passes the limit of 9000 bytes"):
        prober.encode_sequence(sources, fps=5, max_bytes=9000)
    with pytest.raises(InvalidArguments, match="frames per second"):
        prober.encode_sequence(sources, fps=0, max_bytes=MOST)
    with pytest.raises(InvalidArguments, match="at least one image"):
        prober.encode_sequence([], fps=5, max_bytes=MOST)
