"""Two servers and two workers on one PostgreSQL; a worker is killed in the middle of a job."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from encord import EncordUserClient
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder

from framedex.auth.openssh import generate_key_pair
from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.builders.databases import assign, cluster, connected, settings_of
from tests.builders.living import command, run, serving
from tests.builders.signing import RequestSigner
from tests.faults.workers import working

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_FILES = 240


@dataclass(frozen=True)
class Shared:
    """One workspace behind two servers; workers are started by the test."""

    urls: tuple[str, str]
    data: Path
    media: Path
    integration_id: str
    key: str

    def client(self, server: int) -> EncordUserClient:
        return EncordUserClient.create_with_ssh_private_key(self.key, domain=self.urls[server])


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of five lengths; nobody changes them."""
    folder = tmp_path_factory.mktemp("media")
    contents = [media_files.video(frames=12 + number, fps=24) for number in range(5)]
    for number in range(_FILES):
        (folder / f"{number:03}.mp4").write_bytes(contents[number % 5])
    return folder


@pytest.fixture
def shared(tmp_path: Path, media: Path) -> Iterator[Shared]:
    data = tmp_path / "data"
    assign(data, cluster().new_database())
    node = open_node(settings_of(data))
    pair = generate_key_pair("ada@example.org")
    node.administration.add_user("ada@example.org", key_hex=pair.key_hex, comment="", is_admin=True)
    integration = node.administration.add_integration("media", IntegrationConfig(IntegrationKind.LOCAL, str(media)))
    node.close()
    with ExitStack() as stack:
        urls = tuple(stack.enter_context(serving(data)) for _ in range(2))
        yield Shared((urls[0], urls[1]), data, media, str(integration.id), pair.private_pem.decode())


def _start(shared: Shared, folder: StorageFolder) -> UUID:
    videos = [{"objectUrl": f"file://{path}"} for path in sorted(shared.media.iterdir())]
    return folder.add_private_data_to_folder_start(shared.integration_id, {"videos": videos}, ignore_errors=True)


def test_worker_killed__its_units_are_taken_over_and_nothing_happens_twice(shared: Shared) -> None:
    one, two = shared.client(0), shared.client(1)
    folder = one.create_storage_folder("shared")
    with working(shared.data) as killed, working(shared.data):
        job = _start(shared, folder)
        killed.await_units()
        killed.kill()
        assert killed.units_held() > 0, "it was killed between two units, which shows nothing"
        # The other server answers for the job that the first took, and its poll ends though others did the work.
        result = two.get_storage_folder(folder.uuid).add_private_data_to_folder_get_result(job, timeout_seconds=150)
    assert (result.units_done_count, result.units_error_count) == (_FILES, 0)
    for client in (one, two):
        items = list(client.get_storage_folder(folder.uuid).list_items(page_size=1000))
        assert len({item.url for item in items}) == len(items) == _FILES
        assert {item.item_type for item in items} == {StorageItemType.VIDEO}
        assert all(item.frame_count == 12 + int(str(item.url)[-7:-4]) % 5 for item in items)


def test_worker_stopped__gives_its_units_back(shared: Shared) -> None:
    client = shared.client(0)
    folder = client.create_storage_folder("shared")
    with working(shared.data) as worker:
        job = _start(shared, folder)
        worker.await_units()
        assert worker.terminate() == 0
        assert worker.units_held() == 0
        with connected(shared.data) as connection:
            query = sa.text("SELECT count(*) FROM job_units WHERE state < 2")
            assert connection.execute(query).scalar_one() > 0, "the job was done already, which shows nothing"
    # Others go on at once: nobody waits for a lease to end.
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=25)
    assert (result.status.value, result.units_done_count) == ("DONE", _FILES)


def test_requests__to_either_server_are_right(shared: Shared) -> None:
    one, two = shared.client(0), shared.client(1)
    folder = one.create_storage_folder("here", client_metadata={"n": 1})
    same = two.get_storage_folder(folder.uuid)
    for number in range(2, 40):
        writer, reader = (folder, same) if number % 2 else (same, folder)
        writer.update(client_metadata={"n": number})
        reader.refetch_data()
        assert reader.client_metadata == {"n": number}
    token = one.get_bearer_token()
    by_token = EncordUserClient.create_with_bearer_token(token, domain=shared.urls[1])
    assert [found.name for found in by_token.list_storage_folders()] == ["here"]
    schema = one.metadata_schema()
    schema.add_scalar("n", data_type="number")
    schema.save()
    assert two.metadata_schema().get_key_type("n") == "number"


def test_upload__reserved_at_one_server_put_to_the_other(shared: Shared) -> None:
    one = shared.client(0)
    folder = one.create_storage_folder("uploads")
    bearer = {"Authorization": f"Bearer {one.get_bearer_token()}"}
    body = {"itemType": "image", "count": 1}
    target = f"v2/public/storage/folders/{folder.uuid}"
    place = httpx.post(f"{shared.urls[0]}/{target}/upload-signed-urls", json=body, headers=bearer).json()["results"][0]
    elsewhere = place["signedUrl"].replace(shared.urls[0], shared.urls[1])
    assert elsewhere != place["signedUrl"]
    content = media_files.png(5, 4)
    assert httpx.put(elsewhere, content=content).status_code == 200
    files = {"images": [{"objectUrl": place["objectKey"], "placeholderItemUuid": place["itemUuid"]}]}
    job = httpx.post(
        f"{shared.urls[1]}/{target}/data-upload-jobs",
        json={"externalFiles": files, "ignoreErrors": False},
        headers=bearer,
    )
    assert job.status_code == 200, job.text
    done = httpx.get(f"{shared.urls[0]}/{target}/data-upload-jobs/{job.json()}?timeoutSeconds=60", headers=bearer)
    assert done.json()["unitsDoneCount"] == 1, done.text
    (item,) = shared.client(1).get_storage_folder(folder.uuid).list_items(get_signed_urls=True)
    assert (item.width, item.height) == (5, 4)
    assert httpx.get(str(item.get_signed_url()).replace(shared.urls[1], shared.urls[0])).content == content


def test_creator__sent_again_to_the_other_server_has_one_effect(shared: Shared) -> None:
    signer = RequestSigner(shared.key)
    for number in range(10):
        body = json.dumps({"name": f"made {number}", "parent": None, "description": ""}).encode()
        headers = signer.headers("POST", "/v2/public/storage/folders", body)
        headers["X-Cloud-Trace-Context"] = f"trace{number}/1"
        with ThreadPoolExecutor(4) as pool:
            sent = [
                pool.submit(httpx.post, f"{url}/v2/public/storage/folders", content=body, headers=headers, timeout=30)
                for url in (*shared.urls, *shared.urls)
            ]
        answers = [call.result() for call in sent]
        assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
        assert len({answer.json()["uuid"] for answer in answers}) == 1
    names = sorted(folder.name for folder in shared.client(1).list_storage_folders())
    assert names == [f"made {number}" for number in range(10)]


def test_cancel__at_the_other_server(shared: Shared) -> None:
    one, two = shared.client(0), shared.client(1)
    folder = one.create_storage_folder("cancelled")
    same = two.get_storage_folder(folder.uuid)
    with ThreadPoolExecutor(1) as pool, working(shared.data) as worker:
        job = _start(shared, folder)
        polling = pool.submit(folder.add_private_data_to_folder_get_result, job, timeout_seconds=60)
        worker.await_units()
        same.add_data_to_folder_job_cancel(job)
        result = polling.result(timeout=30)
    assert result.status.value == "CANCELLED"
    done, cancelled = result.units_done_count, result.units_cancelled_count
    assert (done + cancelled, cancelled > 0) == (_FILES, True)
    # Nothing that was under way comes after the end: what others had taken has no effect any more.
    assert len(list(same.list_items(page_size=1000))) == done


def test_key_removed__every_server_knows(shared: Shared) -> None:
    clients = [shared.client(0), shared.client(1)]
    assert [list(client.list_storage_folders()) for client in clients] == [[], []]
    lines = run("users", "list", "--data", shared.data).stdout.splitlines()
    key = lines[1].split()[0]
    assert run("users", "remove-key", key, "--data", shared.data).returncode == 0
    for client in clients:
        with pytest.raises(Exception, match=r"(?i)key|authenticat"):
            list(client.list_storage_folders())


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
