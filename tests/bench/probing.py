"""Images in a bucket whose facts are read from them, by ranges."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import obstore
from PIL import Image

from framedex.bootstrap import open_node
from tests.bench.figures import Figure, plain
from tests.bench.live import Prepared, prepared
from tests.builders.databases import settings_of
from tests.builders.fault_proxy import FaultProxy, fault_proxy
from tests.builders.peers import Seaweed, seaweed

_BUCKET = "bench"
_KINDS = ("JPEG", "PNG", "WEBP", "TIFF")


def probing(*, is_quick: bool) -> Iterator[Figure]:
    """1,000 images registered without facts from SeaweedFS: how many a second, and how many bytes of each were read."""
    count = 100 if is_quick else 1000
    with TemporaryDirectory(prefix="framedex-bench-") as folder, seaweed(Path(folder)) as store:
        size = _fill(store, count)
        with prepared() as directory:
            seconds = _register(directory, store, store.endpoint, count)
        with fault_proxy(store.endpoint) as proxy, prepared() as directory:
            _register(directory, store, proxy.endpoint, count)
            read, requests = _read(proxy)
    work = f"{count:,} images of SeaweedFS probed by range reads, SDK call to the ids of all items"
    yield plain(work, count / seconds, "images/s", more=f" (images of {size / count / 1000:,.0f} kB on average)")
    share = f" ({read / size:.1%} of it, in {requests / count:.2f} requests)"
    yield plain("  … bytes read of each image", read / count / 1000, "kB", more=share)


def _fill(store: Seaweed, count: int) -> int:
    """Images of four formats that do not compress; answers their bytes in all."""
    bucket = store.make_bucket(_BUCKET)
    contents = [_image(kind, seed) for seed in range(5) for kind in _KINDS]

    def put(number: int) -> int:
        content = contents[number % len(contents)]
        obstore.put(bucket, f"images/{number:05}.{_KINDS[number % len(_KINDS)].lower()}", content)
        return len(content)

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(put, range(count)))


def _image(kind: str, seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (480 + seed, 640, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def _register(directory: Prepared, store: Seaweed, endpoint: str, count: int) -> float:
    node = open_node(settings_of(directory.data))
    config = Seaweed(endpoint, store.kill).config(f"s3://{_BUCKET}")
    integration = node.administration.add_integration("bucket", config, store.credentials)
    node.close()
    with directory.served() as server:
        folder = server.client().create_storage_folder("probed")
        images = [
            {"objectUrl": f"s3://{_BUCKET}/images/{n:05}.{_KINDS[n % len(_KINDS)].lower()}"} for n in range(count)
        ]
        began = time.perf_counter()
        job = folder.add_private_data_to_folder_start(str(integration.id), {"images": images})
        result = folder.add_private_data_to_folder_get_result(job)
        took = time.perf_counter() - began
        assert (result.status.value, len(result.items_with_names)) == ("DONE", count), result.errors
        assert all(item.width == 640 for item in folder.list_items(page_size=1000))
    return took


def _read(proxy: FaultProxy) -> tuple[int, int]:
    """Bytes and requests of objects; what asks the bucket about itself is left out."""
    return proxy.sent_bytes, sum(1 for _, path in proxy.seen if f"/{_BUCKET}/images/" in path)
