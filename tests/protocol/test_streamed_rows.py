"""Two hundred thousand data rows in one unpaged answer: piece by piece, and nothing is held open meanwhile."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from framedex.core.clock import now_us
from framedex.core.datasets import NewDataset
from framedex.core.ids import DatasetId, new_id
from tests.builders.databases import only_on_sqlite
from tests.builders.living import Person, Workspace, serving

pytestmark = [pytest.mark.protocol, pytest.mark.slow, only_on_sqlite]

ROWS = 200_000
#: Design section 7.
ADDED_BYTES = 300_000_000

_ITEMS = """
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < :last)
INSERT INTO items (id, folder_id, item_type, name, name_lower, owner_id, created_at, edited_at, url, is_tombstone,
                   is_child, facts_supplied, file_size, mime_type, width, height)
SELECT printf('00000000-0000-7000-8000-%012d', n), :folder, 'image', printf('image %06d.png', n),
       printf('image %06d.png', n), :owner, 1, 1, printf('file:///images/%06d.png', n), 0, 0, 1, n, 'image/png', 4, 3
FROM number
"""
_METADATA = """
INSERT INTO item_metadata SELECT id, 1, printf('{"n": %d, "text": "%s"}', file_size, :text), :owner, 1 FROM items
"""
_DATA_ROWS = "INSERT INTO data_rows SELECT id, :dataset, id, 1, NULL FROM items"


@dataclass(frozen=True)
class Full:
    """A server with one dataset of `ROWS` rows."""

    url: str
    data: Path
    person: Person
    dataset_id: DatasetId

    def rows(self, *, with_metadata: bool) -> Iterator[bytes]:
        settings = {"fetch_client_metadata": with_metadata, "fetch_rows": True}
        payload = {"dataset_access_settings": settings}
        query = {"query_type": "datarows", "query_method": "GET", "values": {"uid": None, "payload": payload}}
        headers = {**self.person.headers, "ResourceType": "dataset", "ResourceID": self.dataset_id}
        with httpx.stream("POST", f"{self.url}/public", json=query, headers=headers, timeout=180) as answer:
            yield from answer.iter_raw()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    data = tmp_path_factory.mktemp("rows") / "data"
    workspace = Workspace(data)
    person = workspace.person("reader@example.org")
    folder_id, dataset_id = workspace.folder(person, "folder"), DatasetId(new_id())
    with workspace.catalog.write() as unit:
        unit.datasets.add(NewDataset(dataset_id, "full", "", person.id, now_us()))
    workspace.close()
    values = {
        "last": ROWS - 1,
        "folder": folder_id,
        "owner": person.id,
        "dataset": dataset_id,
        "text": "x" * 200,
    }
    with closing(sqlite3.connect(data / "catalog.db")) as connection, connection:
        for statement in (_ITEMS, _METADATA, _DATA_ROWS):
            connection.execute(statement, values)
    with serving(data) as url:
        _await_index(url, person)
        yield Full(url, data, person, dataset_id)


def _await_index(url: str, person: Person) -> None:
    """What building the index of so many items takes is not what is measured here."""
    deadline = time.monotonic() + 180
    while httpx.get(f"{url}/api/v1/status", headers=person.headers, timeout=30).json()["indexed_seq"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _server_process(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "serve.lock").read_text()))


@pytest.mark.parametrize("with_metadata", [False, True])
def test_list_data_rows__needs_little_memory(full: Full, *, with_metadata: bool) -> None:
    process = _server_process(full.data)
    before = peak = process.memory_info().rss
    text = bytearray()
    for chunk in full.rows(with_metadata=with_metadata):
        text += chunk
        peak = max(peak, process.memory_info().rss)
    answer = msgspec.json.decode(text)
    assert answer["status"] == 200
    rows = answer["response"]
    assert [row["data_title"] for row in rows] == [f"image {n:06}.png" for n in range(ROWS)]
    metadata = [row["client_metadata"] for row in rows]
    assert metadata == ([{"n": n, "text": "x" * 200} for n in range(ROWS)] if with_metadata else [None] * ROWS)
    assert peak - before < ADDED_BYTES, f"{(peak - before) / 1e6:.0f} MB more"


def test_list_data_rows__holds_no_snapshot_while_a_reader_dawdles(full: Full) -> None:
    """An open read transaction would keep the log of writes from being folded back, for as long as a client likes."""
    chunks = full.rows(with_metadata=False)
    next(chunks)
    time.sleep(0.5)
    results: list[tuple[int, int, int]] = []

    def write_and_fold() -> None:
        with closing(sqlite3.connect(full.data / "catalog.db", timeout=10)) as connection:
            connection.execute("UPDATE datasets SET description = 'meanwhile'")
            connection.commit()
            results.append(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

    thread = threading.Thread(target=write_and_fold)
    thread.start()
    thread.join(timeout=30)
    assert results, "the write did not come through"
    assert results[0] == (0, 0, 0)
    assert sum(len(chunk) for chunk in chunks) > 50_000_000
