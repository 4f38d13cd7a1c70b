"""Syncs of folders step by step, on a node without a server: what a second one, a cancel, a retry, a lost right do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.access import Caller, Role
from framedex.core.errors import Conflict, InvalidArguments
from framedex.core.ids import FolderId, IntegrationId, JobId
from framedex.core.items import Item, ItemQuery
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.paging import PageRequest
from framedex.services.folder_sync import SyncSummary
from framedex.settings import load_settings
from tests.builders import media_files
from tests.builders.databases import database_url
from tests.builders.living import Workspace


class World:
    """A node whose jobs go on when a test says so, and a synced folder of a few pictures."""

    def __init__(self, data: Path, media: Path) -> None:
        self.node: Node = open_node(load_settings(data=data, database_url=database_url(data), environment={}))
        self.workspace = Workspace(data)
        self.owner = self.workspace.person("owner@example.org", is_admin=True)
        self.caller: Caller = self.workspace.caller(self.owner)
        self.media = media
        media.mkdir()
        self.integration: IntegrationId = self.workspace.integration(media)
        folder = self.node.services.folder_sync.create_folder(
            self.caller, name="synced", integration_id=self.integration, remote_url=media.as_uri()
        )
        self.folder: FolderId = folder.id

    def put(self, *names: str) -> None:
        for seed, name in enumerate(names):
            (self.media / name).write_bytes(media_files.png(seed=seed))

    def start(self) -> JobId:
        return self.node.services.folder_sync.start(self.caller, self.folder)

    def job(self, job_id: JobId) -> Job:
        return self.node.services.jobs.get_job(self.caller, job_id).job

    def finish(self, job_id: JobId) -> Job:
        while not (job := self.job(job_id)).state.is_final:
            self.node.runner.step()
        return job

    def sync(self) -> SyncSummary:
        job = self.finish(self.start())
        assert (job.state, job.units_error) == (JobState.DONE, 0)
        return self.node.services.folder_sync.summary(job.id)

    def items(self) -> dict[str, Item]:
        query, page = ItemQuery(folder_id=self.folder), PageRequest(limit=1000)
        with self.workspace.catalog.read() as unit:
            return {item.name: item for item in unit.items.list_page(self.caller, query, page).rows}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data", tmp_path / "media")
    yield made
    made.workspace.close()
    made.node.runner.stop()
    made.node.close()


def test_start__one_at_a_time(world: World) -> None:
    first = world.start()
    with pytest.raises(Conflict, match=f"A sync of this folder is running \\({first}\\)"):
        world.start()
    assert world.node.services.folder_sync.running(world.caller, world.folder) == first
    world.finish(first)
    assert world.node.services.folder_sync.running(world.caller, world.folder) is None
    world.start()


def test_delete_folder__waits_for_its_sync(world: World) -> None:
    world.start()
    with pytest.raises(InvalidArguments, match="a job is still registering into this folder"):
        world.node.services.folders.delete_folder(world.caller, world.folder)


def test_cancel__keeps_what_is_done_and_the_next_sync_does_the_rest(world: World) -> None:
    world.put(*(f"{n}.png" for n in range(40)))
    job_id = world.start()
    while not world.items():
        world.node.runner.step()
    assert world.node.services.jobs.cancel(world.caller, job_id) > 0
    assert world.job(job_id).state is JobState.CANCELLED
    done = world.items()
    assert 0 < len(done) < 40
    progress = world.node.services.folder_sync.progress(world.caller, world.folder, job_id)
    assert progress.objects[UnitState.CANCELLED] + progress.objects[UnitState.DONE] == 40
    found = world.sync()
    assert (found.new, found.unchanged) == (40 - len(done), len(done))
    assert {name: item.id for name, item in world.items().items() if name in done} == {
        name: item.id for name, item in done.items()
    }


def test_retry__of_failed_objects_and_never_beside_another_sync(world: World) -> None:
    (world.media / "a.png").write_bytes(b"no picture")
    job = world.finish(world.start())
    assert (job.state, job.units_error) == (JobState.DONE, 1)
    other = world.start()
    with pytest.raises(Conflict, match="A sync of this folder is running"):
        world.node.services.jobs.retry(world.caller, job.id)
    world.put("a.png")
    world.finish(other)
    assert world.node.services.jobs.retry(world.caller, job.id) == 1
    assert world.finish(job.id).units_error == 0
    assert list(world.items()) == ["a.png"], "the sync between has registered it already"


@pytest.mark.parametrize("lost", ["folder", "integration"])
def test_sync__ends_with_the_right_to_it(world: World, lost: str) -> None:
    world.put("a.png")
    member = world.workspace.person("member@example.org")
    caller = world.workspace.caller(member)
    with world.workspace.catalog.write() as unit:
        unit.folders.set_role(world.folder, member.id, Role.USER)
        unit.people.grant_integration(world.integration, member.id, Role.ADMIN)
    job_id = world.node.services.folder_sync.start(caller, world.folder)
    with world.workspace.catalog.write() as unit:
        if lost == "folder":
            unit.connection.exec_driver_sql(f"DELETE FROM folder_roles WHERE subject_id = '{member.id}'")
        else:
            unit.people.grant_integration(world.integration, member.id, Role.USER)
    job = world.node.services.jobs
    while not (found := job.get_job(caller, job_id).job).state.is_final:
        world.node.runner.step()
    assert found.state is JobState.ERROR
    assert "was taken away" in found.problems[0]
    assert world.items() == {}


def test_summary__counts_what_was_found(world: World) -> None:
    world.put("a.png", "b.png", "c.png")
    (world.media / "left.out").write_bytes(b"?")
    assert world.sync() == SyncSummary(listed=4, new=3, left_out=1)
    (world.media / "a.png").unlink()
    (world.media / "b.png").write_bytes(media_files.png(20, 20))
    assert world.sync() == SyncSummary(listed=3, changed=1, vanished=1, unchanged=1, left_out=1)
    world.put("a.png")
    # A local file that was written anew is another version: its ETag holds the time of writing.
    assert world.sync() == SyncSummary(listed=4, changed=1, unchanged=2, left_out=1)


def test_sync__a_long_name_is_told_and_no_more(world: World) -> None:
    deep = world.media
    for _ in range(4):
        deep = deep / ("図" * 70)
        deep.mkdir()
    (deep / "a.png").write_bytes(media_files.png())
    world.put("b.png")
    job = world.finish(world.start())
    assert (job.state, job.units_error) == (JobState.DONE, 1)
    (unit,) = world.node.services.jobs.list_units(world.caller, job.id, after=-1, limit=10, states=[UnitState.ERROR])
    assert "move the object to a shorter path" in json.loads(unit.receipt or "")["error"]
    assert list(world.items()) == ["b.png"]
