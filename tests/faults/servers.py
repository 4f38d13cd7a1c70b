"""Real server processes that a test may kill, starve or stop at any moment, on a directory that outlives them."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from framedex.bootstrap import doctor
from framedex.core.ids import FolderId
from tests.builders.databases import environment as database_of
from tests.builders.databases import settings_of
from tests.builders.living import Person, command
from tests.builders.ports import free_port

Json = dict[str, Any]

READY_S = 60.0


@dataclass
class Server:
    """`framedex serve` on one directory and port; started again as often as a test ends it."""

    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Starts, and waits until it is ready."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command("serve", "--data", self.data, "--port", str(self.port)),
                stdout=output,
                stderr=output,
                env={**os.environ, **database_of(self.data), **self.environment},
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start: {self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """As a power cut ends it, but for what the disk has not got yet."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = 30) -> float:
        """SIGTERM; answers the seconds until it was over."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout)
        return time.monotonic() - started

    def limit_files(self, size: int | None) -> None:
        """From now on no file of the process grows beyond `size` bytes, as on a full disk; None lifts it."""
        soft = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def assert_well(self) -> None:
        """Alive, ready, and without a stack trace in its log."""
        assert self.is_alive
        assert httpx.get(f"{self.url}/healthz", timeout=10).status_code == 200
        assert "Traceback" not in self.log.read_text()


@contextmanager
def served(data: Path, **environment: str) -> Iterator[Server]:
    """A server that a test may end and start; whatever is left of it is killed at the end."""
    server = Server(data, environment)
    server.start()
    try:
        yield server
    finally:
        for client in server.clients:
            client.close()
        if server.is_alive:
            server.kill()


class Api:
    """v2 as one user asks for it, by bearer token; answers are shown as they came."""

    def __init__(self, server: Server, person: Person, timeout: float = 60) -> None:
        self._client = httpx.Client(headers=person.headers, timeout=timeout)
        self._server = server
        server.clients.append(self._client)

    def request(self, method: str, path: str, **arguments: object) -> httpx.Response:
        return self._client.request(method, f"{self._server.url}/v2/public/{path}", **arguments)  # type: ignore[arg-type]  # passed on

    def answer(self, method: str, path: str, **arguments: object) -> Json:
        response = self.request(method, path, **arguments)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text[:500]}"
        found: Json = response.json()
        return found

    def start_job(
        self, folder: FolderId, files: Mapping[str, object], integration: str | None, *, ignore_errors: bool = True
    ) -> httpx.Response:
        body = {"externalFiles": files, "integrationHash": integration, "ignoreErrors": ignore_errors}
        return self.request("POST", f"storage/folders/{folder}/data-upload-jobs", json=body)

    def register(
        self, folder: FolderId, files: Mapping[str, object], integration: str | None, *, ignore_errors: bool = True
    ) -> Json:
        """A job to its end."""
        started = self.start_job(folder, files, integration, ignore_errors=ignore_errors)
        assert started.status_code == 200, started.text
        return self.await_job(folder, started.json())

    def await_job(self, folder: FolderId, job: str, timeout_s: float = 90) -> Json:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            state = self.answer("GET", f"storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds=20")
            if state["status"] != "PENDING":
                return state
        raise AssertionError("the job did not end")

    def items(self, folder: FolderId) -> list[Json]:
        """All items of a folder, children too."""
        found: list[Json] = []
        token = ""
        while True:
            page = self.answer("GET", f"storage/folders/{folder}/items?pageSize=1000{token}")
            rows = page["results"]
            assert isinstance(rows, list)
            found += rows
            if not page.get("nextPageToken"):
                return found
            token = f"&pageToken={page['nextPageToken']}"

    def metadata(self, items: Sequence[str]) -> list[Json]:
        """Client metadata of items, in this order."""
        page = self.answer("POST", "storage/items/get-bulk", json={"itemUuids": list(items), "signUrls": False})
        rows = page["results"]
        assert isinstance(rows, list)
        return [json.loads(row["clientMetadata"]) for row in rows]


def texts(rows: object) -> list[str]:
    """What the unit errors of a job say."""
    assert isinstance(rows, list)
    return [str(row["error"]) for row in rows]


def findings(data: Path) -> list[str]:
    """What `framedex doctor` finds."""
    found = doctor(settings_of(data, FRAMEDEX_DISK_RESERVE_BYTES="0")).findings()
    return [f"{f.check}: {f.message}" for f in found]
