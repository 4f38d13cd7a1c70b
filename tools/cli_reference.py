"""Writes docs/reference/cli.md from the commands themselves; `--check` fails when the file would change."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from framedex.cli.main import main as framedex

OUTPUT = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cli.md"

_HEAD = """\
# The `framedex` command

Written by `python -m tools.cli_reference` from the commands themselves; do not edit. `framedex COMMAND --help` says the
same. A refusal is one line on standard error that begins with `Error:`, and the exit code 1; a wrong call has code 2.
`FRAMEDEX_DATA=DIR` in the environment stands for `--data DIR` everywhere.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_pages(framedex, "framedex")])


def _pages(command: click.Command, name: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield _page(command, name)
        return
    if name != "framedex":
        yield f"## {name}\n\n{_help(command)}\n"
    for part in sorted(command.commands):
        yield from _pages(command.commands[part], f"{name} {part}")


def _page(command: click.Command, name: str) -> str:
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    level = "##" if name.count(" ") == 1 else "###"
    heading = f"{level} {' '.join([name, *arguments])}\n\n{_help(command)}\n"
    options = [_row(option) for option in command.params if isinstance(option, click.Option)]
    return "\n".join([heading, "| option | |", "|---|---|", *options, ""])


def _help(command: click.Command) -> str:
    """The command's own words, a paragraph a line."""
    text = inspect.cleandoc(command.help or "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _row(option: click.Option) -> str:
    record = option.get_help_record(click.Context(click.Command("none")))
    assert record is not None, "no option is hidden"
    names, says = (" ".join(text.split()).replace("|", r"\|") for text in record)
    return f"| `{names}` | {says} |"


def main(arguments: list[str]) -> int:
    """Writes the page, or with `--check` compares it."""
    text = reference()
    if "--check" in arguments:
        return 0 if OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == text else 1
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
