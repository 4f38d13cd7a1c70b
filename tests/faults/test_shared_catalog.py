"""Two servers and two workers on one PostgreSQL; a worker is killed in the middle of a job."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from encord import EncordUserClient
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder

from framedex.auth.openssh import generate_key_pair
from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from framedex.stores.catalog.postgres import postgres_engine
from tests.builders import media_files
from tests.builders.databases import cluster
from tests.builders.living import command, serving

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_FILES = 240


@dataclass(frozen=True)
class Worker:
    """A process and the name that its leases bear."""

    process: subprocess.Popen[bytes]
    name: str


@dataclass(frozen=True)
class Shared:
    """One workspace behind two servers; workers are started by the test."""

    urls: tuple[str, str]
    data: Path
    database: dict[str, str]
    media: Path
    integration_id: str
    key: str

    def client(self, server: int) -> EncordUserClient:
        return EncordUserClient.create_with_ssh_private_key(self.key, domain=self.urls[server])

    def worker(self) -> Worker:
        """A started worker, which has said who it is."""
        log = self.data / f"{uuid4()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command("worker", "--data", self.data),
                stdout=output,
                stderr=output,
                env=dict(os.environ) | {"PYTHONUNBUFFERED": "1"} | self.database,
            )
        while (named := re.search(r"worker (\S+)\)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        return Worker(process, named[1])

    def units_held_by(self, worker: Worker) -> int:
        query = sa.text("SELECT count(*) FROM job_units WHERE lease_owner = :worker")
        engine = postgres_engine(self.database["FRAMEDEX_DATABASE_URL"], for_writing=False)
        with engine.connect() as connection:
            count: int = connection.execute(query, {"worker": worker.name}).scalar_one()
        engine.dispose()
        return count


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    data, media = tmp_path / "data", tmp_path / "media"
    media.mkdir()
    for number in range(_FILES):
        (media / f"{number:03}.mp4").write_bytes(media_files.video(frames=12 + number % 5, fps=24))
    database = {"FRAMEDEX_DATABASE_URL": cluster().new_database()}
    node = open_node(load_settings(data=data, environment=database))
    pair = generate_key_pair("ada@example.org")
    node.administration.add_user("ada@example.org", key_hex=pair.key_hex, comment="", is_admin=True)
    integration = node.administration.add_integration("media", IntegrationConfig(IntegrationKind.LOCAL, str(media)))
    node.close()
    with ExitStack() as stack:
        urls = tuple(stack.enter_context(serving(data, environment=database)) for _ in range(2))
        yield Shared((urls[0], urls[1]), data, database, media, str(integration.id), pair.private_pem.decode())


def _start(shared: Shared, folder: StorageFolder) -> UUID:
    videos = [{"objectUrl": f"file://{path}"} for path in sorted(shared.media.iterdir())]
    return folder.add_private_data_to_folder_start(shared.integration_id, {"videos": videos}, ignore_errors=True)


def test_worker_killed__its_units_are_taken_over_and_nothing_happens_twice(shared: Shared) -> None:
    one, two = shared.client(0), shared.client(1)
    folder = one.create_storage_folder("shared")
    workers = [shared.worker(), shared.worker()]
    try:
        job = _start(shared, folder)
        deadline = time.monotonic() + 60
        while not shared.units_held_by(workers[0]):
            assert time.monotonic() < deadline, "the worker never took a unit"
        workers[0].process.send_signal(signal.SIGKILL)
        workers[0].process.wait()
        assert shared.units_held_by(workers[0]) > 0, "it was killed between two units, which shows nothing"
        # The other server answers for the job that the first took, and its poll ends though others did the work.
        result = two.get_storage_folder(folder.uuid).add_private_data_to_folder_get_result(job, timeout_seconds=150)
    finally:
        for worker in workers:
            worker.process.terminate()
            worker.process.wait(timeout=30)
    assert (result.units_done_count, result.units_error_count) == (_FILES, 0)
    for client in (one, two):
        items = list(client.get_storage_folder(folder.uuid).list_items(page_size=1000))
        assert len({item.url for item in items}) == len(items) == _FILES
        assert {item.item_type for item in items} == {StorageItemType.VIDEO}
        assert all(item.frame_count == 12 + int(str(item.url)[-7:-4]) % 5 for item in items)


def test_requests__to_either_server_are_right(shared: Shared) -> None:
    one, two = shared.client(0), shared.client(1)
    folder = one.create_storage_folder("here", client_metadata={"n": 1})
    two.get_storage_folder(folder.uuid).update(client_metadata={"n": 2})
    assert one.get_storage_folder(folder.uuid).client_metadata == {"n": 2}
    token = one.get_bearer_token()
    by_token = EncordUserClient.create_with_bearer_token(token, domain=shared.urls[1])
    assert [found.name for found in by_token.list_storage_folders()] == ["here"]
    schema = one.metadata_schema()
    schema.add_scalar("n", data_type="number")
    schema.save()
    assert two.metadata_schema().get_key_type("n") == "number"


def test_worker__needs_a_catalog_that_is_shared(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "FRAMEDEX_DATABASE_URL"}
    done = subprocess.run(
        command("worker", "--data", tmp_path), capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert done.returncode == 1
    assert "--database-url" in done.stderr


def test_database_url__a_password_on_the_command_line_is_refused(tmp_path: Path) -> None:
    address = "postgresql://ada:s3cret@127.0.0.1/x"
    done = subprocess.run(
        command("serve", "--data", tmp_path, "--database-url", address),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "PGPASSFILE" in done.stderr
    assert "s3cret" not in done.stderr
