"""PATCH of one item, and bundles of a thousand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4

from encord.http.bundle import Bundle
from encord.storage import StorageFolder, StorageItem

from tests.bench.figures import Figure, at_most, percentile, plain, spread_ms, sync_ms
from tests.bench.live import Live, SignedConnection, live, wire_time

_NUMBERS = count()
_BUNDLE = 1000


def patch_body(number: int) -> bytes:
    """A PATCH body of about 1 kB that no other call sends."""
    metadata = {
        "number": number,
        "token": uuid4().hex,
        "weather": ("rain", "sun", "fog")[number % 3],
        "score": number / 7,
        "boxes": [[number % 97, number % 89, 10, 20]] * 8,
        "note": f"number {number} ".ljust(640, "x"),
    }
    return json.dumps({"clientMetadata": metadata}).encode()


def patches(*, is_quick: bool) -> Iterator[Figure]:
    """PATCH of one item, 1 kB, keep-alive, signature verified, durable."""
    with live() as server:
        cpu = server.cpu_s()
        settled = single_patches(server, 300 if is_quick else 3000)
        p50 = percentile(settled, 0.5) * 1e3
        work = "PATCH of one item, 1 kB, signed, keep-alive, durable, p50"
        yield at_most(work, p50, 4, "ms", more=spread_ms(settled))
        yield plain("  … of which the disk takes to sync 4 KiB at this moment", sync_ms(), "ms")
        yield plain("  … CPU of the server for each", (server.cpu_s() - cpu) / len(settled) * 1e3, "ms")


def single_patches(server: Live, number_of: int) -> list[float]:
    """Seconds of so many PATCHes of 1 kB over one connection, without the first fifty."""
    folder, items = _registered(server, 1000)
    connection = SignedConnection(server.url, server.private_pem)
    took = []
    for number in range(number_of):
        item = items[number % len(items)]
        target = f"/v2/public/storage/folders/{folder.uuid}/items/{item.uuid}"
        status, answer, seconds = connection.send("PATCH", target, patch_body(next(_NUMBERS)))
        assert status == 200, answer
        took.append(seconds)
    return took[50:]


def bundles(*, is_quick: bool) -> Iterator[Figure]:
    """`item.update` of a thousand items in a bundle through the SDK, to committed."""
    with live() as server:
        _, items = _registered(server, _BUNDLE)
        committed, took = [], []
        for _ in range(3 if is_quick else 25):
            updates = [_update(next(_NUMBERS)) for _ in items]
            with wire_time() as wire:
                began = time.perf_counter()
                with Bundle(bundle_size=_BUNDLE) as bundle:
                    for item, metadata in zip(items, updates, strict=True):
                        item.update(client_metadata=metadata, bundle=bundle)
                took.append(time.perf_counter() - began)
            committed.append(wire.answered_at - began)
        p50 = percentile(committed, 0.5) * 1e3
        yield at_most(
            "bundle of 1000 item.update through the SDK, to committed, p50", p50, 150, "ms", more=spread_ms(committed)
        )
        yield plain("  … to the end of the call (the SDK reads 1000 items), p50", percentile(took, 0.5) * 1e3, "ms")
        bare = _bare_bundles(server, items, rounds=len(took))
        yield plain(
            "  … the same 1000 in one raw signed PATCH, p50", percentile(bare, 0.5) * 1e3, "ms", more=spread_ms(bare)
        )


def _update(number: int) -> dict[str, Any]:
    weather = ("rain", "sun", "fog", "snow")[number % 4]
    return {"weather": weather, "temperature": number / 3, "is_night": number % 2 == 0, "token": uuid4().hex}


def _bare_bundles(server: Live, items: list[StorageItem], rounds: int) -> list[float]:
    connection = SignedConnection(server.url, server.private_pem)
    took = []
    for _ in range(rounds):
        patches_by_id = {str(item.uuid): {"clientMetadata": _update(next(_NUMBERS))} for item in items}
        body = json.dumps({"itemPatches": patches_by_id}).encode()
        status, answer, seconds = connection.send("PATCH", "/v2/public/storage/items/patch-bulk", body)
        assert status == 200, answer
        took.append(seconds)
    return took


def _registered(server: Live, number: int) -> tuple[StorageFolder, list[StorageItem]]:
    client = server.client()
    folder = client.create_storage_folder(f"bench {uuid4()}")
    facts = {"mimeType": "image/jpeg", "fileSize": 3, "width": 4, "height": 5}
    images = [{"objectUrl": f"file://{server.media}/{uuid4()}.jpg", "imageMetadata": facts} for _ in range(number)]
    job = folder.add_private_data_to_folder_start(server.integration_id, {"images": images})
    made = folder.add_private_data_to_folder_get_result(job).items_with_names
    return folder, list(client.get_storage_items([item.item_uuid for item in made]))
