"""kill -9 of the server while a folder syncs: it goes on where it was, and each object becomes one item."""

from __future__ import annotations

import json
import random
import time
from collections import Counter

import pytest

from framedex.core.folders import FolderType, NewFolder
from framedex.core.ids import FolderId, IntegrationId, JobId, new_id
from tests.builders import broken_media, media_files
from tests.faults.conftest import World
from tests.faults.servers import Api, Json, served
from tests.faults.servers import findings as findings_of

pytestmark = pytest.mark.faults

_PICTURES = 150
#: More than one stretch of the listing.
_TEXTS = 1100
_KILLS = 4


def _synced(world: World) -> FolderId:
    folder = NewFolder(
        FolderId(new_id()), None, "synced", world.admin.id, 0, folder_type=FolderType.CLOUD_LINKED,
        integration_id=IntegrationId(world.integration), remote_url=world.media.as_uri() + "/",
    )  # fmt: skip
    with world.workspace.catalog.write() as unit:
        unit.folders.add(folder)
        unit.folders.set_config(folder.id, '{"metadataIngestion": {}}')
    return folder.id


def _start(api: Api, folder: FolderId) -> JobId:
    answer = api.request("POST", f"storage/folders/{folder}/cloud-synced-folder-syncs")
    assert answer.status_code == 200, answer.text
    return JobId(answer.json())


def _ended(api: Api, folder: FolderId, job: JobId) -> Json:
    path = f"storage/folders/{folder}/cloud-linked-folder-syncs/{job}/long-polling"
    deadline = time.monotonic() + 120
    while (state := api.answer("GET", path, params={"timeoutSeconds": 30}))["status"] == "pending":
        assert time.monotonic() < deadline, state
    return state


def test_server_killed_at_random__a_sync_makes_each_object_one_item(world: World, dice: random.Random) -> None:
    for number in range(_PICTURES):
        world.put(f"p/{number:03}.png", media_files.png(seed=number))
        world.put(f"p/{number:03}.png.metadata.json", json.dumps({"n": number}).encode())
    for number in range(_TEXTS):
        world.put(f"t/{number:04}.txt", b"%d" % number)
    world.put("broken.png", broken_media.cut(media_files.png(64, 64, seed=1)))
    folder = _synced(world)
    with served(world.data, FRAMEDEX_JOB_THREADS="2") as server:
        api = Api(server, world.admin)
        job = _start(api, folder)
        kills = 0
        for _ in range(_KILLS):
            time.sleep(dice.uniform(0.05, 0.6))
            with world.workspace.catalog.read() as read:
                kills += bool(read.jobs.runnable(0))
            server.kill()
            server.start()
        state = _ended(api, folder, job)
        assert kills >= _KILLS // 2, "the sync was over before the server was killed"
        assert state["status"] == "done", state
        counts = [state[f"uploadJobsUnits{kind}"] for kind in ("Done", "Error", "Pending", "Cancelled")]
        assert counts == [2 * _PICTURES + _TEXTS, 1, 0, 0]
        items = api.items(folder)
        assert set(Counter(str(item["url"]) for item in items).values()) == {1}
        assert len(items) == _PICTURES + _TEXTS
        given = {item["name"]: json.loads(item["clientMetadata"]) for item in items if item["clientMetadata"] != "{}"}
        assert given == {f"p/{number:03}.png": {"n": number} for number in range(_PICTURES)}
        again = _ended(api, folder, _start(api, folder))
        assert (again["uploadJobsUnitsDone"], again["uploadJobsUnitsError"]) == (0, 1)
        server.assert_well()
    assert findings_of(world.data) == []
