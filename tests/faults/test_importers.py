"""Two importers of one manifest at the same moment: with `skip_duplicate_urls` there is one item an address."""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading

import pytest

from framedex.core.ids import FolderId, JobId
from framedex.core.jobs import UnitState
from tests.builders import media_files
from tests.builders.databases import ON_POSTGRES, environment
from tests.builders.living import command, run
from tests.faults.conftest import World
from tests.faults.servers import Api, Json, findings, served

pytestmark = pytest.mark.faults

ROUNDS = 6 if ON_POSTGRES else 20
_UNITS = 40


def _manifest(urls: list[str], *, is_supplied: bool) -> Json:
    facts = {"imageMetadata": {"fileSize": 9, "width": 4, "height": 3, "mimeType": "image/png"}} if is_supplied else {}
    return {"skip_duplicate_urls": True, "images": [{"objectUrl": url, **facts} for url in urls]}


def _skipped(world: World, job: str) -> list[bool]:
    with world.workspace.catalog.read() as read:
        receipts = read.jobs.receipts(JobId(job), after=-1, limit=1000)
    assert {r.state for r in receipts} == {UnitState.DONE}
    return [bool(json.loads(r.receipt or "").get("skipped")) for r in receipts]


def test_two_importers__twenty_rounds_make_no_duplicate(world: World, dice: random.Random) -> None:
    urls = [world.put(f"{n:03}.png", media_files.png(seed=n)) for n in range(_UNITS)]
    with served(world.data) as server:
        second = world.workspace.folder(world.admin, "other")
        for number in range(ROUNDS):
            folder = world.workspace.folder(world.admin, f"round {number}", second)
            _one_round(world, Api(server, world.admin), folder, urls, dice, is_supplied=number % 2 == 0)
        server.assert_well()
    assert findings(world.data) == []


def _one_round(
    world: World, api: Api, folder: FolderId, urls: list[str], dice: random.Random, *, is_supplied: bool
) -> None:
    states: dict[str, Json] = {}
    ready = threading.Barrier(2)

    def importer(files: Json) -> None:
        ready.wait()
        job = api.start_job(folder, files, world.integration).json()
        states[job] = api.await_job(folder, job)

    orders = [dice.sample(urls, len(urls)) for _ in range(2)]
    threads = [threading.Thread(target=importer, args=(_manifest(o, is_supplied=is_supplied),)) for o in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = api.items(folder)
    assert sorted(str(i["url"]) for i in items) == sorted(urls)
    assert len(states) == 2
    by_url = {str(i["url"]): i["uuid"] for i in items}
    for state in states.values():
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", _UNITS, 0)
        named = state["itemsWithNames"]
        assert isinstance(named, list)
        assert sorted(row["itemUuid"] for row in named) == sorted(str(v) for v in by_url.values())
    skipped = [is_skipped for job in states for is_skipped in _skipped(world, job)]
    assert (skipped.count(False), skipped.count(True)) == (_UNITS, _UNITS)


@pytest.mark.slow
def test_two_import_commands__without_a_server(world: World) -> None:
    names = [f"{n:03}.png" for n in range(60)]
    for n, name in enumerate(names):
        world.put(name, media_files.png(seed=n))
    for number in range(3):
        folder = world.workspace.folder(world.admin, f"round {number}")
        arguments = command(
            "import", world.media, "--folder", folder, "--user", world.admin.email, "--data", world.data
        )
        database = {**os.environ, **environment(world.data)}
        both = [
            subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=database)
            for _ in range(2)
        ]
        outputs = [process.communicate(timeout=120)[0].decode() for process in both]
        # One of them does the work; when it is through before the other, that one says so and is run again.
        ended = [process.returncode for process in both]
        assert 0 in ended, outputs
        assert all("run the same command again" in o for o, code in zip(outputs, ended, strict=True) if code), outputs
        again = run("import", *arguments[4:])
        assert again.returncode == 0, again.stdout + again.stderr
        with world.workspace.catalog.read() as read:
            ids = list(read.items.iter_ids([folder]))
            found = read.items.get_many(ids, with_metadata=False)
        assert sorted(item.name for item in found.values()) == names
    assert findings(world.data) == []
