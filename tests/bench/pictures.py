"""Exact pictures: sampling a video, and the first picture of one that lies far away and was never read."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import httpx
import numpy as np
import obstore
from av.video.frame import VideoFrame

from framedex.bootstrap import open_node
from framedex.core.frames import FrameTable
from framedex.core.media_types import ItemType
from framedex.media.pool import ProcessProber
from tests.bench.figures import Figure
from tests.bench.live import Live, Prepared, prepared
from tests.builders.databases import settings_of
from tests.builders.fault_proxy import FaultProxy, fault_proxy
from tests.builders.media_files import Held
from tests.builders.peers import Seaweed, seaweed

_BUCKET = "bench"
_FPS = 25
_SAMPLING_TARGET, _FIRST_S, _FIRST_MB = 1.3, 1.0, 8.0
_CONTAINERS = {"mp4, moov first": "mp4", "mp4, moov last": "mp4", "mkv with cues": "matroska"}


def sampling(*, is_quick: bool) -> Iterator[Figure]:
    """One picture a second of a 720p video through the operation, beside a bare decode of the same file with PyAV."""
    seconds = 12 if is_quick else 120
    data = _filmed(seconds, bits_per_second=2_000_000)
    prober = ProcessProber()
    try:
        table = FrameTable.unpack(_make(prober, "frames", data, {}).data)
        asked = _asked(table, range(0, len(table), _FPS))
        _make(prober, "picture", data, _asked(table, [0]))
        ours, bare = [], []
        for _ in range(3):
            began = time.perf_counter()
            count = _bare_decode(data)
            bare.append(time.perf_counter() - began)
            assert count == len(table) == seconds * _FPS
            began = time.perf_counter()
            pictures: Any = _make(prober, "picture", data, asked).facts["pictures"]
            ours.append(time.perf_counter() - began)
            assert len(pictures) == seconds
    finally:
        prober.close()
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    took = f"{statistics.median(ours):.2f} s beside {statistics.median(bare):.2f} s"
    yield _bounded(
        f"{seconds} exact pictures, 320 wide, of a {seconds} s 720p H.264 video, beside a bare PyAV decode",
        f"{ratio:.2f}x ({took}, median of 3)",
        ratio,
        _SAMPLING_TARGET,
        "x",
    )


def first_pictures(*, is_quick: bool) -> Iterator[Figure]:
    """The first frame, and the one in the middle, of 1 GB videos of SeaweedFS of which the server never read a byte."""
    size = 100_000_000 if is_quick else 1_000_000_000
    with TemporaryDirectory(prefix="framedex-bench-") as folder, seaweed(Path(folder)) as store:
        piece = _filmed(10, bits_per_second=16_000_000, key_every=2 * _FPS)
        bucket = store.make_bucket(_BUCKET)
        lasting_s = {}
        for name, container in _CONTAINERS.items():
            path = Path(folder) / "video"
            lasting_s[name] = _repeated(piece, path, container, size, moov_first="first" in name)
            obstore.put(bucket, _key(name), path, use_multipart=True)
            path.unlink()
        with fault_proxy(store.endpoint) as proxy, prepared() as directory:
            yield from _first_pictures(directory, store, proxy, lasting_s)


def _first_pictures(
    directory: Prepared, store: Seaweed, proxy: FaultProxy, lasting_s: dict[str, float]
) -> Iterator[Figure]:
    node = open_node(settings_of(directory.data))
    config = Seaweed(proxy.endpoint, store.kill).config(f"s3://{_BUCKET}")
    integration = node.administration.add_integration("bucket", config, store.credentials)
    node.close()
    with directory.served() as server:
        _warm_up(server)
        for name, duration_s in lasting_s.items():
            for place, moment in (("first frame", 0.0), ("frame in the middle", duration_s / 2)):
                item = _register(server, str(integration.id), name, duration_s, place)
                read = proxy.sent_bytes
                took_s, answer = _picture(server, item, moment)
                read = proxy.sent_bytes - read
                assert answer.status_code == 200, answer.text
                work = f"{place} of a cold {name}, {duration_s:.0f} s, 720p, from SeaweedFS, over HTTP"
                yield _bounded(work, f"{took_s:.2f} s", took_s, _FIRST_S, "s")
                yield _bounded("  … read of it", f"{read / 1e6:.1f} MB", read / 1e6, _FIRST_MB, "MB")


def _warm_up(server: Live) -> None:
    """Cold is the video, not the server: a picture of another one, so that a worker runs."""
    (server.media / "other.mp4").write_bytes(_filmed(1, bits_per_second=2_000_000))
    folder = server.client().create_storage_folder("other")
    entry = {"objectUrl": (server.media / "other.mp4").as_uri()}
    job = folder.add_private_data_to_folder_start(server.integration_id, {"videos": [entry]})
    result = folder.add_private_data_to_folder_get_result(job)
    _, answer = _picture(server, str(result.items_with_names[0].item_uuid), 0.0)
    assert answer.status_code == 200, answer.text


def _register(server: Live, integration: str, name: str, duration_s: float, place: str) -> str:
    """An item with supplied facts: the server has no reason to read the object."""
    facts = {
        "fps": _FPS,
        "duration": duration_s,
        "width": 1280,
        "height": 720,
        "file_size": 1,
        "mime_type": "video/mp4",
    }
    folder = server.client().create_storage_folder(f"{name} {place}")
    entry = {"objectUrl": f"s3://{_BUCKET}/{_key(name)}", "videoMetadata": facts}
    job = folder.add_private_data_to_folder_start(integration, {"videos": [entry]})
    result = folder.add_private_data_to_folder_get_result(job)
    assert result.status.value == "DONE", result.errors
    return str(result.items_with_names[0].item_uuid)


def _picture(server: Live, item: str, moment: float) -> tuple[float, httpx.Response]:
    headers = {"Authorization": f"Bearer {server.client().get_bearer_token()}"}
    path = f"frame-at/image?time={moment}" if moment else "frames/0/image"
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=120) as http:
        http.get("/status")
        began = time.perf_counter()
        answer = http.get(f"/items/{item}/{path}")
        return time.perf_counter() - began, answer


def _key(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


def _filmed(seconds: int, *, bits_per_second: int, key_every: int = 250) -> bytes:
    """H.264 with B-frames of a moving, noisy picture."""
    noise = np.random.default_rng(1).integers(0, 256, (720 + 64, 1280 + 64, 3), dtype=np.uint8)
    scene = (noise // 8 + np.linspace(0, 200, 1280 + 64, dtype=np.uint8)[None, :, None]).astype(np.uint8)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as media:
        stream = media.add_stream("libx264", _FPS)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1280, 720, "yuv420p", bits_per_second
        rate = f"vbv-maxrate={bits_per_second // 1000}:vbv-bufsize={bits_per_second // 1000}:nal-hrd=cbr"
        stream.options = {"preset": "ultrafast", "bf": "2", "g": str(key_every), "x264-params": rate}
        for index in range(seconds * _FPS):
            x, y = index * 7 % 64, index * 3 % 64
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(scene[y : y + 720, x : x + 1280]), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, _FPS)
            media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return out.getvalue()


def _repeated(piece: bytes, path: Path, container: str, size: int, *, moov_first: bool) -> float:
    """The packets of a piece again and again, up to a size; answers how many seconds that is."""
    options = {"movflags": "faststart"} if moov_first else {}
    times, length_s = -(-size // len(piece)), 0.0
    with av.open(str(path), "w", format=container, options=options) as out:
        target = None
        for turn in range(times):
            with av.open(io.BytesIO(piece), "r") as media:
                source = media.streams.video[0]
                target = target or out.add_stream_from_template(source)
                step = int(source.duration or 0)
                length_s = float(step * (source.time_base or 0))
                for packet in media.demux(source):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + turn * step, packet.dts + turn * step
                    packet.stream = target
                    out.mux(packet)
    return times * length_s


def _make(prober: ProcessProber, operation: str, data: bytes, asked: dict[str, object]) -> Any:
    return prober.make(operation, ItemType.VIDEO, [Held(data)], asked=asked, max_bytes=1 << 28)


def _asked(table: FrameTable, frames: Any) -> dict[str, object]:
    return {
        "frames": [[frame, table.pts[frame], 0] for frame in frames],
        "keys": [[key, table.pts[key]] for key in table.keys],
        "width": 320,
        "format": "jpeg",
    }


def _bare_decode(data: bytes) -> int:
    with av.open(io.BytesIO(data), "r") as media:
        media.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in media.decode(video=0))


def _bounded(work: str, figure: str, value: float, target: float, unit: str) -> Figure:
    return Figure(
        work, figure, f"< {target:g} {unit}", f"{value / target:.2f}x {'met' if value < target else 'MISSED'}"
    )
