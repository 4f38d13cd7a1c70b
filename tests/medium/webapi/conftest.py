"""One server process for the tests of the own API; each test has people, folders and items of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from framedex.core.ids import IntegrationId, new_id
from tests.builders.living import Person, Workspace, serving


@dataclass(frozen=True, slots=True)
class Live:
    url: str
    workspace: Workspace
    media: Path
    integration_id: IntegrationId

    def client(self, person: Person) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=person.headers, timeout=30)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data, media = tmp_path_factory.mktemp("own-api"), tmp_path_factory.mktemp("media")
    workspace = Workspace(data)
    integration_id = workspace.integration(media)
    with serving(data) as url:
        yield Live(url, workspace, media, integration_id)
    workspace.close()


@pytest.fixture
def owner(live: Live) -> Person:
    return live.workspace.person(f"owner-{new_id()}@example.org")


@pytest.fixture
def stranger(live: Live) -> Person:
    return live.workspace.person(f"stranger-{new_id()}@example.org")


@pytest.fixture
def admin(live: Live) -> Person:
    return live.workspace.person(f"admin-{new_id()}@example.org", is_admin=True)


@pytest.fixture
def client(live: Live, owner: Person) -> Iterator[httpx.Client]:
    with live.client(owner) as found:
        yield found


@pytest.fixture
def other(live: Live, stranger: Person) -> Iterator[httpx.Client]:
    with live.client(stranger) as found:
        yield found


@pytest.fixture
def admin_client(live: Live, admin: Person) -> Iterator[httpx.Client]:
    with live.client(admin) as found:
        yield found
