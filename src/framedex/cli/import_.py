"""`framedex import`: a folder of files, one file, or a manifest becomes items."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import click

from framedex.bootstrap import Node
from framedex.cli.options import data_option, opened
from framedex.cli.working import watch_job, working
from framedex.core.access import Caller
from framedex.core.errors import InvalidArguments, NotFound
from framedex.core.ids import FolderId, IntegrationId, JobId, parse_id
from framedex.core.jobs import Job, JobState
from framedex.core.ports.blobs import IntegrationKind
from framedex.core.registration import Manifest
from framedex.services.imports import ImportRequest, problems_of, read_manifest

_POLL_S = 0.25
_SHOWN = 20
_MANIFESTS = {".json", ".csv"}


@click.command("import")
@click.argument("source", metavar="PATH|PREFIX|MANIFEST")
@click.option("--folder", required=True, help="Where to: a folder's UUID or name; a new name is made.")
@click.option("--user", required=True, help="The email of the user who registers.")
@click.option(
    "--integration", default=None, help="The UUID of what reaches the files (default for PATH: a local one that does)."
)
@click.option("--dry-run", is_flag=True, help="Shows what would be registered and what is wrong; writes nothing.")
@click.option(
    "--ignore-errors/--all-or-nothing",
    default=True,
    show_default=True,
    help="Whether good files stay where others fail.",
)
@data_option
def import_(
    source: str,
    folder: str,
    user: str,
    integration: str | None,
    data: Path | None,
    *,
    dry_run: bool,
    ignore_errors: bool,
) -> None:
    """Registers the files below PATH, the objects below PREFIX (as s3://bucket/folder), or what MANIFEST lists.

    MANIFEST is a .json or .csv file; a PREFIX, and a MANIFEST with addresses, need their --integration.

    Run again, it goes on where it was stopped: what is there already is skipped. Beside a running server, the server
    does the work and this command watches.
    """
    path = _existing(source)
    with opened(data) as node:
        caller = node.services.imports.caller_by_email(user)
        integration_id = None if integration is None else IntegrationId(parse_id(integration))
        manifest, integration_id = _manifest(node, caller, path, integration_id)
        if dry_run:
            _show(node, caller, folder, manifest, integration_id)
            return
        target = node.services.imports.folder(caller, folder, is_made=True)
        assert target is not None, "it is made where it is missing"
        request = ImportRequest(target.id, manifest, integration_id, ignore_errors, f"import {path}")
        with working(node) as check:
            job = watch_job(node, _begin(node, caller, request, check), check)
    click.echo(_verdict(job))
    if job.state is not JobState.DONE or job.units_error:
        sys.exit(1)


def _existing(source: str) -> Path | str:
    """A file or folder of this machine, or else an address."""
    if "://" in source:
        return source
    path = Path(source)
    if not path.exists():
        raise NotFound(f"There is no file or folder {source!r}.")
    return path.resolve()


def _manifest(
    node: Node, caller: Caller, path: Path | str, integration_id: IntegrationId | None
) -> tuple[Manifest, IntegrationId | None]:
    """What to register; repeats are always skipped, so that the same command can be run again."""
    if isinstance(path, str):
        if integration_id is None:
            raise InvalidArguments(f"Name the --integration that reaches {path}; see `framedex integrations list`.")
        return _below(node, caller, path, integration_id), integration_id
    if path.is_file() and path.suffix.lower() in _MANIFESTS:
        try:
            with _mapped(path) as content:
                manifest = read_manifest(content, is_csv=path.suffix.lower() == ".csv")
        except InvalidArguments as error:
            _tell([(p.path, p.message) for p in problems_of(error)])
            raise InvalidArguments(f"{path} is not a manifest that can be imported.") from None
        return replace(manifest, skip_duplicate_urls=True), integration_id
    integration_id = integration_id or _local(node, caller, path)
    address = f"file://{quote(str(path), safe='/')}"
    return _below(node, caller, address, integration_id), integration_id


def _below(node: Node, caller: Caller, address: str, integration_id: IntegrationId) -> Manifest:
    found = node.services.imports.scan(caller, integration_id, address)
    for left_out in found.left_out[:_SHOWN]:
        click.echo(f"left out, its ending tells no kind: {left_out}", err=True)
    if len(found.left_out) > _SHOWN:
        click.echo(f"left out: {len(found.left_out) - _SHOWN} more", err=True)
    if not found.units:
        raise InvalidArguments(f"Nothing below {address} can be registered.")
    return Manifest(found.units, skip_duplicate_urls=True)


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | memoryview]:
    """A file's bytes, mapped: a manifest may have a gigabyte."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:  # Nothing cannot be mapped.
            yield b""
            return
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        yield memoryview(mapped)
        # It is not closed: an error may still refer to a part of it. It ends with the last reference.


def _local(node: Node, caller: Caller, path: Path) -> IntegrationId:
    """A local integration of the user that holds the path: the one with the deepest root."""
    usable = [u.integration for u in node.services.imports.usable_integrations(caller)]
    local = [i for i in usable if i.config.kind is IntegrationKind.LOCAL and path.is_relative_to(i.config.root)]
    if not local:
        root = path if path.is_dir() else path.parent
        raise NotFound(
            f"No local integration of {caller.email} reaches {path}. "
            f"Add one: framedex integrations add TITLE --kind local --root {root}"
        )
    return max(local, key=lambda i: len(i.config.root)).id


def _show(node: Node, caller: Caller, folder: str, manifest: Manifest, integration_id: IntegrationId | None) -> None:
    target = node.services.imports.folder(caller, folder, is_made=False)
    kinds: dict[str, int] = {}
    for unit in manifest.units:
        kinds[unit.item_type.value] = kinds.get(unit.item_type.value, 0) + 1
    where = f"the new folder {folder!r}" if target is None else f"the folder {target.name!r} ({target.id})"
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    click.echo(f"{len(manifest.units)} units into {where}: {parts}")
    if target is None:
        return
    problems = node.services.imports.check(caller, ImportRequest(target.id, manifest, integration_id))
    _tell([(p.path, p.message) for p in problems])
    if problems:
        sys.exit(1)


def _tell(problems: list[tuple[str, str]]) -> None:
    for path, message in problems[:_SHOWN]:
        click.echo(message if message.startswith(path) else f"{path}: {message}", err=True)
    if len(problems) > _SHOWN:
        click.echo(f"and {len(problems) - _SHOWN} more problems", err=True)


def _begin(node: Node, caller: Caller, request: ImportRequest, check: Callable[[], None]) -> JobId:
    """Lets the job of an earlier run come to its end first, so that what it still holds is not done twice."""
    earlier = node.services.jobs.find_running(caller, FolderId(request.folder_id), request.title)
    if earlier is not None:
        click.echo(f"going on with the job {earlier.id}", err=True)
        watch_job(node, earlier.id, check)
    return node.services.imports.start(caller, request)


def _verdict(job: Job) -> str:
    if job.state is JobState.ERROR:
        return f"nothing was registered: {job.units_error} of {job.units_total} failed"
    if job.state is JobState.CANCELLED:
        return f"cancelled: {job.units_done} of {job.units_total} are registered"
    return f"registered or already there: {job.units_done} of {job.units_total}; failed: {job.units_error}"
