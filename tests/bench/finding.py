"""Questions to an index of a million items over HTTP, beside hand-written DuckDB on a copy of the same file."""

from __future__ import annotations

import http.client
import json
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from framedex.core.clock import now_us
from framedex.core.ids import ItemId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from tests.bench.figures import Figure, at_most
from tests.bench.live import prepared
from tests.builders.living import Person, Workspace, run, serving

_BATCH = 5000
_FOLDERS = 20
_ROUNDS = 15
_WEATHER = ("rain", "sun", "fog", "snow")


def finding(*, is_quick: bool) -> Iterator[Figure]:
    """Facets, histogram, selective filter and pages at 1M items of 12 keys; each call has another constant."""
    count = 100_000 if is_quick else 1_000_000
    with prepared() as directory:
        person = _fill(directory.data, count)
        built = run("rebuild-index", "--data", directory.data, timeout=3600)
        assert built.returncode == 0, built.stderr
        (file,) = (directory.data / "index").glob("*.duckdb")
        copy = Path(shutil.copy(file, directory.media))
        with serving(directory.data) as url:
            yield from _rows(_Asker(url, person.token), _Raw(copy), f"{count:,} items")


def _rows(ask: _Asker, raw: _Raw, of: str) -> Iterator[Figure]:
    facets = [{"field": field, "top": 20} for field in ("status", "city", "camera", "night", "$type")]
    grouped = ", ".join(raw.column(key) for key in ("status", "city", "camera", "night")) + ", type"
    sets = ", ".join(f"({name})" for name in grouped.split(", "))
    score, temp = raw.column("score"), raw.column("temp")
    yield from _beside(
        f"5 facets under a 30 % filter, {of}",
        lambda x: ask("/facets", filter=f"score < {0.3 + x}", fields=facets),
        lambda x: raw(
            f"SELECT {grouped}, count(*) FROM items WHERE {score} < $1 GROUP BY GROUPING SETS ({sets})", 0.3 + x
        ),
        most_ms=80,
        ratio=1.2,
    )
    width = f"(SELECT min({temp}) AS low, max({temp}) AS high FROM items WHERE {score} < $1)"
    yield from _beside(
        f"histogram of 30 bins under a 30 % filter, {of}",
        lambda x: ask("/facets", filter=f"score < {0.3 + x}", fields=[{"field": "temp", "bins": 30}]),
        lambda x: raw(
            f"SELECT floor(({temp} - low) / (high - low) * 30) AS bin, count(*) FROM items, {width} "
            f"WHERE {score} < $1 GROUP BY bin",
            0.3 + x,
        ),
        most_ms=50,
        ratio=1.5,
    )
    fields = ["$name", "status"]
    yield _alone(
        f"count and first page of a 0.1 % filter, {of}",
        lambda x: ask("/query", filter=f"score < {0.001 + x}", sort=[{"field": "temp"}], fields=fields),
        most_ms=15,
    )
    yield from _beside(
        f"first page of a 30 % filter by a number, {of}",
        lambda x: ask("/query", filter=f"score < {0.3 + x}", sort=[{"field": "temp"}], fields=fields),
        lambda x: raw(f"SELECT id, name FROM items WHERE {score} < $1 ORDER BY {temp}, id LIMIT 51", 0.3 + x),
        most_ms=30,
        ratio=1.3,
    )
    yield _alone(
        f"first page of all by name, {of}",
        lambda _: ask("/query", sort=[{"field": "$name"}], fields=fields),
        most_ms=5,
    )


def _beside(
    work: str, ours: Callable[[float], object], theirs: Callable[[float], object], *, most_ms: float, ratio: float
) -> Iterator[Figure]:
    own, raw = _median_ms(ours), _median_ms(theirs)
    yield at_most(work, own, most_ms, "ms")
    yield at_most("  … over hand-written DuckDB", own / raw, ratio, "x", more=f" (DuckDB {raw:.1f} ms)")


def _alone(work: str, ours: Callable[[float], object], *, most_ms: float) -> Figure:
    return at_most(work, _median_ms(ours), most_ms, "ms")


def _median_ms(call: Callable[[float], object]) -> float:
    rnd = random.Random(1)
    call(0.0)
    took = []
    for _ in range(_ROUNDS):
        constant = rnd.random() * 1e-6
        began = time.perf_counter()
        call(constant)
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


class _Asker:
    """One connection that is kept."""

    def __init__(self, url: str, token: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, route: str, **body: object) -> Any:
        self._connection.request("POST", f"/api/v1{route}", json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return json.loads(data)


class _Raw:
    """The engine alone, on a copy of the index: a served one cannot be opened by anybody else."""

    def __init__(self, file: Path) -> None:
        self._connection = duckdb.connect(str(file), read_only=True, config={"threads": 2})
        rows = self._connection.execute("SELECT key, number FROM columns WHERE level = 'items'").fetchall()
        self._numbers = dict(rows)

    def column(self, key: str) -> str:
        return f"c{self._numbers[key]}"

    def __call__(self, statement: str, constant: float) -> list[Any]:
        return self._connection.execute(statement, [constant]).fetchall()


def _fill(data: Path, count: int) -> Person:
    workspace, rnd, now = Workspace(data), random.Random(7), now_us()
    person = workspace.person("finder@example.org")
    folders = [workspace.folder(person, f"folder {number}") for number in range(_FOLDERS)]
    for start in range(0, count, _BATCH):
        new = [
            NewItem(
                ItemId(new_id()), folders[number % _FOLDERS], ItemType.IMAGE, f"{number:08d}.jpg", person.id,
                MediaFacts(file_size=1000 + number, mime_type="image/jpeg", width=640, height=480),
                metadata=json.dumps(_metadata(rnd, number)),
            )
            for number in range(start, start + _BATCH)
        ]  # fmt: skip
        with workspace.catalog.write() as unit:
            unit.items.add_many(new, user_id=person.id, now_us=now)
            unit.log(Entity.ITEM, Op.CREATE, [item.id for item in new])
    workspace.close()
    return person


def _metadata(rnd: random.Random, number: int) -> dict[str, Any]:
    return {
        "score": rnd.random(),
        "temp": rnd.gauss(15, 8),
        "status": _WEATHER[number % 4],
        "city": f"city {rnd.randrange(200)}",
        "camera": f"camera {rnd.randrange(12)}",
        "night": rnd.random() < 0.3,
        "rank": rnd.randrange(1000),
        "speed": rnd.uniform(0, 50),
        "note": f"note {rnd.randrange(100_000)} about rain",
        "driver": f"driver {rnd.randrange(500)}",
        "lanes": rnd.randrange(6),
        "tags": [rnd.choice("abc"), rnd.choice("def")],
    }
