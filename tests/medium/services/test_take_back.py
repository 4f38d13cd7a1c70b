"""All-or-nothing registrations that end in an error: what their units registered goes again, in bounded steps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId, JobId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.services import registration_take_back
from framedex.services.registration_handler import KIND, RegistrationOptions
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import Person, Workspace

_OPTIONS = RegistrationOptions(None, False, False, False, True)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.close()


@pytest.fixture
def node(workspace: Workspace) -> Iterator[Node]:
    made = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    yield made
    made.close()


@pytest.fixture
def person(workspace: Workspace) -> Person:
    return workspace.person("one@example.org")


@pytest.fixture
def folder(workspace: Workspace, person: Person) -> FolderId:
    return workspace.folder(person, "f")


def _item(person: Person, folder: FolderId, item_id: str = "", key: str | None = None) -> NewItem:
    return NewItem(
        ItemId(item_id or new_id()), folder, ItemType.IMAGE, "n", person.id, MediaFacts(), object_key=key
    )  # fmt: skip


def _applied(workspace: Workspace, person: Person, folder: FolderId, units: Sequence[Sequence[NewItem]]) -> JobId:
    """A job whose units registered these items (the first of each is its own, the rest are frames); one more failed."""
    total = len(units) + 1
    job = Job(
        JobId(new_id()), KIND, JobState.STAGING, 10, person.id, folder, None, "", _OPTIONS.to_json(), (), total,
        len(units), 0, 0, now_us(), None,
    )  # fmt: skip
    rows: list[tuple[int, UnitState, str, str | None]] = [
        (n, UnitState.DONE, "{}", json.dumps({"items": [[own.id, "n"]], "frames": [f.id for f in frames]}))
        for n, (own, *frames) in enumerate(units)
    ]
    rows.append((len(units), UnitState.ERROR, "{}", json.dumps({"urls": [], "error": "gone", "action": "register"})))
    with workspace.catalog.write() as write:
        write.items.add_many([item for unit in units for item in unit], user_id=person.id, now_us=now_us())
        write.jobs.add(job)
        write.jobs.add_units(job.id, rows)
        write.jobs.activate(job.id, JobState.APPLYING, total=total, errors=1)
    return job.id


def _job(workspace: Workspace, job_id: JobId) -> Job:
    with workspace.catalog.read() as read:
        found = read.jobs.get(job_id)
    assert found is not None
    return found


def _left(workspace: Workspace, folder: FolderId) -> int:
    with workspace.catalog.read() as read:
        return sum(1 for _ in read.items.iter_ids([folder]))


def _settle(node: Node, workspace: Workspace, job_id: JobId, *, steps: int = 1000) -> Job:
    for _ in range(steps):
        node.runner.step()
        if _job(workspace, job_id).state.is_final:
            break
    return _job(workspace, job_id)


def test_take_back__more_units_than_a_statement_takes(
    node: Node, workspace: Workspace, person: Person, folder: FolderId
) -> None:
    kept = _item(person, folder)
    with workspace.catalog.write() as write:
        write.items.add_many([kept], user_id=person.id, now_us=now_us())
    job_id = _applied(workspace, person, folder, [[_item(person, folder)] for _ in range(33_000)])
    job = _settle(node, workspace, job_id)
    assert (job.state, job.units_done, job.units_error, job.units_cancelled) == (JobState.ERROR, 0, 1, 33_000)
    assert _left(workspace, folder) == 1


def test_take_back__one_unit_with_more_frames_than_a_statement_takes(
    node: Node, workspace: Workspace, person: Person, folder: FolderId
) -> None:
    job_id = _applied(workspace, person, folder, [[_item(person, folder) for _ in range(33_000)]])
    assert _settle(node, workspace, job_id).state is JobState.ERROR
    assert _left(workspace, folder) == 0


def test_take_back__goes_on_where_it_was_in_another_process(
    node: Node, workspace: Workspace, person: Person, folder: FolderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration_take_back, "_UNITS", 3)
    job_id = _applied(workspace, person, folder, [[_item(person, folder)] for _ in range(10)])
    for _ in range(2):
        node.runner.step()
    half = _job(workspace, job_id)
    assert (half.state, half.units_done, half.units_cancelled) == (JobState.APPLYING, 4, 6)
    assert _left(workspace, folder) == 4
    another = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    try:
        job = _settle(another, workspace, job_id)
    finally:
        another.close()
    assert (job.state, job.units_cancelled, _left(workspace, folder)) == (JobState.ERROR, 10, 0)


def test_take_back__a_step_that_was_rolled_back_is_done_again(
    node: Node, workspace: Workspace, person: Person, folder: FolderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration_take_back, "_UNITS", 3)
    job_id = _applied(workspace, person, folder, [[_item(person, folder)] for _ in range(10)])
    steps = registration_take_back.TakeBack()
    with suppress(ZeroDivisionError), workspace.catalog.write() as write:
        assert steps.step(write, _job(workspace, job_id))
        raise ZeroDivisionError
    assert _left(workspace, folder) == 10
    is_more = True
    while is_more:
        with workspace.catalog.write() as write:
            is_more = steps.step(write, _job(workspace, job_id))
    assert _left(workspace, folder) == 0
    with workspace.catalog.read() as read:
        states = Counter(unit.state for unit in read.jobs.receipts(job_id, after=-1, limit=100))
    assert states == {UnitState.CANCELLED: 10, UnitState.ERROR: 1}


def test_take_back__uploaded_files_can_be_registered_again(
    node: Node, workspace: Workspace, person: Person, folder: FolderId
) -> None:
    item_id = ItemId(new_id())
    place = UploadPlace(item_id, f"uploads/{item_id}/object", person.id, folder, ItemType.IMAGE, now_us(), True)
    with workspace.catalog.write() as write:
        write.uploads.add_many([place])
    job_id = _applied(workspace, person, folder, [[_item(person, folder, item_id, place.object_key)]])
    assert _settle(node, workspace, job_id).state is JobState.ERROR
    with workspace.catalog.read() as read:
        found = read.uploads.by_placeholders([item_id])[item_id]
    assert (found.object_key, found.is_registered, found.created_at) == (place.object_key, False, place.created_at)
