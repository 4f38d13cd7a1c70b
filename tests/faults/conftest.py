"""A data directory with an admin, a folder and a `local` integration on a folder of media; no server until a test
starts one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from framedex.auth.secret_key import load_or_create_secret_key
from framedex.core.ids import FolderId
from framedex.stores.blobs.own import DiskBlobs
from tests.builders.living import Person, Workspace
from tests.faults.servers import Server, findings, served

SEED = 20_420


@dataclass(frozen=True)
class World:
    """Where a test works."""

    workspace: Workspace
    data: Path
    media: Path
    admin: Person
    folder: FolderId
    integration: str

    def put(self, name: str, content: bytes) -> str:
        """A file of the integration; answers its address."""
        path = self.media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.as_uri()


@contextmanager
def new_world(data: Path, media: Path) -> Iterator[World]:
    """A world in these two folders, which are made."""
    media.mkdir()
    workspace = Workspace(data)
    try:
        load_or_create_secret_key(data / "secret.key")
        DiskBlobs(data / "blobs", 0)
        admin = workspace.person("admin@example.org", is_admin=True)
        folder = workspace.folder(admin, "faults")
        yield World(workspace, data, media.resolve(), admin, folder, workspace.integration(media))
    finally:
        workspace.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path / "data", tmp_path / "media") as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Server]]:
    """One server for the tests of a module that leave it alone; at the end it is well, and so is its directory."""
    top = tmp_path_factory.mktemp("shared")
    with new_world(top / "data", top / "media") as made, served(made.data) as server:
        yield made, server
        server.assert_well()
        assert findings(made.data) == []


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Random moments that are the same in each run; a failing test shows the seed."""
    seed = f"{SEED} {request.node.name}"
    print(f"seed: {seed!r}")
    return random.Random(seed)
