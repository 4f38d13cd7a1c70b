"""Jobs while they run: polls that are held, cancel, and what one slow unit does to all others (nothing)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from encord import EncordUserClient
from encord.orm.dataset import LongPollingStatus
from encord.storage import StorageFolder

from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders import media_files
from tests.builders.databases import only_on_sqlite
from tests.contract.blobs.web_server import Answer, ranged, running_server
from tests.protocol.curated import Server
from tests.protocol.people import a_name
from tests.protocol.registered import Media, add_integration, items_of

pytestmark = pytest.mark.protocol

_POLL = "GET storage/folders/{}/data-upload-jobs/{}"


class SlowWeb:
    """A web server whose pictures are sent when `go` is set."""

    def __init__(self, origin: str, answers: dict[str, Answer]) -> None:
        self.origin = origin
        self.go = threading.Event()
        self._answers = answers

    def picture(self, name: str) -> str:
        send = ranged(media_files.png())

        def answer(request: BaseHTTPRequestHandler) -> None:
            self.go.wait(60)
            send(request)

        self._answers[f"/{name}"] = answer
        return f"{self.origin}/{name}"


@pytest.fixture
def slow_web() -> Iterator[SlowWeb]:
    with running_server() as web:
        slow = SlowWeb(web.origin, web.answers)
        try:
            yield slow
        finally:
            slow.go.set()


@pytest.fixture
def slow(server: Server, slow_web: SlowWeb) -> UUID:
    """The integration of `slow_web`."""
    return add_integration(
        server, IntegrationConfig(IntegrationKind.HTTP, slow_web.origin, allow_private_addresses=True)
    )


def _images(*urls: str) -> dict[str, Any]:
    return {"images": [{"objectUrl": url} for url in urls]}


@pytest.mark.works(_POLL)
def test_poll__answers_at_once_with_timeout_zero_and_ends_with_the_job(
    folder: StorageFolder, second: EncordUserClient, slow_web: SlowWeb, slow: UUID
) -> None:
    job = folder.add_private_data_to_folder_start(str(slow), _images(slow_web.picture("a.png")), ignore_errors=True)
    seen = second.get_storage_folder(folder.uuid).add_private_data_to_folder_get_result(job, timeout_seconds=0)
    assert (seen.status, seen.units_pending_count, seen.units_done_count) == (LongPollingStatus.PENDING, 1, 0)
    assert (seen.items_with_names, seen.unit_errors, seen.errors) == ([], [], [])
    threading.Timer(0.3, slow_web.go.set).start()
    started = time.monotonic()
    done = folder.add_private_data_to_folder_get_result(job, timeout_seconds=50)
    assert time.monotonic() - started < 30
    assert (done.status, done.units_done_count) == (LongPollingStatus.DONE, 1)


@pytest.mark.works("POST storage/folders/{}/data-upload-jobs/{}/cancel", _POLL)
def test_cancel__what_is_not_done_is_counted_and_never_done(
    folder: StorageFolder, second: EncordUserClient, slow_web: SlowWeb, slow: UUID
) -> None:
    urls = [slow_web.picture(f"{i}.png") for i in range(20)]
    job = folder.add_private_data_to_folder_start(str(slow), _images(*urls), ignore_errors=True)
    cancelled = folder.add_data_to_folder_job_cancel(job)
    assert cancelled.units_cancelled_count == 20
    assert folder.add_data_to_folder_job_cancel(job).units_cancelled_count == 0
    slow_web.go.set()
    seen = second.get_storage_folder(folder.uuid).add_private_data_to_folder_get_result(job)
    assert (seen.status, seen.units_cancelled_count) == (LongPollingStatus.CANCELLED, 20)
    assert (seen.units_done_count, seen.units_pending_count, seen.items_with_names) == (0, 0, [])
    time.sleep(0.5)
    assert items_of(second, folder) == {}


@pytest.mark.works("POST storage/folders/{}/data-upload-jobs/{}/cancel", _POLL)
def test_cancel__a_finished_job_stays_done(
    server: Server, folder: StorageFolder, second: EncordUserClient, integration_id: UUID
) -> None:
    url = Media(server).put("a.png", media_files.png())
    job = folder.add_private_data_to_folder_start(str(integration_id), _images(url))
    assert folder.add_private_data_to_folder_get_result(job).status is LongPollingStatus.DONE
    assert second.get_storage_folder(folder.uuid).add_data_to_folder_job_cancel(job).units_cancelled_count == 0
    assert folder.add_private_data_to_folder_get_result(job).status is LongPollingStatus.DONE


def test_slow_units__hold_up_neither_their_job_nor_others(
    server: Server, folder: StorageFolder, client: EncordUserClient, integration_id: UUID, slow_web: SlowWeb, slow: UUID
) -> None:
    media, elsewhere = Media(server), client.create_storage_folder(a_name("elsewhere"))
    waiting = [slow_web.picture(f"{i}.png") for i in range(20)]
    job = folder.add_private_data_to_folder_start(str(slow), _images(*waiting), ignore_errors=True)
    time.sleep(0.3)
    files = _images(*(media.put(f"{i}.png", media_files.png(seed=i)) for i in range(6)))
    files["videos"] = [{"objectUrl": media.put("a.mp4", media_files.video())}]
    quick = elsewhere.add_private_data_to_folder_start(str(integration_id), files)
    done = elsewhere.add_private_data_to_folder_get_result(quick, timeout_seconds=20)
    assert done.status is LongPollingStatus.DONE, "twenty units that wait for a server held up another job"
    assert folder.add_private_data_to_folder_get_result(job, timeout_seconds=0).status is LongPollingStatus.PENDING
    slow_web.go.set()
    assert folder.add_private_data_to_folder_get_result(job, timeout_seconds=60).units_done_count == 20


def _pid(server: Server) -> int:
    return int((server.data / "serve.lock").read_text())


def _threads(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def _catalog_files(server: Server, pid: int) -> int:
    """Connections to the catalog: open descriptors of its file."""
    catalog = server.data / "catalog.db"
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we looked
            found += descriptor.readlink() == catalog
    return found


_POLLS = 200


@only_on_sqlite
def test_polls__two_hundred_are_held_without_threads_or_connections(
    server: Server, client: EncordUserClient, folder: StorageFolder, slow_web: SlowWeb, slow: UUID
) -> None:
    item = folder.create_subfolder("patched")
    job = folder.add_private_data_to_folder_start(str(slow), _images(slow_web.picture("a.png")), ignore_errors=True)
    url = f"{server.url}/v2/public/storage/folders/{folder.uuid}/data-upload-jobs/{job}?timeoutSeconds=604800"
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
    pid = _pid(server)

    async def polled() -> tuple[list[str], int, int]:
        limits = httpx.Limits(max_connections=_POLLS + 10)
        async with httpx.AsyncClient(headers=headers, timeout=120, limits=limits) as http:
            polls = [asyncio.create_task(http.get(url)) for _ in range(_POLLS)]
            await asyncio.sleep(2)
            for n in range(5):
                await asyncio.to_thread(item.update, name=f"name {n}")
            held = sum(not poll.done() for poll in polls)
            assert held == _POLLS, f"{_POLLS - held} polls ended while the job was running"
            threads, connections = _threads(pid), _catalog_files(server, pid)
            slow_web.go.set()
            answers = await asyncio.gather(*polls)
        return [answer.json()["status"] for answer in answers], threads, connections

    statuses, threads, connections = asyncio.run(polled())
    assert statuses == ["DONE"] * _POLLS
    assert client.get_storage_folder(item.uuid).name == "name 4"
    assert threads < 100, f"{threads} threads in the server while {_POLLS} polls were held"
    assert 0 < connections < 40, f"{connections} connections to the catalog while {_POLLS} polls were held"
