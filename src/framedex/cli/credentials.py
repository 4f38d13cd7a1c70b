"""Options for the credentials of a bucket: from a file or by the names of variables, never as arguments."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from framedex.core.errors import InvalidArguments


def credentials_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--credentials`, `--credentials-env`, `--anonymous`."""
    options = (
        click.option(
            "--credentials",
            "credentials_file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            metavar="FILE",
            help="JSON: s3 access_key_id, secret_access_key; gcs the service account's key; azure account_key. Kept"
            " encrypted. Without it the machine's own identity is used.",
        ),
        click.option(
            "--credentials-env",
            "variables",
            multiple=True,
            metavar="NAME=VARIABLE",
            help="A value that the server reads from its environment, as access_key_id=MY_KEY. Repeat it.",
        ),
        click.option("--anonymous", is_flag=True, help="A bucket that everybody may read: nothing is signed."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def credentials_document(credentials_file: Path | None, variables: Sequence[str], *, anonymous: bool) -> bytes | None:
    """The document that is stored; None for the machine's own identity.

    Raises:
        InvalidArguments: several ways at once, or a malformed name.
    """
    if sum((credentials_file is not None, bool(variables), anonymous)) > 1:
        raise InvalidArguments("Give credentials in one way: --credentials, --credentials-env or --anonymous.")
    if anonymous:
        return b'{"anonymous": true}'
    if variables:
        return json.dumps({"environment": dict(_pair(text) for text in variables)}).encode()
    try:
        return None if credentials_file is None else credentials_file.read_bytes()
    except OSError as error:
        raise InvalidArguments(f"Cannot read {credentials_file}: {error.strerror}.") from None


def _pair(text: str) -> tuple[str, str]:
    name, separator, variable = text.partition("=")
    if not separator or not variable.replace("_", "a").isalnum():
        # What stands there may be the secret itself, so it is not repeated.
        raise InvalidArguments("--credentials-env takes NAME=VARIABLE, as in access_key_id=MY_ACCESS_KEY.")
    return name, variable
