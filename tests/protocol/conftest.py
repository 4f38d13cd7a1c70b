"""The published SDK against one live server process for each worker; each test has names of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from encord import EncordUserClient
from encord.storage import StorageFolder

from framedex.bootstrap import open_node
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import serving
from tests.protocol.people import a_name, an_email, client_of
from tests.protocol.wire import recorded, unproved

OWNER = "owner@example.org"


@dataclass(frozen=True)
class LiveServer:
    """A running server with one workspace ADMIN and a `local` integration whose root is `media`."""

    url: str
    data: Path
    media: Path
    integration_id: str


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data, media = tmp_path_factory.mktemp("protocol-data"), tmp_path_factory.mktemp("protocol-media").resolve()
    node = open_node(load_settings(data=data, database_url=database_url(data)))
    integration = node.administration.add_integration("media", IntegrationConfig(IntegrationKind.LOCAL, str(media)))
    node.close()
    with serving(data) as url:
        yield LiveServer(url, data, media, str(integration.id))


@pytest.fixture(scope="session")
def client(server: LiveServer) -> EncordUserClient:
    """Does things: a workspace ADMIN."""
    return client_of(server, OWNER, is_admin=True)


@pytest.fixture(scope="session")
def second(server: LiveServer, client: EncordUserClient) -> EncordUserClient:
    """Reads back what `client` did: the same user with another key, a session of its own."""
    return client_of(server, OWNER)


@pytest.fixture(scope="session")
def other(server: LiveServer, client: EncordUserClient) -> EncordUserClient:
    """A plain member, to whom nothing is shared."""
    return client_of(server, an_email())


@pytest.fixture
def new_client(server: LiveServer) -> Callable[[str], EncordUserClient]:
    """Makes a client of a member, by email."""
    return lambda email: client_of(server, email)


@pytest.fixture
def folder(client: EncordUserClient) -> StorageFolder:
    """A new top-level folder of `client`."""
    return client.create_storage_folder(a_name("folder"))


@pytest.fixture
def integration_id(server: LiveServer) -> UUID:
    return UUID(server.integration_id)


# --------------------------------------------------------------------------------------------- what the suite proves
_PROVED: dict[str, list[str]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    claims = [str(name) for marker in item.iter_markers("works") for name in marker.args]
    with recorded() as exchanges:
        result = yield
    problems = unproved(claims, exchanges)
    if problems:
        pytest.fail("this test claims endpoints that it does not prove: " + "; ".join(problems), pytrace=False)
    for claim in claims:
        _PROVED.setdefault(claim, []).append(item.nodeid)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leaves the record of this process where FRAMEDEX_PROTOCOL_RECORD says, for the coverage page."""
    folder = os.environ.get("FRAMEDEX_PROTOCOL_RECORD")
    if folder and _PROVED:
        name = os.environ.get("PYTEST_XDIST_WORKER", "main")
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps(_PROVED, indent=1, sort_keys=True))
