"""A job that one version of Framedex began and the next one ends."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from framedex.bootstrap import open_node
from framedex.core.ids import IntegrationId, JobId
from framedex.core.manifests import parse_manifest
from framedex.settings import load_settings
from tests.builders import media_files
from tests.faults.conftest import World
from tests.faults.servers import Api, findings, served, texts

pytestmark = pytest.mark.faults

# What a job's options were before anything was added to them.
_OPTIONS = ("integration_id", "ignore_errors", "skip_duplicate_urls", "upsert_metadata", "is_instant")


def _begun(world: World, urls: list[str], *, ignore_errors: bool) -> JobId:
    """A job that nobody works on yet."""
    node = open_node(load_settings(data=world.data, environment={}))
    try:
        files = {"images": [{"objectUrl": url, "clientMetadata": {"url": url}} for url in urls]}
        return node.services.registration.start(
            world.workspace.caller(world.admin),
            world.folder,
            parse_manifest(json.dumps(files).encode(), "external"),
            integration_id=IntegrationId(world.integration),
            ignore_errors=ignore_errors,
        )
    finally:
        node.close()


def _rewrite(world: World, job: JobId, change: str, *values: object) -> None:
    with closing(sqlite3.connect(world.data / "catalog.db")) as connection, connection:
        done = connection.execute(f"UPDATE job_units SET {change} AND job_id = ?", (*values, job))
        assert done.rowcount > 0


def _as_before(world: World, job: JobId) -> None:
    """Payloads and options as the first version wrote them: without numbers, without later fields."""
    _rewrite(world, job, "payload = json_remove(payload, '$.v') WHERE payload LIKE '%\"v\":%'")
    with closing(sqlite3.connect(world.data / "catalog.db")) as connection, connection:
        (text,) = connection.execute("SELECT options FROM jobs WHERE id = ?", (job,)).fetchone()
        old = {name: value for name, value in json.loads(text).items() if name in _OPTIONS}
        assert tuple(old) == _OPTIONS
        connection.execute("UPDATE jobs SET options = ? WHERE id = ?", (json.dumps(old), job))


@pytest.mark.parametrize("ignore_errors", [True, False])
def test_units_of_the_version_before__are_registered(world: World, ignore_errors: bool) -> None:
    urls = [world.put(f"{n}.png", media_files.png(seed=n)) for n in range(6)]
    job = _begun(world, urls, ignore_errors=ignore_errors)
    _as_before(world, job)
    # One was checked by the version before, whose facts are kept; one by a version whose facts nobody can read.
    checked = {
        "places": [[urls[0], world.integration, None, None]],
        "facts": [{"width": 77}],
        "whole": None,
        "encoded": [],
    }
    _rewrite(world, job, "state = 1, checked = ? WHERE position = 0", json.dumps(checked))
    _rewrite(world, job, "state = 1, checked = ? WHERE position = 1", json.dumps({"v": 99, "x": 1}))
    with served(world.data) as server:
        api = Api(server, world.admin)
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", 6, 0), state
        widths = {str(item["url"]): item["width"] for item in api.items(world.folder)}
        assert widths == dict.fromkeys(urls, 8) | {urls[0]: 77}
        server.assert_well()
    assert findings(world.data) == []


def test_unit_of_a_newer_version__fails_alone_and_says_why(world: World) -> None:
    urls = [world.put(f"{n}.png", media_files.png(seed=n)) for n in range(4)]
    job = _begun(world, urls, ignore_errors=True)
    _rewrite(world, job, "payload = json_set(payload, '$.v', 99) WHERE position = 2")
    with served(world.data) as server:
        api = Api(server, world.admin)
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", 3, 1), state
        assert "newer Framedex" in texts(state["unitErrors"])[0]
        server.assert_well()
