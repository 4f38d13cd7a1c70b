"""The house keeps its own promises: contracts cover every package, locks hold hashes and no addresses."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.generated import GENERATORS

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages() -> list[str]:
    """Layers: every folder of the package, and each store."""
    source = ROOT / "src" / "framedex"
    folders = [*source.iterdir(), *(source / "stores").iterdir()]
    names = [folder.relative_to(ROOT / "src") for folder in folders if (folder / "__init__.py").exists()]
    return sorted(".".join(name.parts) for name in names)


@pytest.mark.parametrize("package", packages())
def test_contracts__name_every_package(package: str) -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    sources = {
        name for contract in contracts for key in ("source_modules", "modules") for name in contract.get(key, [])
    }
    assert package in sources, f"{package} is in no import contract of pyproject.toml: say what it may import"


def test_ruff__every_exclusion_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    rules = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.mccabe]")]
    codes = [line for line in rules.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert codes
    assert [line for line in codes if not re.search(r"#\s+(?:\S.{8,}|same)", line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock__pins_with_hashes_and_names_no_place(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert len(entries) > {"peers.txt": 2, "media.txt": 1}.get(lock.name, 10)
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+ ", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert "://" not in lock.read_text()


def test_lock__azurite_has_hashes_and_names_no_place() -> None:
    packages = json.loads((ROOT / "requirements/azurite/package-lock.json").read_text())["packages"]
    del packages[""]
    assert len(packages) > 100
    assert [name for name, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_lock__dev_installs_what_runtime_runs() -> None:
    runtime, dev = (
        # where a package is wanted may differ: another one may want it on further machines
        set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("runtime.txt", "dev.txt")
    )
    assert len(runtime) > 20
    assert runtime <= dev


def test_generated__each_generator_is_registered() -> None:
    registered = {generator.module for generator in GENERATORS}
    scripts = {f"tools.{path.stem}": path for path in (ROOT / "tools").glob("*.py")}
    scripts |= {f"tools.{path.parent.name}": path for path in (ROOT / "tools").glob("*/__main__.py")}
    others = {"tools.generated", "tools.check", "tools.__init__"}
    generators = {name for name, path in scripts.items() if name not in others and "--check" in path.read_text()}
    assert generators == registered
