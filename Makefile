# Framedex: every command a developer or CI runs. `make help` lists them.
# Needs git, make and Python 3.11 or newer; everything else comes from requirements/dev.txt, whose hashes are checked.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
UV_VERSION := 0.13.9
WORKERS ?= 2

.PHONY: help setup check test demo bench lock clean

help: ## lists the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 20

setup: $(VENV)/.ready ## makes .venv from the locked requirements (instant when nothing changed)

# The environment is thrown away when the lock changes: what is installed is what is locked, nothing left over.
$(VENV)/.installed: requirements/dev.txt tools/find_python.sh
	rm -rf $(VENV)
	"$$(bash tools/find_python.sh)" -m venv $(VENV)
	$(PY) -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r requirements/dev.txt
	@# Compiled once here, so that no start-up pays for it. Some packages ship files that are not meant to compile.
	@$(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	touch $@

$(VENV)/.ready: $(VENV)/.installed pyproject.toml
	$(PY) -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --no-index -e .
	touch $@

check: setup ## format, lint, types, import contracts, own lints, unit tests, generated files: under a minute
	@$(PY) -m tools.check

test: setup ## all suites; a suite whose Debian tool is missing prints NOT RUN (FRAMEDEX_REQUIRE=ffmpeg,... forbids that)
	$(PY) -m pytest -n $(WORKERS) -m "not bench"

demo: setup ## loads the sample data, serves on 127.0.0.1:8420, prints what to paste into a script
	@$(VENV)/bin/framedex demo

bench: setup ## the benchmarks, as a table with ratios
	@$(PY) -m tests.bench

lock: $(VENV)/lock/bin/uv ## writes requirements/*.txt anew (only this target needs the newest of anything)
	@for name in runtime dev; do \
	  extra=""; [ $$name = dev ] && extra="--extra dev --constraint requirements/runtime.txt"; \
	  $(VENV)/lock/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate $$extra $(LOCK_FLAGS) pyproject.toml -o requirements/$$name.txt >/dev/null \
	    || exit 1; \
	done
	@echo "requirements/runtime.txt and requirements/dev.txt are current (LOCK_FLAGS=--upgrade takes newer versions)"

$(VENV)/lock/bin/uv:
	"$$(bash tools/find_python.sh)" -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet "uv==$(UV_VERSION)"

clean: ## removes the environment and all caches (never a data directory)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
