"""Looking at hostile files: a picture or a problem that says why, and the server and its processes stay small."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from framedex.core.clock import now_us
from framedex.core.ids import ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from tests.builders import broken_media, media_files
from tests.faults.conftest import World
from tests.faults.servers import Server
from tests.faults.test_hostile_files import _BOMBS

pytestmark = pytest.mark.faults

_MOST_RSS = 1_500_000_000
_KINDS = {
    "images": ItemType.IMAGE, "nifti": ItemType.NIFTI, "pdfs": ItemType.PDF, "textFiles": ItemType.PLAIN_TEXT,
    "dicomSeries": ItemType.DICOM_FILE, "videos": ItemType.VIDEO, "scenes": ItemType.SCENE,
}  # fmt: skip
_WAYS = {
    ItemType.PDF: ("thumbnail", "text"), ItemType.PLAIN_TEXT: ("thumbnail", "text"),
    ItemType.VIDEO: ("thumbnail", "strip"), ItemType.AUDIO: ("thumbnail", "waveform", "spectrogram"),
}  # fmt: skip


def _vast_tiff() -> bytes:
    """A header that says 100,000 x 100,000 pixels of 16-bit RGB, and none of them."""
    tags = [(256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 2),
            (273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, 100_000), (279, 4, 1, 0x7FFFFFFF)]  # fmt: skip
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + bytes(4)


def _vast_jpeg() -> bytes:
    """65,500 x 65,500 by its header."""
    data = bytearray(media_files.jpeg(64, 64))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def _vast_las() -> bytes:
    data = bytearray(media_files.las(20, packed=True))
    data[107:111] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(data)


def _vast_nifti() -> bytes:
    data = bytearray(media_files.nifti((4, 4, 4), packed=False))
    data[40:56] = struct.pack("<8h", 3, 32_000, 32_000, 32_000, 1, 1, 1, 1)
    return bytes(data)


_MORE: dict[str, tuple[ItemType, Callable[[], bytes]]] = {
    "vast.tif": (ItemType.IMAGE, _vast_tiff),
    "vast.jpg": (ItemType.IMAGE, _vast_jpeg),
    "largest.png": (ItemType.IMAGE, lambda: media_files.huge_png(7_900)),
    "lying.jpg": (ItemType.IMAGE, broken_media.jpeg_with_lying_height),
    "vast.laz": (ItemType.SCENE, _vast_las),
    "vast.ply": (ItemType.SCENE, lambda: media_files.ply().replace(b"vertex 20", b"vertex 4000000000")),
    "wide.pcd": (ItemType.SCENE, lambda: media_files.pcd().replace(b"SIZE 4 4 4", b"SIZE 4 4 99999999999")),
    "vast.nii": (ItemType.NIFTI, _vast_nifti),
    "one-line.csv": (ItemType.TIMESERIES, lambda: b"a,b\n" + b"1" * (32 << 20)),
    "wide.csv": (ItemType.TIMESERIES, lambda: b"a" + b",a" * 3_000_000 + b"\n1" + b",1" * 3_000_000),
    "tags.html": (ItemType.PLAIN_TEXT, lambda: b"<!doctype html>" + b"<div>" * 3_000_000),
    "comments.html": (ItemType.PLAIN_TEXT, lambda: b"<!doctype html>" + b"<!-" * 3_000_000),
    "empty.wav": (ItemType.AUDIO, lambda: media_files.audio()[:44]),
    "lying.wav": (ItemType.AUDIO, lambda: b"RIFF\xff\xff\xff\x7fWAVE" + media_files.audio()[12:]),
    "cut.mp4": (ItemType.VIDEO, lambda: broken_media.cut(media_files.video(frames=60))),
    **{f"empty.{kind.value}": (kind, bytes) for kind in (*_KINDS.values(), ItemType.AUDIO, ItemType.TIMESERIES)},
    **{f"text.{kind.value}": (kind, lambda: b"hello") for kind in (*_KINDS.values(), ItemType.AUDIO)},
}


def _put(world: World, kind: ItemType, name: str, data: bytes) -> ItemId:
    item_id = ItemId(new_id())
    url = world.put(f"{item_id}-{name}", data)
    new = NewItem(
        item_id, world.folder, kind, name, world.admin.id, MediaFacts(), url=url, integration_id=world.integration
    )
    with world.workspace.catalog.write() as unit:
        unit.items.add_many([new], user_id=world.admin.id, now_us=now_us())
        unit.log(Entity.ITEM, Op.CREATE, [item_id])
    return item_id


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """The most memory that the process and all its children held at a time, as far as looks every 20 ms can tell."""
    most, stop = [0], threading.Event()

    def look() -> None:
        while not stop.wait(0.02):
            held = 0
            for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
                try:
                    held += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            most[0] = max(most[0], held)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def test_hostile_files__looking_at_them_costs_a_bounded_amount(shared: tuple[World, Server]) -> None:
    world, server = shared
    files = {name: (_KINDS[kind], make) for name, (kind, make, _) in _BOMBS.items()} | _MORE
    items = {name: (kind, _put(world, kind, name, make())) for name, (kind, make) in files.items()}
    answers: dict[str, httpx.Response] = {}
    with (
        httpx.Client(base_url=f"{server.url}/api/v1", headers=world.admin.headers, timeout=300) as client,
        _watched(server.pid) as most,
    ):
        for name, (kind, item) in items.items():
            for way in _WAYS.get(kind, ("thumbnail",)):
                answers[f"{name} {way}"] = client.get(f"/items/{item}/{way}")
    print(f"most memory: {most[0] / 1e6:.0f} MB")
    for look, answer in answers.items():
        assert answer.status_code in (200, 422), (look, answer.status_code, answer.text[:300])
        if answer.status_code == 422:
            assert answer.json()["detail"], look
            assert str(world.media) not in answer.text
    assert most[0] < _MOST_RSS
    named = {look: answer.json()["detail"] for look, answer in answers.items() if answer.status_code == 422}
    for vast in ("png thumbnail", "vast.tif thumbnail"):
        assert "FRAMEDEX_MEDIA_DECODED_PIXELS" in named[vast]
    assert answers["largest.png thumbnail"].status_code == 200
    for name in ("empty.image", "empty.video", "empty.audio", "empty.pdf", "text.image", "text.video"):
        assert answers[f"{name} thumbnail"].status_code == 422
    assert answers["empty.plainText thumbnail"].status_code == 200
