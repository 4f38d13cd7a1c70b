"""A job that one version of Framedex began and the next one ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from framedex.bootstrap import open_node
from framedex.core.ids import IntegrationId, JobId
from framedex.core.manifests import parse_manifest
from tests.builders import media_files
from tests.builders.databases import connected, settings_of
from tests.faults.conftest import World
from tests.faults.servers import Api, findings, served, texts

pytestmark = pytest.mark.faults

# What a job's options were before anything was added to them.
_OPTIONS = ("integration_id", "ignore_errors", "skip_duplicate_urls", "upsert_metadata", "is_instant")


def _begun(world: World, urls: list[str], *, ignore_errors: bool) -> JobId:
    """A job that nobody works on yet."""
    node = open_node(settings_of(world.data))
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


def _rewrite(world: World, job: JobId, where: str, **columns: Callable[[str], object]) -> None:
    """Writes columns of units anew, each from its payload."""
    with connected(world.data) as connection:
        query = sa.text(f"SELECT position, payload FROM job_units WHERE job_id = :job AND {where}")
        units = connection.execute(query, {"job": job}).all()
        assert units
        marks = ", ".join(f"{name} = :{name}" for name in columns)
        for position, payload in units:
            values = {name: make(payload) for name, make in columns.items()} | {"job": job, "position": position}
            change = sa.text(f"UPDATE job_units SET {marks} WHERE job_id = :job AND position = :position")
            connection.execute(change, values)


def _versioned(payload: str, version: int | None) -> str:
    """A payload with another version's number, or without one."""
    found = {name: value for name, value in json.loads(payload).items() if name != "v"}
    return json.dumps(found if version is None else {**found, "v": version})


def _as_before(world: World, job: JobId) -> None:
    """Payloads and options as the first version wrote them: without numbers, without later fields."""
    _rewrite(world, job, "payload LIKE '%\"v\":%'", payload=lambda text: _versioned(text, None))
    with connected(world.data) as connection:
        text = connection.execute(sa.text("SELECT options FROM jobs WHERE id = :job"), {"job": job}).scalar_one()
        old = {name: value for name, value in json.loads(text).items() if name in _OPTIONS}
        assert tuple(old) == _OPTIONS
        values = {"options": json.dumps(old), "job": job}
        connection.execute(sa.text("UPDATE jobs SET options = :options WHERE id = :job"), values)


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
    known, unknown = json.dumps(checked), json.dumps({"v": 99, "x": 1})
    _rewrite(world, job, "position = 0", state=lambda _: 1, checked=lambda _: known)
    _rewrite(world, job, "position = 1", state=lambda _: 1, checked=lambda _: unknown)
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
    _rewrite(world, job, "position = 2", payload=lambda text: _versioned(text, 99))
    with served(world.data) as server:
        api = Api(server, world.admin)
        state = api.await_job(world.folder, job)
        assert (state["status"], state["unitsDoneCount"], state["unitsErrorCount"]) == ("DONE", 3, 1), state
        assert "newer Framedex" in texts(state["unitErrors"])[0]
        server.assert_well()
