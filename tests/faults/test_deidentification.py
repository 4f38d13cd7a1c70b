"""kill -9 of the server while it de-identifies DICOM files."""

from __future__ import annotations

import io
import random
import re
import time
from pathlib import Path

import pydicom
import pytest

from framedex.core.clock import now_us
from framedex.core.ids import IntegrationId, JobId, new_id
from framedex.core.jobs import UnitState
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog_people import Integration
from tests.builders.dicom_files import PERSON, image_dataset, written
from tests.faults.conftest import World
from tests.faults.servers import Api, Json, Server, findings, served

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_FILES, _KILLS = 90, 3


def _writable(world: World) -> IntegrationId:
    integration_id = IntegrationId(new_id())
    config = IntegrationConfig(IntegrationKind.LOCAL, str(world.media), writable=True)
    with world.workspace.catalog.write() as unit:
        unit.people.add_integration(Integration(integration_id, "writable", config, now_us()))
    return integration_id


def _await(api: Api, job: str) -> Json:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        state = api.answer("GET", f"dicom-deidentification/{job}?timeoutSeconds=20")
        if state["status"] != "PENDING":
            return state
    raise AssertionError("the job did not end")


def _kill_in_the_middle(server: Server, folder: Path, more: int) -> None:
    """Kills when so many more files are there, so that a kill falls into the work whatever the machine's speed."""
    before = len(list(folder.iterdir()))
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < before + more:
        assert time.monotonic() < deadline, "no further file was written"
        time.sleep(0.001)
    server.kill()
    server.start()


def test_server_killed_while_deidentifying__each_file_once_and_whole(world: World, dice: random.Random) -> None:
    originals = {f"{n:03}.dcm": written(image_dataset(side=256, seed=n)) for n in range(_FILES)}
    urls = [world.put(f"in/{name}", data) for name, data in originals.items()]
    out = world.media / "out"
    out.mkdir()
    integration = _writable(world)
    with served(world.data, FRAMEDEX_JOB_THREADS="3") as server:
        api = Api(server, world.admin)
        asked = {"integrationUuid": integration, "dicomUrls": urls, "uploadDir": "out"}
        started = api.request("POST", "dicom-deidentification", json=asked)
        assert started.status_code == 200, started.text
        job = started.json()
        for _ in range(_KILLS):
            _kill_in_the_middle(server, out, dice.randrange(1, _FILES // _KILLS - 5))
        state = _await(api, job)
        server.assert_well()
    with world.workspace.catalog.read() as read:
        units = read.jobs.receipts(JobId(job), after=-1, limit=_FILES)
    assert [unit.receipt for unit in units if unit.state is UnitState.ERROR] == []
    assert state["status"] == "DONE"
    found = [Path(url.removeprefix("file://")) for url in state["urls"]]
    assert [re.sub(r"^deid_\d+_", "", path.name) for path in found] == list(originals)
    # No file twice, and none but these: nothing half, nothing hidden.
    assert sorted(out.iterdir()) == sorted(found)
    for path, data in zip(found, originals.values(), strict=True):
        content = path.read_bytes()
        assert pydicom.dcmread(io.BytesIO(content)).PixelData == pydicom.dcmread(io.BytesIO(data)).PixelData
        assert PERSON["PatientID"].encode() not in content
    assert {path.read_bytes() for path in (world.media / "in").iterdir()} == set(originals.values())
    assert findings(world.data) == []


def test_job_cancelled__what_is_done_stays_and_nothing_else_comes(world: World) -> None:
    urls = [world.put(f"in/{n:03}.dcm", written(image_dataset(side=256, seed=n))) for n in range(_FILES)]
    out = world.media / "out"
    out.mkdir()
    integration = _writable(world)
    with served(world.data, FRAMEDEX_JOB_THREADS="3") as server:
        api = Api(server, world.admin)
        asked = {"integrationUuid": integration, "dicomUrls": urls, "uploadDir": "out"}
        job = api.request("POST", "dicom-deidentification", json=asked).json()
        deadline = time.monotonic() + 60
        while len(list(out.iterdir())) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        own = f"{server.url}/api/v1/jobs/{job}"
        client = server.clients[0]
        assert client.post(f"{own}/cancel").json()["units"] > 0
        assert api.answer("GET", f"dicom-deidentification/{job}?timeoutSeconds=0") == {"status": "ERROR", "urls": None}
        units = client.get(f"{own}/units?limit=1000&state=done").json()["units"]
        done = {Path(unit["details"]["output"].removeprefix("file://")) for unit in units}
        # What was under way when it was cancelled is written and removed again.
        deadline = time.monotonic() + 60
        while set(out.iterdir()) != done:
            assert time.monotonic() < deadline, "files stay that nobody knows of"
            time.sleep(0.01)
        server.assert_well()
