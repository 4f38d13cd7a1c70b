"""How `framedex serve` begins, refuses and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.builders.databases import environment, holds_the_directory
from tests.builders.living import command, run, serving
from tests.builders.ports import free_port


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve__greets_a_newcomer_and_ends_without_a_trace(data: Path, ending: signal.Signals) -> None:
    port = free_port()
    arguments = command("serve", "--data", data, "--port", str(port))
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment(data)}
    )
    assert process.stdout is not None
    greeting = [process.stdout.readline().strip() for _ in range(3)]
    assert greeting == [
        f"Framedex serves http://127.0.0.1:{port}",
        f"data directory: {data}",
        f"Nobody has a key yet. In another terminal: framedex users new-key EMAIL --out FILE --data {data}",
    ]
    # The socket listens before the greeting, so this waits instead of being refused.
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=30).status_code == 200
    process.send_signal(ending)
    rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "")


def test_serve__says_that_a_port_is_taken(data: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: int = other.getsockname()[1]
        answer = run("serve", "--data", data, "--port", str(port))
    assert answer.returncode == 1
    message = f"Error: Port {port} of 127.0.0.1 is taken by another program; choose another with --port."
    assert (answer.stdout, answer.stderr.strip()) == ("", message)


@holds_the_directory
def test_serve__refuses_a_second_server_on_one_directory(data: Path) -> None:
    data.mkdir()
    with serving(data):
        answer = run("serve", "--data", data, "--port", str(free_port()))
    assert answer.returncode == 1
    assert "is being served already" in answer.stderr


def test_serve__refuses_what_it_cannot_serve(data: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no")
    pem = str(tmp_path / "no.pem")
    for arguments, words in (
        (("--host", "0.0.0.0"), "--insecure-http"),
        (("--host", "no such host", "--insecure-http"), "is no address of a machine"),
        (("--tls-cert", pem), "go together"),
        (("--tls-cert", pem, "--tls-key", pem, "--port", str(free_port())), "PEM files of one pair"),
    ):
        answer = run("serve", "--data", data, *arguments)
        assert answer.returncode == 1, arguments
        assert words in answer.stderr
        assert "Traceback" not in answer.stderr
