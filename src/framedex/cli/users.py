"""`framedex users`: one function a command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from framedex.auth.openssh import fingerprint, generate_key_pair, parse_public_key
from framedex.cli.options import data_option, opened
from framedex.core.errors import AlreadyExists
from framedex.core.people import normal_email


@click.group()
def users() -> None:
    """Users and their keys."""


@users.command("add")
@click.argument("email")
@click.option("--public-key", "public_key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--admin", is_flag=True, help="Makes the user an ADMIN of the workspace.")
@data_option
def add(email: str, public_key: Path, data: Path | None, *, admin: bool) -> None:
    """Registers an OpenSSH Ed25519 public key for EMAIL; run it again for further keys."""
    key = parse_public_key(public_key.read_text(encoding="utf-8", errors="replace"))
    with opened(data) as node:
        user = node.administration.add_user(email, key_hex=key.key_hex, comment=key.comment, is_admin=admin)
    click.echo(f"{user.email}: key {fingerprint(key.key_hex)} registered")


@users.command("new-key")
@click.argument("email")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--admin", is_flag=True, help="Makes the user an ADMIN of the workspace.")
@data_option
def new_key(email: str, out: Path, data: Path | None, *, admin: bool) -> None:
    """Makes a key pair, registers its public half for EMAIL, and writes the private half to a new file (mode 0600)."""
    pair = generate_key_pair(normal_email(email))
    _write_private(out, pair.private_pem)
    with opened(data) as node:
        node.administration.add_user(email, key_hex=pair.key_hex, comment=email, is_admin=admin)
    click.echo(f"private key: {out}")


def _write_private(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AlreadyExists(f"{path} is there already; name another file, so that no key is lost.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@users.command("list")
@data_option
def list_users(data: Path | None) -> None:
    """Lists users with roles and keys."""
    with opened(data) as node:
        found = node.administration.users_with_keys()
    for user, keys in found:
        click.echo(f"{user.email}  {user.role.value}  {user.member_type.value}")
        for key in keys:
            click.echo(f"  {key.key_hex}  {fingerprint(key.key_hex)}  {key.comment}")


@users.command("remove-key")
@click.argument("key")
@data_option
def remove_key(key: str, data: Path | None) -> None:
    """Removes KEY, its 64 hex digits as `users list` shows them; tokens that it made end with it."""
    with opened(data) as node:
        node.administration.remove_key(key.lower())
    click.echo("removed")
