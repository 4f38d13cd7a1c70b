"""`framedex worker`: a process that does the jobs of a shared catalog and serves nothing."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

import click

from framedex.bootstrap import open_node
from framedex.cli.options import data_option, settings_of
from framedex.core.errors import InvalidArguments


@click.command("worker")
@data_option
def worker(data: Path | None) -> None:
    """Does the jobs of a catalog in PostgreSQL until Ctrl-C or SIGTERM; then gives back what it has not done.

    Any number may run beside `framedex serve`, on this machine or on others that see the same objects. DIR needs the
    same secret key as theirs.
    """
    settings = settings_of(data)
    if settings.database_url is None:
        raise InvalidArguments(
            "A worker shares the catalog with servers, so the catalog must be in PostgreSQL: name it with "
            "--database-url. A catalog in SQLite belongs to one server, which does its jobs itself."
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: ended.set())
    node = open_node(settings)
    try:
        node.runner.start()
        click.echo(f"Framedex works on jobs (worker {node.runner.worker})")
        ended.wait()
        node.runner.stop()
    finally:
        node.close()
