"""`make check`: every quick check in order, with its time; all run, so that one look shows all that is wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# A check that takes longer gets skipped by people; see decision 0009.
BUDGET_S = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One check: a name and a command line."""

    name: str
    command: tuple[str, ...]


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(BIN / name), *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


STEPS = (
    Step("format", _tool("ruff", "format", "--check", "--quiet", ".")),
    Step("ruff", _tool("ruff", "check", "--quiet", ".")),
    Step("types", _module("mypy", "--no-error-summary")),
    Step("import contracts", _tool("lint-imports", "--no-logo")),
    Step("own lints", _module("tools.lints")),
    Step("unit tests", _module("pytest", "-q", "-n", "2", "tests/unit")),
    Step("generated files", _module("tools.generated")),
)


def run(step: Step) -> bool:
    """Runs one step; prints its output only when it fails."""
    began = time.monotonic()
    done = subprocess.run(step.command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    is_good = done.returncode == 0
    print(f"{'ok    ' if is_good else 'FAILED'}  {step.name:<18} {time.monotonic() - began:5.1f} s", flush=True)
    if not is_good:
        print(done.stdout + done.stderr, flush=True)
    return is_good


def main() -> int:
    """0 when all steps passed."""
    began = time.monotonic()
    failed = [step.name for step in STEPS if not run(step)]
    took = time.monotonic() - began
    print(f"{len(STEPS) - len(failed)} of {len(STEPS)} checks passed in {took:.1f} s")
    if took > BUDGET_S:
        print(f"warning: `make check` is to stay under {BUDGET_S:.0f} s; find what grew")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
