"""A real server process on a directory of its own, the real SDK, and raw signed requests over one connection."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import requests
from encord import EncordUserClient

from framedex.auth.openssh import generate_key_pair
from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from tests.builders.databases import assign, settings_of
from tests.builders.living import serving
from tests.builders.signing import RequestSigner

OWNER = "bench@example.org"


@dataclass(frozen=True)
class Live:
    """A running server, one workspace ADMIN with a key, and a `local` integration with the root `media`."""

    url: str
    data: Path
    media: Path
    integration_id: str
    private_pem: str
    pid: int

    def client(self) -> EncordUserClient:
        return EncordUserClient.create_with_ssh_private_key(self.private_pem, domain=self.url)

    def memory_mb(self) -> float:
        """Resident memory of the server and of its own processes, in MB."""
        return sum(p.memory_info().rss for p in self._processes()) / 1e6

    def cpu_s(self) -> float:
        """Seconds of CPU time that the server and its own processes have used."""
        times = [p.cpu_times() for p in self._processes()]
        return sum(t.user + t.system for t in times)

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self.pid)
        return [server, *server.children(recursive=True)]


@dataclass(frozen=True)
class Prepared:
    """A data directory that can be served, and more than once."""

    data: Path
    media: Path
    integration_id: str
    private_pem: str

    @contextmanager
    def served(self) -> Iterator[Live]:
        with serving(self.data) as url:
            yield Live(url, self.data, self.media, self.integration_id, self.private_pem, _pid_of(url))


def _pid_of(url: str) -> int:
    """The process of ours that serves an address."""
    port = str(urlsplit(url).port)
    return next(p.pid for p in psutil.Process().children() if port in p.cmdline())


@contextmanager
def prepared(database: str | None = None) -> Iterator[Prepared]:
    """A new data directory with its owner and integration, and this PostgreSQL where one is named; gone afterwards."""
    with TemporaryDirectory(prefix="framedex-bench-") as folder:
        data, media = Path(folder) / "data", Path(folder) / "media"
        media.mkdir()
        if database is not None:
            assign(data, database)
        node = open_node(settings_of(data))
        pair = generate_key_pair(OWNER)
        node.administration.add_user(OWNER, key_hex=pair.key_hex, comment="bench", is_admin=True)
        config = IntegrationConfig(IntegrationKind.LOCAL, str(media.resolve()))
        integration = node.administration.add_integration("bench", config)
        node.close()
        yield Prepared(data, media.resolve(), str(integration.id), pair.private_pem.decode())


@contextmanager
def live() -> Iterator[Live]:
    """A new, empty server."""
    with prepared() as directory, directory.served() as server:
        yield server


@dataclass
class Wire:
    """Seconds that the SDK spent waiting for the server: in all, and until answers began; when the last one ended."""

    seconds: float = 0.0
    first_byte_s: float = 0.0
    answered_at: float = 0.0


@contextmanager
def wire_time() -> Iterator[Wire]:
    """Measures the SDK's requests. Nothing is changed on the way."""
    wire = Wire()
    send = requests.Session.send

    def timed(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        began = time.perf_counter()
        try:
            response = send(self, request, **kwargs)
        finally:
            wire.answered_at = time.perf_counter()
            wire.seconds += wire.answered_at - began
        wire.first_byte_s += response.elapsed.total_seconds()
        return response

    requests.Session.send = timed  # type: ignore[method-assign]  # observed, not replaced
    try:
        yield wire
    finally:
        requests.Session.send = send  # type: ignore[method-assign]  # put back


def manifest(server: Live, count: int, *, with_metadata: bool) -> dict[str, Any]:
    """Images with supplied facts, in the documented form; each call has other addresses."""
    run = uuid4().hex[:8]
    images: list[dict[str, Any]] = [
        {
            "objectUrl": f"file://{server.media}/{run}/camera-{i % 7}/frame-{i:08d}.jpg",
            "imageMetadata": {
                "mimeType": "image/jpeg",
                "fileSize": 200_000 + i * 7 % 99_991,
                "width": 640 + i % 1280,
                "height": 480 + i % 600,
            },
        }
        for i in range(count)
    ]
    if with_metadata:
        weathers = ("rain", "sun", "fog", "snow")
        for i, image in enumerate(images):
            image["clientMetadata"] = {
                "run": run,
                "weather": weathers[i % 4],
                "temperature": i % 71 - 20 + (i % 10) / 10,
                "is_night": i % 5 == 0,
                "vehicle": f"car-{i % 97}",
                "taken_at": f"2026-03-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00Z",
            }
    return {"images": images}


class SignedConnection:
    """One keep-alive connection that signs each request as the SDK does, with as little work as possible around it."""

    def __init__(self, url: str, private_pem: str) -> None:
        parts = urlsplit(url)
        self._signer = RequestSigner(private_pem)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def send(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes, float]:
        """Status, body and the seconds from the first byte sent to the last byte read; signing is not counted."""
        headers = self._signer.headers(method, target, body)
        began = time.perf_counter()
        self._connection.request(method, target, body or None, headers)
        response = self._connection.getresponse()
        answer = response.read()
        return response.status, answer, time.perf_counter() - began
