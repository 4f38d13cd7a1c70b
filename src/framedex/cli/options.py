"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from framedex.bootstrap import Node, open_node
from framedex.core.errors import NotFound
from framedex.settings import load_settings


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data DIR`, or FRAMEDEX_DATA."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="The data directory (default: FRAMEDEX_DATA).",
    )(command)


@contextmanager
def opened(data: Path | None, *, is_made: bool = False) -> Iterator[Node]:
    """The data directory for the time of one command, beside a server or without one; `is_made` makes a new one.

    Raises:
        NotFound: there is none, and it is not to be made.
    """
    settings = load_settings(data=data)
    if not is_made and not settings.catalog_file.is_file():
        raise NotFound(f"There is no catalog in {settings.data}; name a data directory with --data.")
    node = open_node(settings)
    try:
        yield node
    finally:
        node.close()
