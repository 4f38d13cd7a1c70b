"""Real `framedex worker` processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from tests.builders.databases import connected
from tests.builders.databases import environment as database_of
from tests.builders.living import command


@dataclass(frozen=True)
class Worker:
    """A process and the name that its leases bear."""

    data: Path
    process: subprocess.Popen[bytes]
    name: str
    log: Path

    def units_held(self) -> int:
        """Units that it has a lease on."""
        query = sa.text("SELECT count(*) FROM job_units WHERE lease_owner = :worker")
        with connected(self.data) as connection:
            count: int = connection.execute(query, {"worker": self.name}).scalar_one()
        return count

    def await_units(self) -> None:
        """Until it has taken units."""
        deadline = time.monotonic() + 60
        while not self.units_held():
            assert time.monotonic() < deadline, "the worker never took a unit"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM; answers how it ended."""
        self.process.terminate()
        return self.process.wait(timeout=40)


def start_worker(data: Path, **environment: str) -> Worker:
    """A started worker, which has said who it is."""
    log = data / f"{uuid4()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command("worker", "--data", data),
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **database_of(data), **environment},
        )
    while (named := re.search(r"worker (\S+)\)", log.read_text())) is None:
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    return Worker(data, process, named[1], log)


@contextmanager
def working(data: Path, **environment: str) -> Iterator[Worker]:
    """A worker, ended afterwards by SIGTERM unless the test ended it; it leaves no trace in its log."""
    worker = start_worker(data, **environment)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.terminate()
    assert "Traceback" not in worker.log.read_text()
