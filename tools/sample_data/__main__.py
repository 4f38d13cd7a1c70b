"""`python -m tools.sample_data build --out DIR [--cache DIR]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tools.sample_data.build import build
from tools.sample_data.fetch import SampleDataMissing


def main(arguments: list[str]) -> int:
    """Builds, and says what there is now."""
    parser = argparse.ArgumentParser(prog="python -m tools.sample_data", description="Builds the demo's sample data.")
    commands = parser.add_subparsers(dest="command", required=True)
    builds = commands.add_parser("build", help="writes media/, manifest.json and plan.json")
    builds.add_argument("--out", type=Path, required=True, help="folder to write to")
    builds.add_argument("--cache", type=Path, help="where the packages' archives are kept (default: OUT/packages)")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        plan, made = build(asked.out, asked.cache)
    except SampleDataMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    counts = ", ".join(f"{count} {kind}" for kind, count in plan["counts"].items())
    did = f"made in {time.monotonic() - began:.1f} s" if made else "already there"
    print(f"Sample data {did}: {sum(plan['counts'].values())} items ({counts}) in {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
