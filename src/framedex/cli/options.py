"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from framedex.bootstrap import Node, open_node
from framedex.settings import load_settings


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data DIR`, or FRAMEDEX_DATA."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="The data directory, made when it is new (default: FRAMEDEX_DATA).",
    )(command)


@contextmanager
def opened(data: Path | None) -> Iterator[Node]:
    """The data directory for the time of one command, beside a server or without one."""
    node = open_node(load_settings(data=data))
    try:
        yield node
    finally:
        node.close()
