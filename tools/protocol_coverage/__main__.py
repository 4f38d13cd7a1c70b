"""Writes or checks the page."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.protocol_coverage.endpoints import coverage, unlisted
from tools.protocol_coverage.page import page
from tools.protocol_coverage.record import ROOT, problems, read_record, take_over
from tools.protocol_coverage.sdk import SdkMismatch, require_version

_SHOWN = 20
PAGE = ROOT / "docs" / "protocol-coverage.md"


def main(arguments: list[str]) -> int:
    """`--check`: nothing is written; 1 when the page would change or the record does not hold."""
    if "--record" in arguments:
        take_over(Path(arguments[arguments.index("--record") + 1]))
    try:
        require_version()
        text = page(coverage(read_record()))
    except SdkMismatch as mismatch:
        print(mismatch)
        return 1
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
    wrong = [*problems(), *(f"{name}: implemented, but no endpoint of this SDK" for name in unlisted())]
    if wrong:
        more = [f"… and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        print("\n".join(["tests/protocol/record.json does not hold: run `make record`", *wrong[:_SHOWN], *more]))
    is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
    if not is_current:
        print("docs/protocol-coverage.md is not current")
    return 1 if wrong or not is_current else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
