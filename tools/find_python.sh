#!/usr/bin/env bash
# Prints the newest Python (3.11 to 3.13, or whatever newer python3 is) that runs and can make an environment.
set -euo pipefail

# FRAMEDEX_PYTHON chooses one by hand.
for candidate in ${FRAMEDEX_PYTHON:-} python3.13 python3.12 python3.11 python3; do
  # A version manager's shim can be on PATH and still refuse to run, so each candidate is tried, not just looked up.
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    command -v "$candidate"
    exit 0
  fi
done
echo "Framedex needs Python 3.11 or newer with venv. On Debian: apt-get install python3 python3-venv" >&2
exit 1
