"""The `framedex` command: as a server for as long as the demo runs, and for what the operator does."""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tools.demo.places import DemoRefused, Places, shown

HOST = "127.0.0.1"
_COMMAND = (sys.executable, "-m", "framedex.cli.main")
_READY_S = 60.0
_STOP_S = 30.0
_NEIGHBOURS = 20


def framedex(*arguments: str | Path) -> str:
    """Runs one command to its end and answers what it printed.

    Raises:
        DemoRefused: it failed; the message is its own.
    """
    done = subprocess.run([*_COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoRefused(f"`framedex {' '.join(map(str, arguments))}` failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def free_port(wanted: int) -> int:
    """The wanted port, or the next one that is free.

    Raises:
        DemoRefused: none of them is.
    """
    for port in range(wanted, wanted + _NEIGHBOURS):
        if _is_free(port):
            return port
    raise DemoRefused(f"Ports {wanted} to {wanted + _NEIGHBOURS - 1} are all taken: choose one with `make demo PORT=N`")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server binds: a port that only waits for old connections to end is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def bypass_proxy() -> bool:
    """Keeps this process's requests to the server away from a proxy; whether one would have had them."""
    proxies = {"http_proxy", "all_proxy"} & {name.lower() for name in os.environ}
    past = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if not proxies or HOST in past.split(","):
        return False
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, [past, HOST]))
    return True


def running(places: Places) -> str | None:
    """Who serves the data directory now, for people; None when nobody does."""
    lock = places.data / "serve.lock"
    if not lock.exists():
        return None
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            where = places.url.read_text() if places.url.exists() else "an address of its own"
            return f"process {file.read().strip()} at {where}"
    return None


class Server:
    """`framedex serve` on the demo's data directory, in a session of its own: Ctrl-C reaches the demo alone."""

    def __init__(self, places: Places, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._log = places.log
        self._url_file = places.url
        command = [*_COMMAND, "serve", "--data", str(places.data), "--host", HOST, "--port", str(port)]
        with places.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._url_file.write_text(self.url)

    def await_ready(self) -> None:
        """Returns when it answers.

        Raises:
            DemoRefused: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.05)
        raise DemoRefused(f"The server did not start. The end of {shown(self._log)}:\n{self._last_words()}")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def wait(self) -> None:
        """Returns only by an exception: Ctrl-C, or the end of the server.

        Raises:
            DemoRefused: the server ended by itself.
        """
        code = self._process.wait()
        raise DemoRefused(f"The server ended (code {code}). The end of {shown(self._log)}:\n{self._last_words()}")

    def stop(self) -> None:
        """Ends it as SIGTERM does: requests are finished, jobs parked. A second Ctrl-C does not wait for that."""
        self._url_file.unlink(missing_ok=True)
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=_STOP_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-8:])
