"""What a command of `framedex` loads before it does anything: a start-up that everybody waits for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Loaded on first use, most of them in the limited processes that read media alone.
_HEAVY = (
    "PIL", "alembic", "av", "encord", "faiss", "fastapi", "laspy", "nibabel", "numpy", "pillow_heif", "pyarrow",
    "pydantic", "pydicom", "pylibjpeg", "pypdfium2", "uvicorn",
)  # fmt: skip


def _loaded(statement: str) -> set[str]:
    """Top-level packages that are there after a statement in a fresh interpreter."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", ["framedex.cli.main", "framedex.bootstrap"])
def test_imports__of_heavy_libraries_come_with_first_use(module: str) -> None:
    assert sorted(_loaded(f"import {module}").intersection(_HEAVY)) == []


def test_loaded__sees_what_a_module_loads() -> None:
    assert "PIL" in _loaded("import PIL.Image")
