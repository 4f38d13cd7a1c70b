"""`framedex frames`: whether a server shows the frames that are in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from framedex.client.verification import Comparison

_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_SHOWN_DIGITS = 16


@click.group()
def frames() -> None:
    """Exact frames."""


@frames.command("verify")
@click.argument("item")
@click.option("--server", "url", required=True, help="The server's address, such as http://127.0.0.1:8420.")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The private key of the SDK, an OpenSSH file (Ed25519).",
)
@click.option("--frames", "chosen", default=None, help="Frames and ranges, counted from 0: 0,150,200-210.")
@click.option("--sample", type=click.IntRange(1), default=25, show_default=True, help="So many random frames instead.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A copy of the item's object (default: it is fetched from the server).",
)
@click.option("--insecure-http", is_flag=True, help="Sends the token over HTTP to another machine.")
def verify_frames(
    item: str, url: str, key: Path, chosen: str | None, sample: int, file: Path | None, *, insecure_http: bool
) -> None:
    """Decodes frames of ITEM here and compares them with what the server says: time, format, SHA-256 of the planes.

    Ends with 1 when one differs.
    """
    from framedex.client.server import Server, ServerRefused, is_secure
    from framedex.client.verification import frames_to_verify, verify

    if not is_secure(url) and not insecure_http:
        raise click.ClickException(
            f"{url} is neither https nor this machine; --insecure-http sends a token there anyway"
        )
    try:
        with Server.sign_in(url, key) as server:
            wanted = _numbers(chosen) if chosen else frames_to_verify(server, item, sample=sample)
            found = list(_printed(verify(server, item, wanted, file=file)))
    except ServerRefused as error:
        raise click.ClickException(str(error)) from error
    different = sum(not comparison.is_same for comparison in found)
    click.echo(f"{len(found)} frames compared, {different} differ")
    if different:
        raise SystemExit(1)


def _printed(comparisons: Iterable[Comparison]) -> Sequence[Comparison]:
    click.echo(f"{'frame':>8}  {'pts':>14}  {'format':<12}  {'size':<11}  {'SHA-256':<{_SHOWN_DIGITS}}  result")
    found = []
    for comparison in comparisons:
        click.echo(_line(comparison))
        found.append(comparison)
    return found


def _line(comparison: Comparison) -> str:
    one = comparison.theirs
    result = "same" if comparison.is_same else comparison.reason or f"DIFFERS: {', '.join(comparison.differences)}"
    pts = "-" if one.pts is None else str(one.pts)
    size = f"{one.width}x{one.height}"
    return f"{one.frame:>8}  {pts:>14}  {one.pixel_format:<12}  {size:<11}  {one.sha256[:_SHOWN_DIGITS]}  {result}"


def _numbers(text: str) -> Sequence[int]:
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise click.BadParameter(f"{part[:40]!r} is no number or range; say 0,150,200-210", param_hint="--frames")
        found.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found
