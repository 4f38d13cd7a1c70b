from __future__ import annotations

import shutil
from pathlib import Path

from framedex.core.clock import now_us
from framedex.core.ids import IntegrationId, new_id
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog_people import Integration
from tests.builders.living import Workspace, png_files, run, serving
from tests.builders.ports import free_port


def _check(data: Path, uuid: str, *more: str) -> tuple[int, str]:
    answer = run("integrations", "check", uuid, "--data", data, *more)
    assert "Traceback" not in answer.stderr
    return answer.returncode, answer.stdout + answer.stderr


def test_check__a_local_one(workspace: Workspace, data: Path, tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    uuid = workspace.integration(root)
    code, text = _check(data, uuid)
    assert (code, "holds no file" in text, "to mend: " in text) == (1, True, True)
    png_files(root, ["a.png", "b.png"])
    code, text = _check(data, uuid, "--url", f"file://{root}/b.png")
    assert code == 0, text
    assert "holds 2 files" in text
    assert f"file://{root}/a.png: {(root / 'a.png').stat().st_size} bytes, can be read" in text
    assert _check(data, uuid, "--url", "file:///etc/passwd")[0] == 1
    shutil.rmtree(root)
    code, text = _check(data, uuid)
    assert (code, "mounted" in text) == (1, True)


def test_check__strict_client_only_reads_nothing(workspace: Workspace, data: Path, tmp_path: Path) -> None:
    uuid = workspace.integration(tmp_path, strict=True)
    assert _check(data, uuid, "--url", f"file://{tmp_path}/none.png")[0] == 0
    assert _check(data, uuid, "--url", "file:///etc/passwd")[0] == 1


def test_check__an_http_one(workspace: Workspace, data: Path) -> None:
    with serving(data) as url:
        allowed = _http(workspace, url, is_private_allowed=True)
        assert _check(data, allowed)[0] == 0
        refused = _http(workspace, url, is_private_allowed=False)
        code, text = _check(data, refused)
        assert (code, "--allow-private-addresses" in text) == (1, True), text
    dead = _http(workspace, f"http://127.0.0.1:{free_port()}", is_private_allowed=True)
    assert _check(data, dead)[0] == 1


def _http(workspace: Workspace, origin: str, *, is_private_allowed: bool) -> IntegrationId:
    config = IntegrationConfig(IntegrationKind.HTTP, origin, allow_private_addresses=is_private_allowed)
    integration = Integration(IntegrationId(new_id()), new_id(), config, now_us())
    with workspace.catalog.write() as unit:
        unit.people.add_integration(integration)
    return integration.id


def test_check__an_unknown_one(workspace: Workspace, data: Path) -> None:
    code, text = _check(data, new_id())
    assert (code, "framedex integrations list" in text) == (1, True)
