"""The `framedex` command: one module a group of commands."""

from __future__ import annotations

import sys

import click

from framedex.cli.audit import audit
from framedex.cli.backup import backup, restore
from framedex.cli.doctor import doctor
from framedex.cli.frames import frames
from framedex.cli.import_ import import_
from framedex.cli.integrations import integrations
from framedex.cli.jobs import jobs
from framedex.cli.move_catalog import move_to_postgresql
from framedex.cli.rebuild_index import rebuild_index
from framedex.cli.serve import serve
from framedex.cli.sync import sync
from framedex.cli.users import users
from framedex.cli.worker import worker
from framedex.core.errors import DomainError


class Framedex(click.Group):
    """Shows expected refusals as one line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(error.message) from error
        except OSError as error:
            # A file or folder that cannot be used; anything else is a fault, and keeps its trace.
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@click.group(cls=Framedex, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="framedex")
def main() -> None:
    """Framedex: an open, self-hosted index for multimodal data.

    The first three: `framedex users new-key` makes you a key, `framedex integrations add` names a folder of your files,
    `framedex serve` serves. All take --data DIR, or FRAMEDEX_DATA=DIR from the environment.
    """


for command in (
    serve,
    worker,
    users,
    integrations,
    import_,
    sync,
    frames,
    jobs,
    doctor,
    rebuild_index,
    backup,
    restore,
    move_to_postgresql,
    audit,
):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
