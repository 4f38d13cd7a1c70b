"""`framedex integrations`: one function a command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from framedex.cli.credentials import credentials_document, credentials_options
from framedex.cli.options import data_option, opened
from framedex.core.access import Role
from framedex.core.errors import InvalidArguments
from framedex.core.ids import IntegrationId, parse_id
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind


@click.group()
def integrations() -> None:
    """Places that data is registered from."""


@integrations.command("add")
@click.argument("title")
@click.option(
    "--kind", type=click.Choice([k.value for k in IntegrationKind]), required=True, help="Where the objects lie."
)
@click.option(
    "--root",
    metavar="PLACE",
    help="local: the directory that addresses must lie in. Clouds: s3://bucket/folder, gs://…",
)
@click.option("--origin", "origins", multiple=True, help="http: scheme and host, for example https://data.example.org.")
@click.option("--strict-client-only", is_flag=True, help="The server never reads a byte of the objects.")
@click.option("--writable", is_flag=True, help="Lets the server write beside the originals.")
@click.option("--allow-private-addresses", is_flag=True, help="Private and loopback addresses may be fetched.")
@click.option("--endpoint", metavar="URL", help="Clouds: where a store of your own answers, as https://minio:9000.")
@click.option("--region", help="s3: the region of the bucket (default us-east-1).")
@click.option(
    "--path-style/--virtual-host",
    "path_style",
    default=None,
    help="s3: the bucket in the path (default with --endpoint) or in the host.",
)
@credentials_options
@data_option
def add(
    title: str,
    kind: str,
    *,
    root: str | None,
    origins: tuple[str, ...],
    endpoint: str | None,
    region: str | None,
    credentials_file: Path | None,
    variables: tuple[str, ...],
    data: Path | None,
    strict_client_only: bool,
    writable: bool,
    allow_private_addresses: bool,
    path_style: bool | None,
    anonymous: bool,
) -> None:
    """Adds an integration and prints its UUID.

    Every ADMIN of the workspace may use it, and nobody else, until `integrations grant` says who. A new data directory
    is made.
    """
    if not title.strip():
        raise InvalidArguments("An integration needs a title.")
    config = IntegrationConfig(
        kind=IntegrationKind(kind),
        root=_place(IntegrationKind(kind), root, origins),
        strict_client_only=strict_client_only,
        writable=writable,
        allow_private_addresses=allow_private_addresses,
        endpoint=endpoint,
        region=region,
        path_style=(endpoint is not None and kind == IntegrationKind.S3.value) if path_style is None else path_style,
    )
    credentials = credentials_document(credentials_file, variables, anonymous=anonymous)
    _refuse_cloud_options(config, credentials)
    with opened(data, is_made=True) as node:
        node.check_integration(config, credentials)
        integration = node.administration.add_integration(title, config, credentials)
    if config.kind is IntegrationKind.LOCAL and not Path(config.root).is_dir():
        click.echo(f"warning: {config.root} is no directory of this machine now", err=True)
    click.echo(integration.id)


def _refuse_cloud_options(config: IntegrationConfig, credentials: bytes | None) -> None:
    """An option that has no effect is a mistake about the kind."""
    if config.kind not in (IntegrationKind.LOCAL, IntegrationKind.HTTP):
        return
    if config.endpoint or config.region or config.path_style or credentials is not None:
        raise InvalidArguments(
            f"--endpoint, --region, --path-style and credentials are not for kind {config.kind.value}."
        )


def _place(kind: IntegrationKind, root: str | None, origins: tuple[str, ...]) -> str:
    if root and kind is IntegrationKind.HTTP:
        raise InvalidArguments("--root is for other kinds; http takes --origin https://HOST.")
    if origins and kind is not IntegrationKind.HTTP:
        raise InvalidArguments(f"--origin is for http; {kind.value} takes --root.")
    if kind is IntegrationKind.HTTP:
        if not origins:
            raise InvalidArguments("Name at least one --origin, for example --origin https://data.example.org")
        return ",".join(origins)
    if not root:
        what = "the directory with --root DIR" if kind is IntegrationKind.LOCAL else "the bucket, as --root s3://bucket"
        raise InvalidArguments(f"Name {what}.")
    return str(Path(root).resolve()) if kind is IntegrationKind.LOCAL else root


@integrations.command("list")
@data_option
def list_integrations(data: Path | None) -> None:
    """Lists integrations: UUID, title, kind, place, options."""
    with opened(data) as node:
        found = node.administration.integrations()
    for i in found:
        parts = (i.id, i.title, i.config.kind.value, i.config.root, *_options(i.config))
        click.echo("  ".join(parts))
    if not found:
        click.echo("none yet: framedex integrations add TITLE --kind local --root DIR", err=True)


def _options(config: IntegrationConfig) -> list[str]:
    options = {
        "strict client-only": config.strict_client_only,
        "writable": config.writable,
        "private addresses allowed": config.allow_private_addresses,
        f"at {config.endpoint}": config.endpoint is not None,
    }
    return [name for name, is_set in options.items() if is_set]


@integrations.command("check")
@click.argument("uuid")
@click.option("--url", "urls", multiple=True, help="An address to read, too.")
@data_option
def check(uuid: str, urls: tuple[str, ...], data: Path | None) -> None:
    """Tries to reach the integration UUID and to read of it. Exits with 1 when something fails."""
    with opened(data) as node:
        steps = node.services.integration_checks.check(IntegrationId(parse_id(uuid)), urls)
    for step in steps:
        click.echo(f"ok: {step.message}" if step.is_ok else f"failed: {step.message}\n  to mend: {step.mend}")
    if not all(step.is_ok for step in steps):
        sys.exit(1)


@integrations.command("set-credentials")
@click.argument("uuid")
@credentials_options
@data_option
def set_credentials(
    uuid: str, credentials_file: Path | None, variables: tuple[str, ...], data: Path | None, *, anonymous: bool
) -> None:
    """Replaces the credentials of the integration UUID; without an option, by the machine's own identity."""
    credentials = credentials_document(credentials_file, variables, anonymous=anonymous)
    integration_id = IntegrationId(parse_id(uuid))
    with opened(data) as node:
        found = next((i for i in node.administration.integrations() if i.id == integration_id), None)
        if found is not None:
            _refuse_cloud_options(found.config, credentials)
            node.check_integration(found.config, credentials)
        node.administration.set_credentials(integration_id, credentials)
    click.echo("replaced")


@integrations.command("grant")
@click.argument("uuid")
@click.argument("subject")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), required=True, help="Only an admin registers data with it."
)
@data_option
def grant(uuid: str, subject: str, role: str, data: Path | None) -> None:
    """Gives SUBJECT (an email, or a group's name) a role on the integration UUID; from then on only grants count."""
    with opened(data) as node:
        node.administration.grant(IntegrationId(parse_id(uuid)), subject, Role(role))
    click.echo("granted")
