"""`framedex rebuild-index`: the index made anew from the catalog."""

from __future__ import annotations

from pathlib import Path

import click

from framedex.bootstrap import rebuild_index as rebuild
from framedex.cli.options import data_option, settings_of


@click.command("rebuild-index")
@data_option
def rebuild_index(data: Path | None) -> None:
    """Builds the index of DIR anew from the catalog, which is the truth; the old one is used until then.

    The server of DIR must be stopped. A server that finds no index, or a damaged one, does this by itself.
    """
    seq = rebuild(settings_of(data))
    click.echo(f"The index holds everything up to change {seq}.")
