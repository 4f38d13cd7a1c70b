"""First creation, readiness with a million items, and memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId, JobId, new_id
from framedex.core.jobs import UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.core.registration import ObjectRef, Unit, encode_receipt, encode_unit
from tests.bench.figures import Figure, at_most, percentile
from tests.bench.live import OWNER, SignedConnection, prepared
from tests.builders.living import Person, Workspace, run, serving

_BATCH = 5000


def starts(*, is_quick: bool) -> Iterator[Figure]:
    """First creation of a data directory, memory when empty, and ready with a million items."""
    yield at_most("first creation: `framedex serve` on a new directory to /healthz 200", _first_creation(), 5, "s")
    yield _memory_when_empty()
    yield from _ready(100_000 if is_quick else 1_000_000)


def _first_creation() -> float:
    """The worst of three, each on a directory that does not exist."""
    took = []
    for _ in range(3):
        with TemporaryDirectory(prefix="framedex-bench-") as folder:
            data = Path(folder) / "data"
            data.mkdir()  # `serving` writes the server's output there
            began = time.perf_counter()
            with serving(data):
                took.append(time.perf_counter() - began)
    return max(took)


def _memory_when_empty() -> Figure:
    with prepared() as directory, directory.served() as server:
        connection = SignedConnection(server.url, server.private_pem)
        for _ in range(20):
            status, answer, _seconds = connection.send("GET", "/v2/public/storage/folders?pageSize=10")
            assert status == 200, answer
        return at_most("memory when empty (server and its processes, after 20 requests)", server.memory_mb(), 200, "MB")


def _ready(count: int) -> Iterator[Figure]:
    with prepared() as directory:
        _fill(directory.data, count)
        began = time.perf_counter()
        built = run("rebuild-index", "--data", directory.data, timeout=1800)
        assert built.returncode == 0, built.stderr
        seconds = time.perf_counter() - began
        yield Figure(f"index of {count:,} items built anew", f"{seconds:,.1f} s, {count / seconds:,.0f} items/s")
        took, listed, memory = [], [], 0.0
        for _ in range(3):
            began = time.perf_counter()
            with directory.served() as server:
                took.append(time.perf_counter() - began)
                connection = SignedConnection(server.url, server.private_pem)
                status, answer, seconds = connection.send("GET", "/v2/public/storage/search/items?pageSize=100")
                assert status == 200, answer
                assert len(json.loads(answer)["results"]) == 100
                listed.append(seconds)
                memory = server.memory_mb()
        yield at_most(f"ready with {count:,} items (worst of 3)", max(took), 2, "s")
        first = percentile(listed, 0.5) * 1e3
        yield Figure("  … then the first page of all items", f"{first:,.1f} ms, memory then {memory:,.0f} MB")


def _fill(data: Path, count: int) -> None:
    workspace = Workspace(data)
    owner = _owner(workspace)
    folder_id = workspace.folder(owner, "a million")
    now, job_id = now_us(), JobId(new_id())
    for start in range(0, count, _BATCH):
        new = [_item(owner, folder_id, number) for number in range(start, start + _BATCH)]
        with workspace.catalog.write() as unit:
            unit.items.add_many(new, user_id=owner.id, now_us=now)
            unit.log(Entity.ITEM, Op.CREATE, [item.id for item in new])
            unit.jobs.add_units(job_id, [_done(start + i, item) for i, item in enumerate(new)])
    workspace.close()


def _done(position: int, item: NewItem) -> tuple[int, UnitState, str, str]:
    """What the job that registered an item leaves behind: start-up must not look through a million of them."""
    unit = Unit(item.item_type, (ObjectRef(item.url or "", facts=item.facts),), metadata=item.metadata)
    return position, UnitState.DONE, encode_unit(unit), encode_receipt({"items": [[item.id, item.name]]})


def _owner(workspace: Workspace) -> Person:
    with workspace.catalog.read() as unit:
        user = unit.people.user_by_email(OWNER)
    assert user is not None
    return Person(user.id, user.email, "")


def _item(owner: Person, folder_id: FolderId, number: int) -> NewItem:
    address = f"file:///nowhere/{number:08d}.jpg"
    facts = MediaFacts(file_size=1000 + number, mime_type="image/jpeg", width=640, height=480)
    metadata = f'{{"number":{number},"weather":"rain","score":{number / 7}}}'
    return NewItem(
        ItemId(new_id()), folder_id, ItemType.IMAGE, f"{number:08d}.jpg", owner.id, facts,
        claim_urls=(address,), url=address, metadata=metadata,
    )  # fmt: skip
