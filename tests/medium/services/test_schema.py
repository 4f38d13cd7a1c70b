"""The schema's service, what is derived in the transaction of a write, and the job that lets stored items follow.

The catalog and the runner of jobs are the real ones.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments, NotFound, NotPermitted, VersionMismatch
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, ItemId, UserId, new_id
from framedex.core.jobs import Job, JobState, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import MemberType, User, WorkspaceRole
from framedex.core.ports.catalog import Catalog
from framedex.core.ports.catalog_items import NewItem
from framedex.jobs.runner import Runner
from framedex.jobs.signals import Signals
from framedex.services import schema_sync
from framedex.services.derived import DerivedMetadata, Foreseen
from framedex.services.history import HistoryService
from framedex.services.schema import SchemaService
from framedex.services.schema_sync import SchemaSyncHandler
from tests.builders.databases import open_catalog

NUMBER: dict[str, Any] = {"ty": "variant", "hint": "number"}
TEXT: dict[str, Any] = {"ty": "variant", "hint": "text"}
VECTOR: dict[str, Any] = {"ty": "embedding", "size": 2, "api": None}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


class Workspace:
    """A member with a folder, the services, and a runner that steps when it is told to."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.derived = DerivedMetadata()
        self.schema = SchemaService(catalog, self.derived, Signals())
        self.history = HistoryService(catalog, self.derived)
        self.ada = self.person("ada", WorkspaceRole.MEMBER)
        self.folder = self.folder_of(self.ada)

    def person(self, name: str, role: WorkspaceRole, member_type: MemberType = MemberType.INTERNAL) -> Caller:
        user_id, email = UserId(new_id()), f"{name}@example.org"
        with self.catalog.write() as unit:
            unit.people.add_user(User(user_id, email, role, member_type, True, 1, 1))
        return Caller(user_id, email, (user_id,))

    def folder_of(self, owner: Caller) -> FolderId:
        folder_id = FolderId(new_id())
        with self.catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, None, "folder", owner.user_id, 1))
        return folder_id

    def add(
        self,
        metadata: Sequence[object],
        *,
        folder_id: FolderId | None = None,
        item_type: ItemType = ItemType.IMAGE,
        facts: MediaFacts | None = None,
    ) -> list[ItemId]:
        new = [self.new_item(json.dumps(value), folder_id, item_type, facts) for value in metadata]
        return self.put(new)

    def new_item(
        self,
        metadata: str | None,
        folder_id: FolderId | None = None,
        item_type: ItemType = ItemType.IMAGE,
        facts: MediaFacts | None = None,
    ) -> NewItem:
        item_id, home = ItemId(new_id()), folder_id or self.folder
        return NewItem(item_id, home, item_type, "item", self.ada.user_id, facts or MediaFacts(), metadata=metadata)

    def put(self, new: Sequence[NewItem], foreseen: Sequence[Foreseen] | None = None) -> list[ItemId]:
        with self.catalog.write() as unit:
            unit.items.add_many(new, user_id=self.ada.user_id, now_us=1)
            self.derived.add(unit, new, foreseen)
        return [item.id for item in new]

    def save(self, **keys: dict[str, Any]) -> int:
        return self.schema.save(self.ada, json.dumps(keys)).version

    def misfits(self, key: str) -> list[tuple[ItemId, str, str]]:
        found = self.schema.list_misfits(self.ada, key=key, after=None, limit=10_000)
        return [(row.item_id, row.frame, row.reason) for row in found]

    def vectors(self, item_id: ItemId) -> dict[tuple[str, str], list[float]]:
        with self.catalog.read() as unit:
            return {(v.frame, v.key): list(array("f", v.data)) for v in unit.metadata.vectors(item_id)}

    def runner(self) -> Runner:
        handlers = {schema_sync.KIND: SchemaSyncHandler(self.catalog, self.derived)}
        return Runner(self.catalog, handlers, Signals(), threads=1)

    def jobs(self) -> list[Job]:
        with self.catalog.read() as unit:
            return list(unit.jobs.list_recent(self.ada, None, 100))

    def settle(self) -> Job:
        """Runs jobs to their end; answers the newest."""
        runner = self.runner()
        while any(job.state.is_running for job in self.jobs()):
            runner.step()
        runner.stop()
        return self.jobs()[0]


@pytest.fixture
def workspace(catalog: Catalog) -> Workspace:
    return Workspace(catalog)


# ------------------------------------------------------------------------------------------------------------ versions


def test_save__every_change_is_a_version_and_the_same_again_is_none(workspace: Workspace) -> None:
    assert workspace.schema.get(workspace.ada) is None
    assert [workspace.save(a=TEXT), workspace.save(a=TEXT), workspace.save(a=TEXT, b=NUMBER)] == [1, 1, 2]
    found = workspace.schema.list_versions(workspace.ada, before=None, limit=10)
    assert [(v.version, sorted(json.loads(v.text)), v.edited_by) for v in found] == [
        (2, ["a", "b"], "ada@example.org"),
        (1, ["a"], "ada@example.org"),
    ]


def test_save__a_version_that_moved_on_is_refused(workspace: Workspace) -> None:
    workspace.schema.save(workspace.ada, json.dumps({"a": TEXT}), expected=0)
    for refused in (workspace.schema.save, workspace.schema.try_out):
        with pytest.raises(VersionMismatch, match="at version 1 now, not 0"):
            refused(workspace.ada, json.dumps({"a": NUMBER}), expected=0)
    workspace.schema.save(workspace.ada, json.dumps({"a": NUMBER}), expected=1)


@pytest.mark.parametrize(
    ("role", "member_type"),
    [(WorkspaceRole.TASKER, MemberType.INTERNAL), (WorkspaceRole.MEMBER, MemberType.EXTERNAL)],
)
def test_save__not_by_taskers_and_guests(workspace: Workspace, role: WorkspaceRole, member_type: MemberType) -> None:
    workspace.save(a=TEXT)
    bob = workspace.person("bob", role, member_type)
    seen = workspace.schema.get(bob)
    assert seen is not None
    for act in (
        lambda: workspace.schema.save(bob, "{}"),
        lambda: workspace.schema.save_flat(bob, "{}"),
        lambda: workspace.schema.try_out(bob, "{}"),
        lambda: workspace.schema.restore(bob, 1),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert workspace.schema.get(workspace.ada) == seen


def test_restore__as_a_new_version_in_which_the_dead_stay_dead(workspace: Workspace) -> None:
    workspace.save(a=TEXT, b=NUMBER)
    workspace.save(a={"ty": "tombstone", "deleted_ty": None}, c=TEXT)
    restored = workspace.schema.restore(workspace.ada, 1)
    assert restored.version == 3
    assert json.loads(restored.text) == {"a": {"ty": "tombstone", "deleted_ty": None}, "b": NUMBER}
    with pytest.raises(NotFound, match="no version 9"):
        workspace.schema.restore(workspace.ada, 9)


def test_save__a_refused_change_changes_nothing(workspace: Workspace) -> None:
    workspace.save(v=VECTOR)
    with pytest.raises(InvalidArguments, match=r"^\$\.v: the size of an embedding cannot change"):
        workspace.save(v=VECTOR | {"size": 3}, w=TEXT)
    assert workspace.schema.list_versions(workspace.ada, before=None, limit=9)[0].version == 1


# ------------------------------------------------------------------------------------------------------------- derived


def test_add_and_replace__in_the_transaction_of_the_write(workspace: Workspace) -> None:
    workspace.save(n=NUMBER, v=VECTOR)
    good, bad, plain = workspace.add([{"n": 1, "v": [1, 2]}, {"n": "1", "v": [1]}, {"other": 1}])
    assert workspace.vectors(good) == {("", "v"): [1, 2]}
    assert workspace.misfits("n") == [(bad, "", "a number is wanted; this is a string")]
    assert workspace.misfits("v") == [(bad, "", "2 numbers are wanted; there are 1")]
    workspace.history.patch_metadata(workspace.ada, bad, '{"n": 2, "v": [3, 4]}')
    workspace.history.patch_metadata(workspace.ada, good, '{"v": null}')
    workspace.history.patch_metadata(workspace.ada, plain, '{"n": true}')
    assert workspace.vectors(bad) == {("", "v"): [3, 4]}
    assert workspace.vectors(good) == {}
    assert workspace.misfits("n") == [(plain, "", "a number is wanted; this is a boolean")]
    workspace.history.restore(workspace.ada, good, 1)
    assert workspace.vectors(good) == {("", "v"): [1, 2]}


def test_add__what_was_foreseen_counts_while_the_schema_is_the_same(workspace: Workspace) -> None:
    workspace.save(n=NUMBER, v=VECTOR)
    workspace.add([{}])
    texts = ['{"n": "1"}', '{"n": 1}', '{"v": [1, 2]}', None]

    def foreseen() -> tuple[list[NewItem], list[Foreseen]]:
        new = [workspace.new_item(text) for text in texts]
        return new, [seen for item in new if (seen := workspace.derived.foresee([item])) is not None]

    new, seen = foreseen()
    assert [(s.version, len(s.rows)) for s in seen] == [(1, 1), (1, 0), (1, 1)]
    string, _, vector, _ = workspace.put(new, seen)
    assert [row[0] for row in workspace.misfits("n")] == [string]
    assert workspace.vectors(vector) == {("", "v"): [1, 2]}
    new, seen = foreseen()
    workspace.save(n=TEXT, v={"ty": "tombstone", "deleted_ty": VECTOR})
    _, number, vector, _ = workspace.put(new, seen)
    assert [row for row in workspace.misfits("n") if row[0] != string] == [
        (number, "", "a string is wanted; this is a number")
    ]
    assert workspace.vectors(vector) == {}
    workspace.put([workspace.new_item(None)], [])


def test_replace__frames_are_held_against_the_stored_facts(workspace: Workspace) -> None:
    workspace.save(v=VECTOR)
    facts = MediaFacts(fps=10, duration=2)
    (video,) = workspace.add([{}], item_type=ItemType.VIDEO, facts=facts)
    frames = {"19": {"v": [1, 2]}, "20": {"v": [1, 2]}}
    workspace.history.patch_metadata(workspace.ada, video, json.dumps({"$encord": {"frames": frames}}))
    assert workspace.misfits("$encord") == [(video, "20", "the video has 20 frames")]
    assert workspace.vectors(video) == {("19", "v"): [1, 2]}


def test_patch_metadata__a_wrong_container_changes_nothing(workspace: Workspace) -> None:
    (item,) = workspace.add([{"a": 1, "$encord": {"frames": {"0": {}}}}])
    with pytest.raises(InvalidArguments, match=r"^\$\.\$encord\.frames: must be an object"):
        workspace.history.patch_metadata(workspace.ada, item, '{"$encord": {"frames": [0]}}')
    with workspace.catalog.read() as unit:
        assert unit.metadata.versions_now([item]) == {item: 1}


# ----------------------------------------------------------------------------------------------------------- following


def test_sync__items_follow_every_schema(workspace: Workspace) -> None:
    a, b = workspace.add([{"n": "1", "v": [1, 2]}, {"n": 1, "v": [1, 2, 3]}])
    workspace.save(n=NUMBER, v=VECTOR)
    assert workspace.misfits("n") == []
    assert workspace.settle().state is JobState.DONE
    assert workspace.misfits("n") == [(a, "", "a number is wanted; this is a string")]
    assert workspace.misfits("v") == [(b, "", "2 numbers are wanted; there are 3")]
    assert workspace.vectors(a) == {("", "v"): [1, 2]}
    workspace.save(n=TEXT, v={"ty": "tombstone", "deleted_ty": VECTOR})
    workspace.settle()
    assert workspace.misfits("n") == [(b, "", "a string is wanted; this is a number")]
    assert workspace.misfits("v") == []
    assert workspace.vectors(a) == {}
    workspace.save()
    workspace.settle()
    assert workspace.misfits("n") == []


def test_sync__no_job_where_no_type_changed(workspace: Workspace) -> None:
    workspace.save(v=VECTOR, n={"ty": "variant", "hint": "number"})
    count = len(workspace.jobs())
    workspace.save(v=VECTOR | {"api": {"url": "http://example.org"}}, n={"ty": "number", "format": "F64"})
    workspace.save(v=VECTOR, n=NUMBER)
    assert len(workspace.jobs()) == count + 2, "the API of an embedding is a part of its type"


def test_sync__goes_on_in_stretches_after_a_worker_died(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_sync, "_ITEMS", 7)
    items = workspace.add([{"n": str(number)} for number in range(40)])
    workspace.save(n=NUMBER)
    dying = workspace.runner()
    while len(workspace.misfits("n")) < 14:
        dying.step()
    done = len(workspace.misfits("n"))
    assert 14 <= done < 40
    # It dies with a unit in its hands; whoever comes next holds the data directory alone.
    with workspace.catalog.write() as unit:
        unit.jobs.abandon_leases()
    job = workspace.settle()
    assert (job.state, job.units_done, job.units_total) == (JobState.DONE, 6, 6)
    assert [item for item, _, _ in workspace.misfits("n")] == sorted(items)
    with workspace.catalog.read() as unit:
        receipts = [
            json.loads(text) for _, text in unit.jobs.receipt_texts(job.id, UnitState.DONE, after=-1, limit=1000)
        ]
    assert [receipt["items"] for receipt in receipts] == [7, 7, 7, 7, 7, 5]


def test_sync__stretches_are_short_where_much_is_derived(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_sync, "_ROWS", 10)
    frames = {"$encord": {"frames": {str(number): {"n": "x"} for number in range(6)}}}
    facts = MediaFacts(frame_count=6)
    items = workspace.add([frames] * 5, item_type=ItemType.VIDEO, facts=facts)
    workspace.save(n=NUMBER)
    job = workspace.settle()
    assert (job.state, job.units_total) == (JobState.DONE, 3)
    assert len(workspace.misfits("n")) == 6 * len(items)


def test_sync__what_was_written_meanwhile_stands(workspace: Workspace) -> None:
    (item,) = workspace.add([{"n": "old"}])
    workspace.save(n=NUMBER)
    handler = SchemaSyncHandler(workspace.catalog, workspace.derived)
    job = workspace.jobs()[0]
    with workspace.catalog.write() as unit:
        (claimed,) = unit.jobs.claim(job, worker="w", limit=1, now_us=1, lease_us=1)
    prepared = handler.prepare(job, claimed)
    workspace.history.patch_metadata(workspace.ada, item, '{"n": 1}')
    with workspace.catalog.write() as unit:
        (outcome,) = handler.apply(unit, job, [prepared])
    assert outcome.state is UnitState.DONE
    assert workspace.misfits("n") == []


def test_sync__a_newer_schema_ends_the_job_of_an_older_one(workspace: Workspace) -> None:
    (item,) = workspace.add([{"n": "1"}])
    workspace.save(n=NUMBER)
    handler = SchemaSyncHandler(workspace.catalog, workspace.derived)
    older = workspace.jobs()[0]
    with workspace.catalog.write() as unit:
        (claimed,) = unit.jobs.claim(older, worker="w", limit=1, now_us=1, lease_us=1)
    prepared = handler.prepare(older, claimed)
    workspace.save(n=TEXT)
    assert [job.state for job in workspace.jobs()] == [JobState.APPLYING, JobState.CANCELLED]
    with workspace.catalog.write() as unit:
        assert unit.jobs.held(older.id, "w", [0]) == set()
        (outcome,) = handler.apply(unit, older, [prepared])
    assert json.loads(outcome.receipt or "") == {"superseded": True}
    workspace.settle()
    assert workspace.misfits("n") == []
    workspace.save(n=NUMBER)
    workspace.settle()
    assert [row[0] for row in workspace.misfits("n")] == [item]


# ------------------------------------------------------------------------------------------------------------- dry run


def test_try_out__counts_what_would_not_fit_and_changes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framedex.services.schema._BATCH", 3)
    workspace.save(a=TEXT)
    workspace.add([{"a": "x", "n": "1"}, {"n": 1}, {"n": "2"}, {"n": True}, {"a": 5}, {}, {"n": None}])
    bob = workspace.person("bob", WorkspaceRole.MEMBER)
    workspace.add([{"n": "hidden"}], folder_id=workspace.folder_of(bob))
    found = workspace.schema.try_out(workspace.ada, json.dumps({"n": NUMBER}))
    assert (found.version, found.items) == (1, 7)
    assert [(m.key, m.reason, m.count, m.samples) for m in found.misfits] == [
        ("n", "a number is wanted; this is a boolean", 1, ["true"]),
        ("n", "a number is wanted; this is a string", 2, ['"1"', '"2"']),
    ]
    assert workspace.schema.list_versions(workspace.ada, before=None, limit=9)[0].version == 1
    assert workspace.misfits("n") == []
