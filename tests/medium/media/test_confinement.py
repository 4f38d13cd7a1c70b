"""Each layer of the confinement, tried in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

SOURCE = str(Path(__file__).parents[3] / "src")
REPOSITORY = str(Path(__file__).parents[3])


def _run(code: str) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{SOURCE!r}, {REPOSITORY!r}]\n{code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_leave_network__no_socket_no_program() -> None:
    """No audit hook here: the kernel refuses."""
    answer = _run(
        "import os, socket\n"
        "from framedex.media import confinement\n"
        "confinement.leave_network()\n"
        "for act in (lambda: socket.socket(), lambda: os.execv('/bin/true', ['true'])):\n"
        "    try:\n"
        "        act()\n"
        "    except PermissionError:\n"
        "        print('refused')\n"
    )
    assert answer.split() == ["refused", "refused"]


def test_leave_files__libraries_alone_can_be_read(tmp_path: Path) -> None:
    """Needs Landlock (Linux 5.13, not switched off)."""
    secret = tmp_path / "secret.key"
    secret.write_text("secret")
    answer = _run(
        "from pathlib import Path\n"
        "from framedex.media import confinement\n"
        "confinement.leave_files()\n"
        "import PIL.Image, json\n"
        f"for act in (lambda: Path({str(secret)!r}).read_text(), lambda: list(Path({str(tmp_path)!r}).iterdir()),\n"
        "            lambda: Path('/proc/self/environ').read_bytes(), lambda: Path('/etc/passwd').read_bytes(),\n"
        f"            lambda: Path({str(tmp_path / 'new')!r}).write_text('x')):\n"
        "    try:\n"
        "        act()\n"
        "        print('allowed')\n"
        "    except PermissionError:\n"
        "        print('refused')\n"
    )
    assert answer.split() == ["refused"] * 5


def test_limit_process__no_files_written_no_programs_no_memory(tmp_path: Path) -> None:
    target = tmp_path / "written"
    answer = _run(
        "import os, socket, subprocess\n"
        "from framedex.media import confinement\n"
        "confinement.limit_process(300 << 20)\n"
        "def grow(): return bytearray(400 << 20)\n"
        f"acts = [lambda: open({str(target)!r}, 'w'), lambda: os.open({str(target)!r}, os.O_CREAT | os.O_RDWR),\n"
        "        lambda: subprocess.run(['true']), lambda: os.system('true'), grow,\n"
        "        lambda: socket.create_connection(('127.0.0.1', 9), 1)]\n"
        "for act in acts:\n"
        "    try:\n"
        "        act()\n"
        "        print('allowed')\n"
        "    except (PermissionError, MemoryError) as error:\n"
        "        print(type(error).__name__)\n"
    )
    assert answer.split() == [*["PermissionError"] * 4, "MemoryError", "PermissionError"]
    assert not target.exists()


def test_limit_next_call__cpu_time_is_limited() -> None:
    code = (
        f"import sys; sys.path[:0] = [{SOURCE!r}]\n"
        "from framedex.media import confinement\n"
        "confinement.limit_next_call(0.2)\n"
        "while True: pass\n"
    )
    started = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == -24  # SIGXCPU
    assert time.monotonic() - started < 20


def test_prober__works_in_a_script_without_a_main_guard() -> None:
    """The script runs once: workers never run the parent's `__main__`."""
    answer = _run(
        "print('main')\n"
        "from framedex.core.media_types import ItemType\n"
        "from framedex.media.pool import ProcessProber\n"
        "from tests.builders.media_files import Held\n"
        "prober = ProcessProber()\n"
        "print(prober.probe(ItemType.PLAIN_TEXT, Held(b'hello'), name='a.txt').mime_type)\n"
        "prober.close()\n"
    )
    assert answer.split() == ["main", "text/plain"]


def test_workers__die_with_a_killed_server() -> None:
    """The worker is stopped in mid-call, so it can notice nothing itself."""
    code = (
        f"import sys; sys.path[:0] = [{SOURCE!r}, {REPOSITORY!r}]\n"
        "import os, signal, time\n"
        "from framedex.core.media_types import ItemType\n"
        "from framedex.media.pool import ProcessProber\n"
        "from tests.medium.media.acting_source import ActingSource, workers_of\n"
        "prober = ProcessProber()\n"
        "def act():\n"
        "    (pid,) = workers_of(prober)\n"
        "    os.kill(pid, signal.SIGSTOP)\n"
        "    print(pid, flush=True)\n"
        "    time.sleep(60)\n"
        "prober.probe(ItemType.PLAIN_TEXT, ActingSource(b'hello', act), name='a.txt')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        fork_server = psutil.Process(pid).ppid()
        assert psutil.Process(fork_server).ppid() == server.pid
        server.kill()
    deadline = time.monotonic() + 5
    while any(_runs(process) for process in (pid, fork_server)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
