"""`framedex integrations`: one function a command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

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
@click.option("--kind", type=click.Choice([k.value for k in IntegrationKind]), required=True)
@click.option("--root", help="local: the directory that addresses must lie in.")
@click.option("--origin", "origins", multiple=True, help="http: scheme and host, for example https://data.example.org.")
@click.option("--strict-client-only", is_flag=True, help="The server never reads a byte of the objects.")
@click.option("--writable", is_flag=True, help="Allows what writes beside the originals.")
@click.option("--allow-private-addresses", is_flag=True, help="http: private and loopback addresses may be fetched.")
@data_option
def add(
    title: str,
    kind: str,
    root: str | None,
    origins: tuple[str, ...],
    data: Path | None,
    *,
    strict_client_only: bool,
    writable: bool,
    allow_private_addresses: bool,
) -> None:
    """Adds an integration and prints its UUID."""
    config = IntegrationConfig(
        kind=IntegrationKind(kind),
        root=_place(IntegrationKind(kind), root, origins),
        strict_client_only=strict_client_only,
        writable=writable,
        allow_private_addresses=allow_private_addresses,
    )
    with opened(data) as node:
        node.check_integration(config)
        integration = node.administration.add_integration(title, config)
    click.echo(integration.id)


def _place(kind: IntegrationKind, root: str | None, origins: tuple[str, ...]) -> str:
    if kind is IntegrationKind.HTTP:
        if not origins:
            raise InvalidArguments("Name at least one --origin, for example --origin https://data.example.org")
        return ",".join(origins)
    if not root:
        raise InvalidArguments("Name the directory with --root DIR.")
    return str(Path(root).resolve()) if kind is IntegrationKind.LOCAL else root


@integrations.command("list")
@data_option
def list_integrations(data: Path | None) -> None:
    """Lists integrations."""
    with opened(data) as node:
        found = node.administration.integrations()
    for i in found:
        strict = "  strict client-only" if i.config.strict_client_only else ""
        click.echo(f"{i.id}  {i.title}  {i.config.kind.value}  {i.config.root}{strict}")


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


@integrations.command("grant")
@click.argument("uuid")
@click.argument("subject")
@click.option("--role", type=click.Choice([r.value for r in Role]), required=True)
@data_option
def grant(uuid: str, subject: str, role: str, data: Path | None) -> None:
    """Gives SUBJECT (an email, or a group's name) a role on the integration UUID; from then on only grants count."""
    with opened(data) as node:
        node.administration.grant(IntegrationId(parse_id(uuid)), subject, Role(role))
    click.echo("granted")
