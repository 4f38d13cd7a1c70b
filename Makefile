# Framedex: every command a developer or CI runs. `make help` lists them.
# Needs git, make and Python 3.11 or newer; everything else comes from requirements/dev.txt, whose hashes are checked.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PEERS := .peers
PY := $(VENV)/bin/python
# Quiet twice: errors are shown, and the warnings that a machine's own pip configuration gives rise to are not.
PIP := $(PY) -m pip --disable-pip-version-check --quiet --quiet install
UV_VERSION := 0.13.9
WORKERS ?= 2
ON_POSTGRES := tests/contract/catalog tests/medium/services tests/medium/protocol tests/medium/webapi tests/protocol \
  $(patsubst %,tests/medium/cli/test_%.py,backup doctor serve users) \
  $(patsubst %,tests/faults/test_%.py,kills stopping importers upgrade runner)

.PHONY: help setup peers check test record demo bench lock clean

help: ## lists the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 20

setup: $(VENV)/.ready ## makes .venv from the locked requirements (instant when nothing changed)

# The environment is thrown away when the lock changes: what is installed is what is locked, nothing left over.
$(VENV)/.installed: requirements/dev.txt tools/find_python.sh
	@python="$$(bash tools/find_python.sh)" || exit 1; \
	  echo "Setting up $(VENV) with $$("$$python" --version) and requirements/dev.txt: once, about a minute"; \
	  rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@$(PIP) --no-compile --require-hashes -r requirements/dev.txt
	@# Compiled once here, so that no start-up pays for it. Some packages ship files that are not meant to compile.
	@$(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@

$(VENV)/.ready: $(VENV)/.installed pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

peers: $(PEERS)/.ready $(PEERS)/media/.ready ## installs the object stores that tests talk to, and real videos, into .peers

# Apart from .venv: they are large, and nothing but tests needs them.
$(PEERS)/.ready: requirements/peers.txt requirements/azurite/package-lock.json tools/install_peers.sh tools/find_python.sh
	@bash tools/install_peers.sh $(PEERS)
	@touch $@

# Where some cannot be had (no Debian, no network) the tests that need them say so, and the next run tries again.
$(PEERS)/media/.ready: $(PEERS)/.ready requirements/media.txt tools/real_media.py
	@"$$(bash tools/find_python.sh)" -m tools.real_media $(PEERS)/media

check: setup ## format, lint, types, import contracts, own lints, unit tests, generated files: under a minute
	@$(PY) -m tools.check

test: setup peers ## all suites; a suite whose Debian tool is missing prints NOT RUN (FRAMEDEX_REQUIRE=ffmpeg,... forbids that)
	$(PY) -m pytest -n $(WORKERS) -m "not bench"
	@echo "Once more on PostgreSQL: what looks into the catalog"
	FRAMEDEX_TEST_DATABASE=postgresql $(PY) -m pytest -n $(WORKERS) -m "not bench" $(ON_POSTGRES)

record: setup ## runs the SDK suite, takes over what it proved, writes docs/protocol-coverage.md
	rm -rf build/protocol-record
	FRAMEDEX_PROTOCOL_RECORD=build/protocol-record $(PY) -m pytest -n $(WORKERS) tests/protocol
	$(PY) -m tools.protocol_coverage --record build/protocol-record

demo: setup ## loads the sample data, serves on 127.0.0.1:8420 (PORT=N), prints what to paste into a script
	@$(PY) -m tools.demo $(if $(PORT),--port $(PORT))

bench: setup ## the benchmarks, as a table with ratios
	@$(PY) -m tests.bench

lock: $(VENV)/lock/bin/uv ## writes requirements/*.txt anew (only this target needs the newest of anything)
	@for name in runtime dev; do \
	  extra=""; [ $$name = dev ] && extra="--extra dev --constraint requirements/runtime.txt"; \
	  $(VENV)/lock/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate $$extra $(LOCK_FLAGS) pyproject.toml -o requirements/$$name.txt >/dev/null \
	    || exit 1; \
	done
	@$(VENV)/lock/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate $(LOCK_FLAGS) requirements/peers.in -o requirements/peers.txt >/dev/null
	@echo "requirements/runtime.txt and requirements/dev.txt are current (LOCK_FLAGS=--upgrade takes newer versions)"

$(VENV)/lock/bin/uv:
	python="$$(bash tools/find_python.sh)" && "$$python" -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet "uv==$(UV_VERSION)"

clean: ## removes the environment and all caches (never a data directory: the demo's is .demo)
	rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
