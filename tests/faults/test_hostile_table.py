"""Every format broken in every way, registered and encoded anew in one server: what became of each, in one table."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from framedex.core.ids import new_id
from framedex.core.media_types import ItemType
from tests.builders import broken_media, media_files
from tests.builders.kinds import FORMATS, Format, faulty
from tests.faults.conftest import World
from tests.faults.servers import Api, Server
from tests.faults.web import Listener, listening

pytestmark = pytest.mark.faults

_MOST_BYTES = 1_500_000_000
_LOOK_EVERY_S = 0.05
#: Faults that leave no file of its kind; text is what is left of anything.
_NOTHING = frozenset({"empty", "one byte", "zeros", "noise"})
#: Of other containers than MP4 that are encoded anew: each costs a process.
_SOME = frozenset(
    {"mkv/cut", "mkv/huge numbers", "mkv/dash", "avi/bits", "avi/hole", "avi/ffconcat", "ts/cut", "ts/hole", "ts/twice"}
)
_FAULTS = list(faulty(FORMATS["png"]))


@dataclass
class Memory:
    """The most that the server, its fork server and its workers held at once, as the kernel kept it for each."""

    peak: int = 0
    largest: Counter[str] = field(default_factory=Counter)

    def look(self, pid: int) -> None:
        try:
            tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        marks = [_high_water_mark(process.pid) for process in tree]
        self.peak = max(self.peak, sum(marks))
        self.largest["server"] = max(self.largest["server"], marks[0])
        self.largest["worker"] = max([self.largest["worker"], *marks[1:]])


def _high_water_mark(pid: int) -> int:
    """VmHWM; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


@contextmanager
def _watched(server: Server) -> Iterator[Memory]:
    memory, stop = Memory(), threading.Event()

    def watch() -> None:
        while not stop.wait(_LOOK_EVERY_S):
            memory.look(server.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
        assert found.calls == 0, "somebody was called"


def _bombs(url: str) -> Mapping[str, tuple[str, bytes]]:
    """Beside broken files: those made to cost much, or to call somebody. Each with the format that it is said to be."""
    return {
        "900 MP": ("png", media_files.huge_png()),
        "lying header": ("png", broken_media.png_with_lying_header()),
        "lying height": ("jpg", broken_media.jpeg_with_lying_height()),
        "svg": ("png", broken_media.svg()),
        "gz bomb": ("nii.gz", broken_media.nifti_bomb(256)),
        "gz of zeros": ("nii.gz", broken_media.gzip_bomb(256)),
        "gz in a DICOM": ("dcm", broken_media.gzip_bomb(32)),
        "cyclic pages": ("pdf", _cyclic_pdf()),
        "lying count": ("pdf", broken_media.pdf_with_lying_count()),
        "password": ("pdf", broken_media.encrypted_pdf()),
        "m3u8": ("mp4", broken_media.m3u8(url)),
        "m3u8 sound": ("mp3", broken_media.m3u8(url)),
        "dash": ("mkv", broken_media.dash(url)),
        "ffconcat": ("avi", broken_media.ffconcat(url)),
        "records": ("las", _las_with_records()),
        "points": ("pcd", media_files.pcd().replace(b"POINTS 20", b"POINTS 99999999999")),
        "vertices": ("ply", media_files.ply().replace(b"vertex 20", b"vertex 99999999999")),
        "deep": ("json", b"[" * 2_000_000),
    }


def _cyclic_pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 999999999>>endobj\ntrailer<</Root 1 0 R/Size 3>>\n%%EOF\n"
    )


def _las_with_records() -> bytes:
    data = bytearray(media_files.las())
    data[100:104] = b"\xff\xff\xff\xff"
    return bytes(data)


@dataclass(frozen=True)
class Case:
    """One file of the table, and what it is registered as."""

    format: Format
    fault: str
    data: bytes

    @property
    def title(self) -> str:
        return f"{self.format.name}/{self.fault}"

    @property
    def is_true(self) -> bool:
        return self.fault == "whole"


def _cases(url: str) -> list[Case]:
    broken = [Case(of, fault, data) for of in FORMATS.values() for fault, data in faulty(of).items()]
    # the same bytes under another name of their kind, and as another kind
    lying = [
        Case(of, f"is {other.name}", other.make())
        for of in FORMATS.values()
        for other in FORMATS.values()
        if other.name != of.name and (other.item_type is of.item_type or other.name in ("png", "mp4", "wav", "pdf"))
    ]
    bombs = [Case(FORMATS[name], bomb, data) for bomb, (name, data) in _bombs(url).items()]
    return [*broken, *lying, *bombs]


def _register(api: Api, world: World, cases: list[Case]) -> tuple[dict[str, Any], dict[str, str]]:
    """Items by title, and the errors of the others."""
    files: dict[str, list[object]] = {}
    titles: dict[str, str] = {}
    for case in cases:
        url = world.put(f"{new_id()}.{case.format.name}", case.data)
        titles[url] = case.title
        files.setdefault(case.format.entry, []).append(case.format.unit(url, case.title))
    state = api.register(world.folder, files, world.integration)
    assert state["unitsPendingCount"] == 0
    assert state["unitsDoneCount"] + state["unitsErrorCount"] == len(cases)
    errors = {titles[row["objectUrls"][0]]: str(row["error"]) for row in state["unitErrors"]}
    return {str(item["name"]): item for item in api.items(world.folder)}, errors


def test_every_format_broken_in_every_way(shared: tuple[World, Server], listener: Listener) -> None:
    made, server = shared
    world = replace(made, folder=made.workspace.folder(made.admin, new_id()))
    cases = _cases(listener.url)
    api = Api(server, world.admin)
    with _watched(server) as memory:
        items, errors = _register(api, world, cases)
    print(_table(cases, items))
    print(f"{len(cases)} files: {len(errors)} refused; memory at most {memory.peak / 1e6:.0f} MB, {memory.largest}")
    for case in cases:
        assert (case.title in items) != (case.title in errors), case.title
    problems = [problem for case in cases if (problem := _problem(case, items.get(case.title), errors.get(case.title)))]
    assert problems == [], "\n".join(problems)
    assert memory.peak < _MOST_BYTES
    server.assert_well()


def _problem(case: Case, item: dict[str, Any] | None, error: str | None) -> str | None:
    """What is wrong with the answer to a case."""
    of = case.format
    if error is not None:
        if case.is_true:
            return f"{case.title} was refused: {error}"
        told = error.partition(": ")[2]
        is_clear = len(told) > 10 and not any(words in told for words in ("Framedex failed", "crashed", "longer than"))
        return None if is_clear else f"{case.title}: {error}"
    assert item is not None
    if case.fault in _NOTHING and of.item_type is not ItemType.PLAIN_TEXT:
        return f"{case.title} was registered"
    if case.fault in ("cut early", "cut", "cut late") and of.has_end and of.item_type is not ItemType.DICOM_FILE:
        return f"{case.title} was registered though it is cut off"
    if of.item_type is not ItemType.DICOM_FILE and item["fileSize"] != len(case.data):
        return f"{case.title}: {item['fileSize']} bytes instead of {len(case.data)}"
    true = FORMATS[case.fault[3:]].mime if case.fault.startswith("is ") else of.mime
    is_told = item["mimeType"] == true or of.item_type in (ItemType.PLAIN_TEXT, ItemType.SCENE, ItemType.DICOM_FILE)
    return None if is_told or case.fault in ("bits", "huge numbers", "hole") else f"{case.title} is {item['mimeType']}"


def _table(cases: list[Case], items: Mapping[str, object]) -> str:
    """`+` registered, `-` refused; formats down, faults across."""
    found = {case.title: "+" if case.title in items else "-" for case in cases}
    lines = [f"{'':8}" + "".join(f"{fault:>13}" for fault in _FAULTS) + "  under another name or kind"]
    for name in FORMATS:
        cells = "".join(f"{found[f'{name}/{fault}']:>13}" for fault in _FAULTS)
        rest = [c.fault + found[c.title] for c in cases if c.format.name == name and c.fault not in _FAULTS]
        lines.append(f"{name:8}{cells}  {' '.join(sorted(rest))}")
    return "\n".join(lines)


def test_broken_videos_encoded_anew(shared: tuple[World, Server], listener: Listener) -> None:
    """Registered with facts that are supplied, so that nobody has looked before."""
    made, server = shared
    world = replace(made, folder=made.workspace.folder(made.admin, new_id()))
    videos = [case for case in _cases(listener.url) if case.format.name == "mp4" or case.title in _SOME]
    facts = {"fps": 24, "duration": 1, "width": 64, "height": 48, "fileSize": 9, "mimeType": "video/mp4"}
    files = [
        {"objectUrl": world.put(f"{new_id()}.mp4", case.data), "title": case.title, "videoMetadata": facts}
        for case in videos
    ]
    api = Api(server, world.admin)
    assert api.register(world.folder, {"videos": files}, world.integration)["unitsErrorCount"] == 0
    ids = {str(item["uuid"]): str(item["name"]) for item in api.items(world.folder)}
    body = {"storageItems": list(ids), "processTitle": "hostile", "forceFullReencoding": True}
    with _watched(server) as memory:
        job = api.request("POST", "storage/items/reencode", json=body).json()
        while (found := api.answer("GET", f"storage/items/reencode/{job}"))["status"] == "submitted":
            continue
    results = {ids[str(row["storageItem"])]: row for row in found["result"]}
    assert sorted(results) == sorted(ids.values())
    for case in videos:
        row = results[case.title]
        print(f"{case.title:20} {row['status']:6} {row['error'] or row['frameCount']}")
        if case.is_true:
            assert (row["status"], row["frameCount"], row["lostFrames"]) == ("done", 24, 0)
        elif case.fault in _NOTHING or (case.fault.startswith("is ") and FORMATS[case.fault[3:]].entry != "videos"):
            assert row["status"] == "error"
        assert row["status"] == "done" or "crashed" not in row["error"]
    print(f"memory at most {memory.peak / 1e6:.0f} MB, {memory.largest}")
    assert memory.peak < _MOST_BYTES
    server.assert_well()
