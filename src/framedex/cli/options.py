"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from framedex.bootstrap import Node, open_node
from framedex.core.errors import InvalidArguments, NotFound
from framedex.settings import Settings, load_settings

_DATABASE_URL = "framedex.database_url"
_BLOBS = "framedex.blobs"


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data DIR`, or FRAMEDEX_DATA; and `--database-url` and `--blobs`, which `settings_of` sees."""
    database_url = click.option(
        "--database-url",
        default=None,
        expose_value=False,
        callback=_keep_database_url,
        help="The PostgreSQL of the catalog, postgresql://USER@HOST/DATABASE (default: FRAMEDEX_DATABASE_URL).",
    )
    blobs = click.option(
        "--blobs",
        metavar="BUCKET",
        default=None,
        expose_value=False,
        callback=_keep_blobs,
        help="The bucket of uploads and encoded videos, s3://BUCKET/FOLDER (default: FRAMEDEX_BLOBS, else DIR/blobs).",
    )
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="The data directory (default: FRAMEDEX_DATA).",
    )
    return blobs(database_url(data(command)))


def _keep_database_url(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None and urlsplit(value).password:
        raise InvalidArguments(
            "--database-url would show the password to everybody on this machine: leave it out there, and give it by "
            "PGPASSFILE, or the whole address by FRAMEDEX_DATABASE_URL."
        )
    context.meta[_DATABASE_URL] = value


def _keep_blobs(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    context.meta[_BLOBS] = value


def chosen_blobs() -> str | None:
    """What `--blobs` says in the present command."""
    place: str | None = click.get_current_context().meta.get(_BLOBS)
    return place


def chosen_database() -> str | None:
    """What `--database-url` says in the present command."""
    url: str | None = click.get_current_context().meta.get(_DATABASE_URL)
    return url


def settings_of(data: Path | None) -> Settings:
    """The settings of the present command."""
    return load_settings(data=data, database_url=chosen_database(), blobs=chosen_blobs())


@contextmanager
def opened(data: Path | None, *, is_made: bool = False) -> Iterator[Node]:
    """The data directory for the time of one command, beside a server or without one; `is_made` makes a new one.

    Raises:
        NotFound: there is none, and it is not to be made.
    """
    settings = settings_of(data)
    place = settings.catalog_file if settings.database_url is None else settings.data
    if not is_made and not place.exists():
        raise NotFound(f"There is no catalog in {settings.data}; name a data directory with --data.")
    node = open_node(settings)
    try:
        yield node
    finally:
        node.close()
