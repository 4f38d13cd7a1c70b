from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.core.ids import JobId
from framedex.core.ports.blobs import ObjectInfo
from framedex.services import folder_sync_scan
from framedex.services.folder_sync_scan import Listings
from framedex.stores.blobs.local import LocalObjects

JOB, OTHER = JobId("job"), JobId("other")


class Counted(LocalObjects):
    """Counts how often it is listed."""

    listed = 0

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[tuple[str, ObjectInfo]]:
        self.listed += 1
        return super().list_objects(prefix, start_after=start_after)


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setattr(folder_sync_scan, "STRETCH", 3)
    for number in range(8):
        (tmp_path / f"{number}").write_bytes(b"x")
    return Counted(str(tmp_path))


def stretch(listings: Listings, objects: Counted, after: str | None, job: JobId = JOB) -> tuple[str, str | None]:
    """The names of a stretch, and the key behind which the next begins."""
    found = listings.stretch(job, objects, "", after)
    return "".join(entry.key[-1] for entry in found), found[-1].key if found else None


def test_stretch__lists_once_as_long_as_it_goes_on(objects: Counted) -> None:
    listings = Listings()
    names, after = stretch(listings, objects, None)
    assert names == "012"
    names, after = stretch(listings, objects, after)
    assert names == "345"
    assert stretch(listings, objects, after)[0] == "67"
    assert objects.listed == 1


def test_stretch__of_another_process_or_place_lists_from_the_key(objects: Counted) -> None:
    first, second = Listings(), Listings()
    _, after = stretch(first, objects, None)
    names, later = stretch(second, objects, after)
    assert names == "345"
    assert stretch(first, objects, later)[0] == "67", "the first is not where the job is"
    assert objects.listed == 3


def test_stretch__each_job_has_its_own(objects: Counted) -> None:
    listings = Listings()
    _, after = stretch(listings, objects, None)
    assert stretch(listings, objects, None, OTHER)[0] == "012"
    assert stretch(listings, objects, after)[0] == "345"


def test_stretch__what_was_listed_long_ago_is_listed_anew(objects: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    listings = Listings()
    _, after = stretch(listings, objects, None)
    monkeypatch.setattr(folder_sync_scan, "_FRESH_S", -1.0)
    assert stretch(listings, objects, after)[0] == "345"
    assert objects.listed == 2
