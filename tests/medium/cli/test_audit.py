from __future__ import annotations

import json
from pathlib import Path

from framedex.core.clock import now_us, to_iso
from tests.builders.living import Person, Workspace, run


def _lines(*arguments: str | Path) -> list[dict[str, object]]:
    answer = run("audit", *arguments)
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_audit__who_did_what_in_order(workspace: Workspace, admin: Person, data: Path) -> None:
    member = workspace.person("member@example.org")
    first = workspace.folder(admin, "f")
    middle = to_iso(now_us())
    second = workspace.folder(member, "g")
    every = _lines("--data", data)
    assert [(e["user"], e["action"], e["entity_id"]) for e in every] == [
        ("admin@example.org", "folder.create", first),
        ("member@example.org", "folder.create", second),
    ]
    assert [e["entity_id"] for e in _lines("--data", data, "--since", middle)] == [second]
    assert [e["entity_id"] for e in _lines("--data", data, "--user", "Admin@example.org")] == [first]


def test_audit__names_the_operator(workspace: Workspace, data: Path, tmp_path: Path) -> None:
    assert run("users", "new-key", "a@example.org", "--out", tmp_path / "key", "--data", data).returncode == 0
    assert [e["action"] for e in _lines("--data", data, "--user", "operator")] == ["user.add", "key.add"]


def test_audit__wrong_options(workspace: Workspace, data: Path) -> None:
    for option in (("--since", "yesterday"), ("--user", "nobody@example.org")):
        answer = run("audit", "--data", data, *option)
        assert answer.returncode == 1
        assert "Traceback" not in answer.stderr
