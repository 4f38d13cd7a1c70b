"""Re-encoded videos, jobs found by number, and notes of units under way, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.core.clock import now_us
from framedex.core.ids import FolderId, ItemId, JobId, UserId, new_id, number_of
from framedex.core.jobs import ClaimedUnit, Job, JobState, UnitOutcome, UnitState
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_reencodings import Reencoding
from framedex.stores.catalog.unit_of_work import SqlCatalog
from tests.builders.databases import open_catalog
from tests.builders.living import Workspace


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    made = open_catalog(tmp_path)
    yield made
    made.close()


def _job(catalog: SqlCatalog, kind: str = "reencode") -> Job:
    job = Job(
        JobId(new_id()), kind, JobState.APPLYING, 10, UserId(new_id()), None, None, "", "{}", (), 1, 0, 0, 0,
        now_us(), None,
    )  # fmt: skip
    with catalog.write() as write:
        write.jobs.add(job)
        write.jobs.add_units(job.id, [(0, UnitState.WAITING, "{}", None)])
    return job


def test_find_numbered__by_the_first_64_bits_and_the_kind(catalog: SqlCatalog) -> None:
    jobs, other = [_job(catalog) for _ in range(50)], _job(catalog, "register")
    with catalog.read() as read:
        for job in jobs:
            number = number_of(job.id)
            assert 0 < number < 1 << 63
            found = read.jobs.find_numbered(number, "reencode")
            assert found is not None
            assert found.id[:18] == job.id[:18]
        assert read.jobs.find_numbered(number_of(other.id), "reencode") is None
        for unknown in (0, 7, (1 << 64) - 1):
            assert read.jobs.find_numbered(unknown, "reencode") is None


def test_note__shows_until_the_outcome(catalog: SqlCatalog) -> None:
    job = _job(catalog)
    unit = ClaimedUnit(job.id, 0, "{}", None, 1)
    with catalog.write() as write:
        write.jobs.note(unit, '{"progress": 0.5}')
    with catalog.write() as write:
        assert write.jobs.receipts(job.id, after=-1, limit=9)[0].receipt == '{"progress": 0.5}'
        assert write.jobs.count_open(job.id) == {UnitState.WAITING: 1}
        write.jobs.settle(job.id, [UnitOutcome(0, UnitState.DONE, "{}")])
        write.jobs.note(unit, '{"progress": 0.9}')
        assert write.jobs.receipts(job.id, after=-1, limit=9)[0].receipt == "{}"


def test_reencodings__end_with_their_item_and_outlive_the_original(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    owner = workspace.person("owner@example.org", is_admin=True)
    folder = workspace.folder(owner, "videos")
    old, first, second = (ItemId(new_id()) for _ in range(3))
    with workspace.catalog.write() as write:
        videos = [_video(item_id, folder, owner.id) for item_id in (old, first, second)]
        write.items.add_many(videos, user_id=owner.id, now_us=now_us())
        write.reencodings.add(Reencoding(first, old, b"\x00map"))
        write.reencodings.add(Reencoding(second, old, b""))
    with workspace.catalog.read() as read:
        assert read.reencodings.get(first) == Reencoding(first, old, b"\x00map")
        assert read.reencodings.get(old) is None
        assert list(read.reencodings.made_of(old)) == [second, first]
    with workspace.catalog.write() as write:
        write.items.delete([second])
        write.items.delete([old])
    with workspace.catalog.read() as read:
        assert list(read.reencodings.made_of(old)) == [first]
        assert read.reencodings.get(second) is None
    workspace.close()


def _video(item_id: ItemId, folder: FolderId, owner: UserId) -> NewItem:
    return NewItem(item_id, folder, ItemType.VIDEO, "v", owner, MediaFacts())
