"""Thumbnails: made anew beside plain Pillow, and out of the cache."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.ids import ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from tests.bench.figures import Figure, at_most, percentile, plain, spread_ms
from tests.builders.living import Person, Workspace, serving

_SIDE = 256
_THREADS = 2


def thumbnails(*, is_quick: bool) -> Iterator[Figure]:
    """256 pixels of photographs of 12 megapixels, as WebP; then the same from the cache over one connection."""
    count = 30 if is_quick else 200
    with TemporaryDirectory(prefix="framedex-bench-") as folder:
        data, media = Path(folder) / "data", Path(folder) / "media"
        media.mkdir()
        paths = _photographs(media.resolve(), count)
        workspace = Workspace(data)
        owner, second = workspace.person("owner@example.org"), workspace.person("second@example.org")
        items = _registered(workspace, owner, second, paths)
        with serving(data) as url:
            _fetch(url, owner, items[:_THREADS])  # processes start on first use
            began = time.perf_counter()
            with ThreadPoolExecutor(_THREADS) as threads:
                list(threads.map(lambda part: _fetch(url, owner, part), (items[i::_THREADS] for i in range(_THREADS))))
            ours = (count - _THREADS) / (time.perf_counter() - began)
            began = time.perf_counter()
            with ThreadPoolExecutor(_THREADS) as threads:
                list(threads.map(_by_pillow, paths))
            pillow = count / (time.perf_counter() - began)
            yield plain(
                "thumbnails of 12 MP JPEGs over HTTP, 2 at a time", ours, "/s",
                more=f", {ours / pillow:.2f}x of plain Pillow with draft() ({pillow:,.1f}/s, 2 threads)",
            )  # fmt: skip
            first = _fetch(url, second, items)
            again = _fetch(url, second, items * 3)
        workspace.close()
        p50 = percentile(again, 0.5) * 1e3
        yield at_most("cached thumbnail over HTTP keep-alive, p50", p50, 3, "ms", more=spread_ms(again))
        p50 = percentile(first, 0.5) * 1e3
        yield plain(
            "  … a user's first look at it, with its audit entry durable, p50", p50, "ms", more=spread_ms(first)
        )


def _photographs(media: Path, count: int) -> Sequence[Path]:
    """4000 x 3000 pixels of soft shapes with grain; each file is another one."""
    random = np.random.default_rng(4)
    coarse = Image.fromarray(random.integers(0, 255, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000))
    grain = random.integers(-9, 9, (3000, 4000, 1), dtype=np.int16)
    pixels = (np.asarray(coarse, np.int16) + grain).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    paths = []
    for number in range(count):
        path = media / f"{number:04}.jpg"
        path.write_bytes(out.getvalue() + number.to_bytes(4, "big"))  # readers pass over what follows the end
        paths.append(path)
    return paths


def _registered(workspace: Workspace, owner: Person, second: Person, paths: Sequence[Path]) -> list[ItemId]:
    folder = workspace.folder(owner, "photographs")
    integration = workspace.integration(paths[0].parent)
    new = [
        NewItem(
            ItemId(new_id()), folder, ItemType.IMAGE, path.name, owner.id, MediaFacts(mime_type="image/jpeg"),
            url=path.as_uri(), integration_id=integration,
        )
        for path in paths
    ]  # fmt: skip
    with workspace.catalog.write() as unit:
        unit.folders.set_role(folder, second.id, Role.USER)
        unit.items.add_many(new, user_id=owner.id, now_us=now_us())
        unit.log(Entity.ITEM, Op.CREATE, [item.id for item in new])
    return [item.id for item in new]


def _fetch(url: str, person: Person, items: Sequence[ItemId]) -> list[float]:
    """Seconds of each, over one connection."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    took = []
    for item in items:
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/items/{item}/thumbnail?size={_SIDE}", headers=person.headers)
        response = connection.getresponse()
        body = response.read()
        took.append(time.perf_counter() - began)
        assert response.status == 200, body
    connection.close()
    return took


def _by_pillow(path: Path) -> int:
    with Image.open(path) as image:
        image.draft("RGB", (_SIDE * 2, _SIDE * 2))
        image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        out = io.BytesIO()
        image.save(out, "WEBP", quality=85, method=2)
    return out.tell()
