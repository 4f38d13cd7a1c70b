"""A backup of a server in full work: restored, it is what the original was at one moment, and goes on from there.

Row by row against the original: tests/medium/cli/test_backup.py. Planted damage: tests/medium/cli/test_doctor.py.
"""

from __future__ import annotations

import threading

import httpx
import pytest

from tests.builders import media_files
from tests.builders.living import run
from tests.faults.conftest import World
from tests.faults.servers import Api, findings, served

pytestmark = pytest.mark.faults


def test_backup_of_a_busy_server__restores_to_one_moment_and_its_job_goes_on(world: World) -> None:
    urls = [world.put(f"{n:04}.png", media_files.png(seed=n)) for n in range(800)]
    items = [world.workspace.item(world.admin, world.folder, metadata='{"n":0}') for _ in range(20)]
    backup, restored = world.data.parent / "backup", world.data.parent / "restored"
    with served(world.data) as server:
        api = Api(server, world.admin)
        stop, acknowledged = threading.Event(), [0]

        def write() -> None:
            while not stop.is_set():
                n = acknowledged[0] + 1
                patches = {i: {"clientMetadata": {"n": n}} for i in items}
                api.answer("PATCH", "storage/items/patch-bulk", json={"itemPatches": patches})
                body = {"itemType": "image", "count": 1}
                place = api.answer("POST", f"storage/folders/{world.folder}/upload-signed-urls", json=body)
                signed = place["results"][0]["signedUrl"]
                assert httpx.put(signed, content=media_files.png()).status_code == 200
                acknowledged[0] = n

        files = {"images": [{"objectUrl": url} for url in urls]}
        job = api.start_job(world.folder, files, world.integration).json()
        writer = threading.Thread(target=write)
        writer.start()
        before = acknowledged[0]
        made = run("backup", backup, "--data", world.data)
        after = acknowledged[0]
        stop.set()
        writer.join()
        assert made.returncode == 0, made.stderr
        assert api.await_job(world.folder, job)["unitsDoneCount"] == len(urls)
        server.assert_well()
    assert not (backup / "secret.key").exists()

    assert run("restore", backup, "--data", restored).returncode == 0
    with served(restored) as server:
        api = Api(server, world.admin)
        numbers = {int(str(metadata["n"])) for metadata in api.metadata(list(items))}
        assert len(numbers) == 1, "a bundle was copied in part"
        assert before <= numbers.pop() <= after + 1
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", len(urls), 0)
        found = [str(i["url"]) for i in api.items(world.folder)]
        assert sorted(url for url in found if url in set(urls)) == sorted(urls)
        server.assert_well()
    assert findings(restored) == []
    assert findings(world.data) == []
