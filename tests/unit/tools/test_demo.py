"""What of the demo needs no server; the rest is in tests/e2e/test_demo.py."""

from __future__ import annotations

import ast
import fcntl
import os
import socket
from pathlib import Path

import pytest

from tools.demo.places import ROOT, Places, default_places, shown
from tools.demo.server import bypass_proxy, free_port, running
from tools.demo.snippet import snippet


def test_default_places__are_ignored_by_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAMEDEX_DATA", raising=False)
    places = default_places()
    assert (shown(places.data), shown(places.sample)) == (".demo/data", ".demo/sample")
    assert "/.demo/" in (ROOT / ".gitignore").read_text().splitlines()


def test_default_places__framedex_data_names_another_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRAMEDEX_DATA", str(tmp_path))
    assert default_places().data == tmp_path
    assert shown(tmp_path) == str(tmp_path)


def test_free_port__is_the_wanted_one_or_a_neighbour() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken: int = other.getsockname()[1]
        assert taken < free_port(taken) < taken + 20
    assert free_port(taken) == taken


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (False, None)),
        ({"http_proxy": "http://proxy"}, (True, "127.0.0.1")),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "a,b"}, (True, "a,b,127.0.0.1")),
        ({"HTTP_PROXY": "http://proxy", "no_proxy": "127.0.0.1"}, (False, None)),
    ],
)
def test_bypass_proxy__adds_the_server(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: tuple[bool, str | None]
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert bypass_proxy() is expected[0]
    if expected[1] is not None:
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == expected[1]


def test_running__only_while_its_owner_holds_the_directory(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "sample")
    assert running(places) is None
    # A number of a process alone says nothing: after a restart of the machine it may be anyone's.
    (tmp_path / "serve.lock").write_text(str(os.getpid()))
    assert running(places) is None
    with (tmp_path / "serve.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert running(places) == f"process {os.getpid()} at an address of its own"


@pytest.mark.parametrize("is_loaded", [True, False])
def test_snippet__is_python_that_can_be_pasted_at_a_prompt(tmp_path: Path, *, is_loaded: bool) -> None:
    text = snippet(key=tmp_path / "key", url="http://127.0.0.1:1", is_loaded=is_loaded)
    ast.parse(text)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        # The prompt ends a block at the first line that is not indented, which must be empty.
        if line.startswith("    ") and not lines[number + 1].startswith((" ", ")")):
            assert lines[number + 1] == ""
