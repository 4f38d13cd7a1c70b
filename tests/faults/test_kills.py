"""kill -9 of the server at random moments, while jobs run and metadata is written."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from framedex.core.ids import JobId
from framedex.core.jobs import UnitState
from tests.builders import broken_media, media_files
from tests.builders.databases import ON_POSTGRES
from tests.faults.conftest import World
from tests.faults.servers import Api, Json, Server, findings, served
from tests.faults.writers import Writer, assert_kept, writing

pytestmark = [pytest.mark.faults, pytest.mark.slow]

#: On PostgreSQL as a second pass.
KILLS = 8 if ON_POSTGRES else 24
_SMALL = 400
_BUNDLE = 60


@dataclass
class Registration:
    """A job, and what it must come to: addresses that become one item, and those that fail."""

    good: list[str]
    bad: list[str]
    job: str = ""


def _images(world: World, stem: str, count: int, bad: int) -> Registration:
    good = [world.put(f"{stem}/{n:04}.png", media_files.png(seed=n)) for n in range(count)]
    cut = broken_media.cut(media_files.png(64, 64, seed=1))
    return Registration(good, [world.put(f"{stem}/bad{n}.png", cut) for n in range(bad)])


def _supplied(world: World, count: int) -> Registration:
    return Registration([f"{world.media.as_uri()}/supplied/{n:06}.png" for n in range(count)], [])


def _mixed(images: Registration, dice: random.Random) -> Json:
    urls = [*images.good, *images.bad]
    dice.shuffle(urls)
    return {"images": [{"objectUrl": url, "clientMetadata": {"url": url}} for url in urls]}


def _facts(images: Registration) -> Json:
    facts = {"fileSize": 9, "width": 4, "height": 3, "mimeType": "image/png"}
    return {"images": [{"objectUrl": url, "imageMetadata": facts} for url in images.good]}


def _start(api: Api, world: World, images: Registration, files: Json, *, ignore_errors: bool) -> None:
    response = api.start_job(world.folder, files, world.integration, ignore_errors=ignore_errors)
    assert response.status_code == 200, response.text
    images.job = response.json()


def _assert_registered(world: World, state: Json, images: Registration, items: dict[str, list[Json]]) -> None:
    """One item for each good unit, one error for each bad one, and receipts that say so."""
    assert state["status"] == "DONE", state
    assert [state[f"units{kind}Count"] for kind in ("Done", "Error", "Pending", "Cancelled")] == [
        len(images.good), len(images.bad), 0, 0,
    ]  # fmt: skip
    assert {url: len(items.get(url, [])) for url in images.good} == dict.fromkeys(images.good, 1)
    assert not any(url in items for url in images.bad)
    ids = {str(items[url][0]["uuid"]) for url in images.good}
    named = state["itemsWithNames"]
    assert isinstance(named, list)
    assert sorted(row["itemUuid"] for row in named) == sorted(ids)
    with world.workspace.catalog.read() as read:
        receipts = read.jobs.receipts(JobId(images.job), after=-1, limit=1_000_000)
    by_state = Counter(r.state for r in receipts)
    assert by_state == Counter({UnitState.DONE: len(images.good)}) + Counter({UnitState.ERROR: len(images.bad)})
    done = [json.loads(r.receipt or "")["items"] for r in receipts if r.state is UnitState.DONE]
    assert sorted(unit[0][0] for unit in done) == sorted(ids)


def _kill_and_start(server: Server, dice: random.Random) -> None:
    time.sleep(dice.uniform(0.02, 0.5))
    server.kill()
    server.start()


def test_server_killed_at_random__nothing_acknowledged_is_lost_and_jobs_end_right(
    world: World, dice: random.Random
) -> None:
    single = [world.workspace.item(world.admin, world.folder, metadata='{"n":0}') for _ in range(2)]
    bundled = [world.workspace.item(world.admin, world.folder, metadata='{"n":0}') for _ in range(_BUNDLE)]
    some, whole, instant = (
        _images(world, "some", _SMALL, 7),
        _images(world, "whole", _SMALL, 0),
        _supplied(world, 20_000),
    )
    # A slow disk: units take a while, so that kills fall into the middle of the jobs.
    with served(world.data, FRAMEDEX_JOB_THREADS="2") as server:
        api = Api(server, world.admin)
        writers = [
            *(Writer(api, "PATCH", f"storage/folders/{world.folder}/items/{i}", [i]) for i in single),
            Writer(api, "PATCH", "storage/items/patch-bulk", bundled),
        ]
        kills_in_jobs = 0
        with writing(writers):
            for kill in range(KILLS):
                if kill == 0:
                    _start(api, world, some, _mixed(some, dice), ignore_errors=True)
                if kill == KILLS // 3:
                    _start(api, world, whole, _mixed(whole, dice), ignore_errors=False)
                if kill == KILLS // 2:
                    _start(api, world, instant, _facts(instant), ignore_errors=True)
                with world.workspace.catalog.read() as read:
                    kills_in_jobs += bool(read.jobs.runnable(0))
                _kill_and_start(server, dice)
                for writer in writers[:1]:
                    assert writer.acknowledged <= writer.sent
        states = [api.await_job(world.folder, images.job) for images in (some, whole, instant)]
        items: dict[str, list[Json]] = {}
        for item in api.items(world.folder):
            items.setdefault(str(item["url"]), []).append(item)
        for images, state in zip((some, whole, instant), states, strict=True):
            _assert_registered(world, state, images, items)
        for writer in writers:
            assert_kept(api, writer)
            assert writer.acknowledged > 0
        print(f"{kills_in_jobs} of {KILLS} kills while jobs ran; acknowledged {[w.acknowledged for w in writers]}")
        assert kills_in_jobs >= KILLS // 2
        server.assert_well()
    assert findings(world.data) == []
