"""`framedex users`: one function a command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from framedex.auth.openssh import fingerprint, generate_key_pair, parse_public_key
from framedex.cli.options import data_option, opened
from framedex.core.errors import AlreadyExists, NotFound
from framedex.core.people import User, normal_email


@click.group()
def users() -> None:
    """Users and their keys."""


@users.command("add")
@click.argument("email")
@click.option(
    "--public-key",
    "public_key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="An OpenSSH public key file, Ed25519: often ~/.ssh/id_ed25519.pub.",
)
@click.option("--admin", is_flag=True, help="Makes the user an ADMIN of the workspace; the first user is one anyway.")
@data_option
def add(email: str, public_key: Path, data: Path | None, *, admin: bool) -> None:
    """Registers a public key for EMAIL, a new user or one who is there.

    A new data directory is made. Run it again for further keys of the same user.
    """
    email = normal_email(email)
    key = parse_public_key(public_key.read_text(encoding="utf-8", errors="replace"))
    with opened(data, is_made=True) as node:
        user = node.administration.add_user(email, key_hex=key.key_hex, comment=key.comment, is_admin=admin)
    click.echo(f"{_named(user)}: key {fingerprint(key.key_hex)} registered")


@users.command("new-key")
@click.argument("email")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the private key is written; a new file.",
)
@click.option("--admin", is_flag=True, help="Makes the user an ADMIN of the workspace; the first user is one anyway.")
@data_option
def new_key(email: str, out: Path, data: Path | None, *, admin: bool) -> None:
    """Makes a key for EMAIL, a new user or one who is there: the quickest way to a key for the SDK.

    The public half is registered; the private half is written to a new file that only you can read (mode 0600). A new
    data directory is made.
    """
    email = normal_email(email)
    pair = generate_key_pair(email)
    with opened(data, is_made=True) as node:
        _write_private(out, pair.private_pem)
        try:
            user = node.administration.add_user(email, key_hex=pair.key_hex, comment=email, is_admin=admin)
        except BaseException:
            out.unlink()  # It would open nothing, and stand in the way of the next try.
            raise
    click.echo(f"{_named(user)}: key {fingerprint(pair.key_hex)} registered\nprivate key: {out}")


def _write_private(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AlreadyExists(f"{path} is there already; name another file, so that no key is lost.") from None
    except FileNotFoundError:
        raise NotFound(f"The folder {path.parent} is not there; make it first.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _named(user: User) -> str:
    return f"{user.email} ({user.role.value})"


@users.command("list")
@data_option
def list_users(data: Path | None) -> None:
    """Lists users with their roles, and below each the keys: 64 hex digits, fingerprint, comment."""
    with opened(data) as node:
        found = node.administration.users_with_keys()
    for user, keys in found:
        click.echo(f"{user.email}  {user.role.value}  {user.member_type.value}")
        for key in keys:
            click.echo(f"  {key.key_hex}  {fingerprint(key.key_hex)}  {key.comment}")
    if not found:
        click.echo("nobody yet: framedex users new-key EMAIL --out FILE", err=True)


@users.command("remove-key")
@click.argument("key")
@data_option
def remove_key(key: str, data: Path | None) -> None:
    """Removes KEY, its 64 hex digits or its fingerprint as `users list` shows them; its tokens end with it."""
    with opened(data) as node:
        found = {fingerprint(k.key_hex): k.key_hex for _, keys in node.administration.users_with_keys() for k in keys}
        node.administration.remove_key(found.get(key, key.lower()))
    click.echo("removed")
