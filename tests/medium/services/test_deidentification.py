"""The job of de-identification between a write and its receipt; catalog, media processes and files are real."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.access import Role
from framedex.core.clock import now_us
from framedex.core.deidentification import DeidentificationOptions, folder_address, new_address
from framedex.core.errors import InvalidArguments, NotPermitted
from framedex.core.ids import IntegrationId
from framedex.core.jobs import ClaimedUnit, Job, JobState
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.job_handlers import Prepared
from framedex.services.deidentification_handler import DeidentificationHandler, Result
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.dicom_files import image_dataset, written
from tests.builders.living import Person, Workspace


@dataclass(frozen=True)
class Place:
    """A workspace with one writable integration, and a job on one file that no runner takes."""

    node: Node
    workspace: Workspace
    person: Person
    media: Path
    job: Job
    unit: ClaimedUnit
    handler: DeidentificationHandler

    @property
    def target(self) -> Path:
        options = DeidentificationOptions.from_json(self.job.options)
        return Path(options.target(f"file://{self.media}/1.dcm", 0).removeprefix("file://"))

    def prepare(self) -> Prepared:
        return self.handler.prepare(self.job, self.unit)

    def names(self) -> set[str]:
        return {path.name for path in self.media.iterdir()}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    media = (tmp_path / "media").resolve()
    media.mkdir()
    (media / "1.dcm").write_bytes(written(image_dataset()))
    workspace = Workspace(tmp_path / "data")
    person = workspace.person("one@example.org", is_admin=True)
    node = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    config = IntegrationConfig(IntegrationKind.LOCAL, str(media), writable=True)
    integration = node.administration.add_integration("writable", config)
    job_id = node.services.deidentification.start(
        workspace.caller(person), integration.id, [f"file://{media}/1.dcm"], is_redacted=True, conditions=(),
        upload_dir=None,
    )  # fmt: skip
    with workspace.catalog.write() as write:
        job = write.jobs.get(job_id)
        assert job is not None
        (unit,) = write.jobs.claim(job, worker="w", limit=1, now_us=now_us(), lease_us=60_000_000)
    handler = DeidentificationHandler(
        workspace.catalog, node.prober, node.integrations.open, node.integrations.open_writable, "salt"
    )
    yield Place(node, workspace, person, media, job, unit, handler)
    node.close()
    workspace.close()


def test_prepare__what_a_dead_worker_wrote_is_taken_for_it(place: Place) -> None:
    first, second = place.prepare(), place.prepare()
    assert first.work == second.work
    assert isinstance(first.work, Result)
    assert first.work.output == place.target.as_uri()
    assert place.names() == {"1.dcm", place.target.name}


def test_prepare__another_file_of_that_name_is_never_replaced(place: Place) -> None:
    place.target.write_bytes(b"something else")
    with pytest.raises(InvalidArguments, match="is not replaced"):
        place.prepare()
    assert place.target.read_bytes() == b"something else"
    place.target.write_bytes(bytes(len(written(image_dataset()))))
    with pytest.raises(InvalidArguments, match="is not replaced"):
        place.prepare()


def test_prepare__the_right_to_write_is_looked_at_again(place: Place) -> None:
    integration_id = IntegrationId(DeidentificationOptions.from_json(place.job.options).integration_id)
    other = place.workspace.person("other@example.org")
    with place.workspace.catalog.write() as write:
        write.people.grant_integration(integration_id, other.id, Role.ADMIN)
    with pytest.raises(NotPermitted, match="was taken away while the job ran"):
        place.prepare()
    assert place.names() == {"1.dcm"}


def _cancel(place: Place) -> None:
    with place.workspace.catalog.write() as write:
        write.jobs.cancel_open_units(place.job.id)
        write.jobs.set_state(place.job.id, JobState.CANCELLED, now_us=now_us())


def test_discard__of_a_cancelled_unit_takes_the_file_away(place: Place) -> None:
    prepared = place.prepare()
    _cancel(place)
    place.handler.discard(prepared)
    assert place.names() == {"1.dcm"}


def test_discard__after_a_lost_lease_leaves_the_file_to_the_other_worker(place: Place) -> None:
    prepared = place.prepare()
    place.handler.discard(prepared)
    assert place.names() == {"1.dcm", place.target.name}
    place.handler.discard(Prepared(place.unit, Result(None, {})))


def test_job__ends_right_although_its_file_is_there(place: Place) -> None:
    place.prepare()
    with place.workspace.catalog.write() as write:
        write.jobs.release("w")
    service, caller = place.node.services.deidentification, place.workspace.caller(place.person)
    deadline = time.monotonic() + 60
    while not (state := service.get_state(caller, place.job.id)).state.is_final:
        assert time.monotonic() < deadline
        if not place.node.runner.step():
            time.sleep(0.005)
    assert (state.state, state.urls) == (JobState.DONE, [place.target.as_uri()])
    assert place.names() == {"1.dcm", place.target.name}


@pytest.mark.parametrize(
    ("url", "folder", "new"),
    [
        ("file:///d/a%20b.dcm", None, "file:///d/deid_7_a%20b.dcm"),
        ("file:///d/a?b.dcm", None, "file:///d/deid_7_a?b.dcm"),
        ("s3://b/x/1.dcm", "s3://b/out/", "s3://b/out/deid_7_1.dcm"),
        ("s3://b/x/1?.dcm", None, "s3://b/x/deid_7_1?.dcm"),
        ("https://h/b/1.dcm?versionId=3&x=/y", None, "https://h/b/deid_7_1.dcm"),
    ],
)
def test_new_address(url: str, folder: str | None, new: str) -> None:
    assert new_address(url, 7, folder) == new


@pytest.mark.parametrize(
    ("kind", "root", "named", "address"),
    [
        (IntegrationKind.LOCAL, "/data", "out/é", "file:///data/out/%C3%A9/"),
        (IntegrationKind.LOCAL, "/data", "/data/out/", "file:///data/out/"),
        (IntegrationKind.LOCAL, "/data", "file:///data/o%20ut", "file:///data/o%20ut/"),
        (IntegrationKind.S3, "s3://b/top/", "/a/b%/", "s3://b/top/a/b%25/"),
        (IntegrationKind.GCS, "gs://b", "x y", "gs://b/x y/"),
        (IntegrationKind.AZURE, "https://a.blob.core.windows.net/c", "x y", "https://a.blob.core.windows.net/c/x%20y/"),
    ],
)
def test_folder_address(kind: IntegrationKind, root: str, named: str, address: str) -> None:
    assert folder_address(named, IntegrationConfig(kind, root)) == address


def test_written_files_are_read_by_others(place: Place) -> None:
    place.prepare()
    assert pydicom.dcmread(io.BytesIO(place.target.read_bytes())).SOPInstanceUID == "1.2.3.4.1"
