"""What every suite shares: tools of the machine that a suite may need."""

from __future__ import annotations

import os
import shutil

import pytest

# Tools named here (comma-separated) must be present: CI sets it, so that no suite is skipped there in silence.
REQUIRED = frozenset(name.strip() for name in os.environ.get("FRAMEDEX_REQUIRE", "").split(",") if name.strip())


def require_tool(name: str, package: str | None = None) -> str:
    """The path of a program; without it the calling test or module is NOT RUN, or fails when CI requires the tool.

    `package` is its Debian package, where that has another name.

    Call it in a fixture, in a test, or at the top of a module.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    message = f"NOT RUN: `{name}` is not installed (Debian: apt-get install {package or name})"
    if name in REQUIRED:
        pytest.fail(f"{message}, and FRAMEDEX_REQUIRE demands it", pytrace=False)
    pytest.skip(message, allow_module_level=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio alone: uvicorn with uvloop is what serves."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names each suite that did not run, once, at the very end."""
    reasons = {_reason(report) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reason for reason in reasons if reason.startswith("NOT RUN")):
        terminalreporter.write_line(reason, yellow=True)


def _reason(report: object) -> str:
    longrepr = getattr(report, "longrepr", None)
    return str(longrepr[2]).removeprefix("Skipped: ") if isinstance(longrepr, tuple) else ""
