"""A data directory for each test, made through the real catalog; no server unless a test starts one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.auth.secret_key import load_or_create_secret_key
from framedex.stores.blobs.own import DiskBlobs
from tests.builders.living import Person, Workspace


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def workspace(data: Path) -> Iterator[Workspace]:
    found = Workspace(data)
    load_or_create_secret_key(data / "secret.key")
    DiskBlobs(data / "blobs", 0)
    yield found
    found.close()


@pytest.fixture
def admin(workspace: Workspace) -> Person:
    return workspace.person("admin@example.org", is_admin=True)
