"""Rights that are taken away while a registration waits. Real: catalog, job runner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from framedex.bootstrap import Node, open_node
from framedex.core.access import Role
from framedex.core.jobs import JobState
from framedex.core.manifests import parse_manifest
from framedex.settings import load_settings
from tests.builders.databases import database_url
from tests.builders.living import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def node(workspace: Workspace) -> Iterator[Node]:
    made = open_node(load_settings(data=workspace.data, database_url=database_url(workspace.data), environment={}))
    yield made
    made.close()


@pytest.mark.parametrize("is_revoked", [False, True])
def test_register__the_integration_was_granted_to_others_meanwhile(
    node: Node, workspace: Workspace, tmp_path: Path, is_revoked: bool
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    admin, other = workspace.person("one@example.org", is_admin=True), workspace.person("two@example.org")
    folder, integration = workspace.folder(admin, "f"), workspace.integration(media)
    facts = {"mimeType": "image/png", "fileSize": 1, "width": 1, "height": 1}
    images = [{"objectUrl": (media / "a.png").as_uri(), "imageMetadata": facts}]
    job_id = node.services.registration.start(
        workspace.caller(admin),
        folder,
        parse_manifest(json.dumps({"images": images}).encode(), "external"),
        integration_id=integration,
        ignore_errors=True,
    )
    if is_revoked:
        with workspace.catalog.write() as write:
            write.people.grant_integration(integration, other.id, Role.ADMIN)
    for _ in range(20):
        node.runner.step()
    progress = node.services.registration.progress(workspace.caller(admin), job_id)
    assert progress.job.state is JobState.DONE
    assert (progress.job.units_done, progress.job.units_error) == ((0, 1) if is_revoked else (1, 0))
    assert all("integration" in text for text in progress.error_texts)
