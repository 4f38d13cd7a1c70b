from __future__ import annotations

import re
from pathlib import Path

import httpx

from tests.builders.databases import only_on_sqlite
from tests.builders.living import Workspace, run, serving


def test_rebuild_index__holds_what_the_catalog_holds__while_no_server_has_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data")
    owner = workspace.person("owner@example.org")
    item = workspace.item(owner, workspace.folder(owner, "f"), metadata='{"weather": "rain"}')
    body = {"filter": "weather = 'rain'"}
    with serving(workspace.data) as url:
        found = httpx.post(f"{url}/api/v1/query", json=body, headers=owner.headers, timeout=30).json()
        assert [row["uuid"] for row in found["rows"]] == [item]
        refused = run("rebuild-index", "--data", workspace.data)
        assert refused.returncode == 1
        assert re.match("Error: (A server has the index|The data directory .* is being served)", refused.stderr), (
            refused.stderr
        )
    done = run("rebuild-index", "--data", workspace.data)
    assert done.returncode == 0, done.stderr
    with workspace.catalog.read() as unit:
        assert f"up to change {unit.last_seq()}" in done.stdout
    with serving(workspace.data) as url:
        found = httpx.post(f"{url}/api/v1/query", json=body, headers=owner.headers, timeout=30).json()
        assert [row["uuid"] for row in found["rows"]] == [item]
    workspace.close()


@only_on_sqlite  # a database is there before its directory is
def test_rebuild_index__of_no_catalog(tmp_path: Path) -> None:
    refused = run("rebuild-index", "--data", tmp_path / "nothing")
    assert refused.returncode == 1
