"""Web servers on loopback that behave as a test wants, and the integration that reaches them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from framedex.core.clock import now_us
from framedex.core.ids import IntegrationId, new_id
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog_people import Integration
from tests.contract.blobs.web_server import Answer, WebServer, ranged
from tests.faults.conftest import World


def web_integration(world: World, web: WebServer, *, is_private: bool = True) -> str:
    """An integration of this origin; `is_private` lets it reach private addresses, loopback among them."""
    integration_id = IntegrationId(new_id())
    config = IntegrationConfig(IntegrationKind.HTTP, web.origin, allow_private_addresses=is_private)
    with world.workspace.catalog.write() as unit:
        unit.people.add_integration(Integration(integration_id, "web", config, now_us()))
    return integration_id


class Held:
    """Answers with an object, but not before the test lets it: whoever reads it is in the middle of its work."""

    def __init__(self, content: bytes) -> None:
        self._answer: Answer = ranged(content)
        self._requests = 0
        self.is_asked = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self._requests += 1
        if self._requests > 1:  # the first asks for the size, before there is a worker
            self.is_asked.set()
            self.may_go_on.wait(60)
        self._answer(request)


class Listener:
    """A port that takes connections and counts them."""

    def __init__(self, server: socket.socket) -> None:
        self.port: int = server.getsockname()[1]
        self.calls = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret"


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener that nobody must call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Listener(server)
        server.settimeout(0.05)
        stop = threading.Event()

        def count() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                found.calls += 1
                connection.close()

        thread = threading.Thread(target=count)
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            thread.join()
