"""Are the generated files current? `python -m tools.generated` runs every generator with --check.

A generator is a script in tools/ that writes one file, and that with `--check` writes nothing and fails when the file
would change. It is registered here, once; without `--check` in its call this module writes them all.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Generator:
    """A module that is run with `python -m`, and the tracked file that it writes."""

    module: str
    output: str


# One line per generated file.
GENERATORS: tuple[Generator, ...] = (
    Generator("tools.cli_reference", "docs/reference/cli.md"),
    Generator("tools.protocol_coverage", "docs/protocol-coverage.md"),
)


def run(generator: Generator, *, check: bool) -> bool:
    """Whether the file is current (`check`) or was written."""
    command = [sys.executable, "-m", generator.module, *(["--check"] if check else [])]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    """`--write` brings the files up to date; the default is to check them."""
    check = "--write" not in arguments
    failed = [generator for generator in GENERATORS if not run(generator, check=check)]
    for generator in failed:
        print(f"{generator.output} is not current: run `python -m {generator.module}` and commit what it writes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
