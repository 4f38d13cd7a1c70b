"""The README's path for own files, run as written; only the port and the place of the environment differ."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.builders import media_files
from tests.builders.ports import free_port

pytestmark = [pytest.mark.protocol, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]


def blocks() -> list[tuple[str, str]]:
    """Language and text of each code block below `Your own files`, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Your own files") :].split("\n## ", 1)[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)


def test_readme__own_files_as_written(tmp_path: Path) -> None:
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    (pictures / "one.jpg").write_bytes(media_files.jpeg(40, 30, seed=1))
    (pictures / "two words.jpg").write_bytes(media_files.jpeg(20, 10, seed=2))
    (pictures / "speech.wav").write_bytes(media_files.audio())
    port, environment = free_port(), {**os.environ, "HOME": str(tmp_path)}

    def adapted(text: str) -> str:
        return text.replace(".venv/bin/", f"{Path(sys.executable).parent}/").replace("8420", str(port))

    def bash(text: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", adapted(text)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (_, prepare), (_, serve), (language, script), (_, whole_folder) = blocks()
    assert language == "python"
    assert f"private key: {tmp_path}/framedex-key" in bash(prepare)
    log = tmp_path / "log"
    with log.open("w") as output:
        command = f"exec {adapted(serve.strip())} --port {port}"
        server = subprocess.Popen(["bash", "-c", command], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _await(f"http://127.0.0.1:{port}/healthz", server, log)
        done = subprocess.run(
            [sys.executable, "-c", adapted(script)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "LongPollingStatus.DONE 2 []",
            "StorageItemType.IMAGE one.jpg 40 30 {'weather': 'rain'}",
            "StorageItemType.IMAGE two words.jpg 20 10 {'weather': 'rain'}",
        ]
        assert "registered or already there: 3 of 3; failed: 0" in bash(whole_folder)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())
