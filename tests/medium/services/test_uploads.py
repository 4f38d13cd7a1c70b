"""What uploads leave behind, and how it goes: real catalog, real objects on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.clock import now_us
from framedex.core.errors import NotPermitted
from framedex.core.ids import FolderId, ItemId, JobId, UserId, new_id
from framedex.core.jobs import Job, JobState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_uploads import UploadPlace
from framedex.core.ports.signing import UrlGrant, UrlPurpose
from framedex.services.registration_handler import KIND
from framedex.settings import load_settings
from framedex.stores.blobs.own import DiskBlobs
from tests.builders.databases import database_url
from tests.builders.living import Person, Workspace

_HOUR_US = 3600 * 1_000_000


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.close()


@pytest.fixture
def person(workspace: Workspace) -> Person:
    return workspace.person("one@example.org")


@pytest.fixture
def node(workspace: Workspace) -> Iterator[Node]:
    made = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    yield made
    made.close()


@pytest.fixture
def blobs(node: Node) -> DiskBlobs:
    return DiskBlobs(node.settings.blobs_dir, 0)


def _id_made(hours_ago: float) -> str:
    """An id as `new_id` made it so long ago."""
    milliseconds = (now_us() - int(hours_ago * _HOUR_US)) // 1000
    return f"{milliseconds:012x}"[:8] + "-" + f"{milliseconds:012x}"[8:] + new_id()[13:]


def _place(user_id: UserId, hours_ago: float, *, is_registered: bool = False) -> UploadPlace:
    item_id = ItemId(_id_made(hours_ago))
    at = now_us() - int(hours_ago * _HOUR_US)
    key = f"uploads/{item_id}/object"
    return UploadPlace(item_id, key, user_id, None, ItemType.IMAGE, at, is_registered=is_registered)


def test_remove_orphans__after_a_day(node: Node, workspace: Workspace, person: Person, blobs: DiskBlobs) -> None:
    fresh, old, empty = _place(person.id, 23.9), _place(person.id, 24.1), _place(person.id, 30)
    used = _place(person.id, 48, is_registered=True)
    with workspace.catalog.write() as unit:
        unit.uploads.add_many([fresh, old, empty, used])
    for place in (fresh, old, used):
        blobs.write(place.object_key, b"bytes")
    assert node.services.uploads.remove_orphans() == 2
    assert sorted(blobs.keys("uploads/")) == sorted([fresh.object_key, used.object_key])
    with workspace.catalog.read() as read:
        left = read.uploads.by_keys([p.object_key for p in (fresh, old, empty, used)])
    assert set(left) == {fresh.object_key, used.object_key}
    assert node.services.uploads.remove_orphans() == 0


def _sequence(person: Person, folder_id: FolderId, key: str) -> NewItem:
    item_id = ItemId(new_id())
    return NewItem(item_id, folder_id, ItemType.IMAGE_SEQUENCE, "s", person.id, MediaFacts(), object_key=key)


def test_remove_unused_videos__after_a_day_unless_an_item_has_them(
    node: Node, workspace: Workspace, person: Person, blobs: DiskBlobs
) -> None:
    folder_id = workspace.folder(person, "f")
    fresh, old, used = (f"sequences/{_id_made(hours)}/video.mp4" for hours in (1, 25, 26))
    for key in (fresh, old, used):
        blobs.write(key, b"video")
    with workspace.catalog.write() as unit:
        unit.items.add_many([_sequence(person, folder_id, used)], user_id=person.id, now_us=now_us())
    assert node.services.uploads.remove_unused_videos() == 1
    assert sorted(blobs.keys("sequences/")) == sorted([fresh, used])


def test_remove_unused_videos__leaves_those_of_jobs_that_run(
    node: Node, workspace: Workspace, person: Person, blobs: DiskBlobs
) -> None:
    folder_id = workspace.folder(person, "f")
    before, within = (f"sequences/{_id_made(hours)}/video.mp4" for hours in (50, 30))
    for key in (before, within):
        blobs.write(key, b"video")
    job = Job(
        id=JobId(new_id()), kind=KIND, state=JobState.CHECKING, priority=1, user_id=person.id,
        folder_id=folder_id, dataset_id=None, title="", options="{}", problems=(), units_total=1, units_done=0,
        units_error=0, units_cancelled=0, created_at=now_us() - 40 * _HOUR_US, finished_at=None,
    )  # fmt: skip
    with workspace.catalog.write() as unit:
        unit.jobs.add(job)
    assert node.services.uploads.remove_unused_videos() == 1
    assert list(blobs.keys("sequences/")) == [within]


def test_require_open__the_rights_are_looked_at_again(node: Node, workspace: Workspace, person: Person) -> None:
    owner, stranger = workspace.caller(person), workspace.caller(workspace.person("other@example.org"))
    uploads = node.services.uploads
    (place,) = uploads.reserve(owner, workspace.folder(person, "f"), ItemType.IMAGE, 1)
    grant = UrlGrant("PUT", UrlPurpose.UPLOAD, place.object_key, person.id, 100, now_us() + _HOUR_US)
    uploads.require_open(owner, grant)
    with pytest.raises(NotPermitted):
        uploads.require_open(stranger, grant)
