"""`python -m tools.lints`: prints each finding and fails when there is one."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.lints.run import check_tree

if __name__ == "__main__":
    findings = check_tree(Path(__file__).resolve().parents[2])
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings. A justified exception says so: `# lint: allow-<rule> - reason`.")
        sys.exit(1)
