"""Preview makers against mutated real files, in the processes that serve: an answer or a refusal, in bounds."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import ItemType
from framedex.media.limits import Limits
from framedex.media.pool import ProcessProber
from tests.builders import media_files
from tests.builders.media_files import Held
from tests.medium.media.acting_source import workers_of

_MAX_BYTES = 8 << 20
_SEEDS: dict[ItemType, list[bytes]] = {
    ItemType.IMAGE: [
        media_files.png(40, 30), media_files.jpeg(40, 30, orientation=6), media_files.webp(), media_files.avif(),
        media_files.tiff(), media_files.bmp(), media_files.gif(),
    ],
    ItemType.VIDEO: [media_files.video(c, frames=30) for c in ("mp4", "matroska", "avi", "mpegts")],
    ItemType.AUDIO: [media_files.audio(c) for c in ("wav", "flac", "mp3", "ipod", "ogg", "adts")],
    ItemType.PDF: [media_files.pdf(2)],
    ItemType.PLAIN_TEXT: [media_files.html(), media_files.json_text(), media_files.xml_text()],
    ItemType.DICOM_FILE: [media_files.dicom(frames=2)],
    ItemType.NIFTI: [media_files.nifti(packed=False), media_files.nifti()],
    ItemType.TIMESERIES: [media_files.csv_series()],
    ItemType.SCENE: [
        media_files.pcd(), media_files.pcd(form="ascii"), media_files.ply(), media_files.ply(form="ascii"),
        media_files.las(), media_files.las(packed=True),
    ],
}  # fmt: skip
_SHOWS = {ItemType.VIDEO: ("thumbnail", "strip"), ItemType.AUDIO: ("thumbnail", "waveform", "spectrogram")}
_ASKED = {"size": 64, "format": "webp", "frames": 10, "points": 500, "page": 0, "characters": 500, "frame_count": 2}


@pytest.fixture(scope="module")
def prober() -> Iterator[ProcessProber]:
    made = ProcessProber(workers=1, limits=Limits(seconds=20, decoded_pixels=4_000_000, inflated_bytes=64 << 20))
    yield made
    made.close()


@st.composite
def _mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A real file with bytes changed, put in, taken out, or its end gone; mostly near its start, where headers are."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        near = draw(st.sampled_from([64, 512, len(data)]))
        at = draw(st.integers(0, max(0, min(near, len(data)) - 1)))
        change = draw(st.sampled_from(["set", "flip", "insert", "remove", "cut", "number"]))
        if change == "set":
            data[at : at + 1] = bytes([draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))])
        elif change == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif change == "remove":
            del data[at : at + draw(st.integers(1, 32))]
        elif change == "cut":
            del data[draw(st.integers(0, len(data))) :]
        else:
            number = draw(st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF]))
            data[at : at + 4] = number.to_bytes(4, draw(st.sampled_from(["little", "big"])))
    return bytes(data)


@pytest.mark.parametrize("kind", list(_SEEDS))
def test_make__mutated_files_are_shown_or_refused(prober: ProcessProber, kind: ItemType) -> None:
    @settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(_mutated(_SEEDS[kind]))
    def run(data: bytes) -> None:
        for show in _SHOWS.get(kind, ("thumbnail",)):
            _make(prober, "preview", kind, data, show)
        if kind in (ItemType.PDF, ItemType.PLAIN_TEXT):
            _make(prober, "text", kind, data, "text")

    run()
    for pid in workers_of(prober):
        assert psutil.Process(pid).memory_info().rss < 700 << 20


def _make(prober: ProcessProber, operation: str, kind: ItemType, data: bytes, show: str) -> None:
    try:
        made = prober.make(operation, kind, [Held(data)], asked={**_ASKED, "show": show}, max_bytes=_MAX_BYTES)
    except InvalidArguments:
        return
    if operation == "preview":
        assert made.data
        assert made.facts["mime_type"] == ("application/json" if show == "waveform" else "image/webp")
