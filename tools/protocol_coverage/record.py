"""The tracked record of what tests/protocol proved: endpoint -> the tests that did, without parameters.

A test claims endpoints with `@pytest.mark.works(…)` and fails unless its own run asked for them with success and a
second client took part (tests/protocol/conftest.py). So the record holds as long as exactly these tests claim exactly
these endpoints, which `problems` reads off the sources, and `make test` passes.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tools.protocol_coverage.sdk import SDK_VERSION

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "tests" / "protocol"
RECORD = SUITE / "record.json"

Proofs = Mapping[str, Sequence[str]]


def read_record() -> Proofs:
    """Endpoint -> tests, as tracked."""
    stored = json.loads(RECORD.read_text(encoding="utf-8"))
    proofs: Proofs = stored["proved"]
    return proofs


def take_over(folder: Path) -> None:
    """Writes the record anew from what a run of the whole suite left in a folder."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise SystemExit(f"there is no record in {folder}: run tests/protocol with FRAMEDEX_PROTOCOL_RECORD={folder}")
    proofs: dict[str, set[str]] = {}
    for file in files:
        for endpoint, tests in json.loads(file.read_text(encoding="utf-8")).items():
            proofs.setdefault(endpoint, set()).update(test.split("[")[0] for test in tests)
    sorted_proofs = {endpoint: sorted(tests) for endpoint, tests in sorted(proofs.items())}
    text = json.dumps({"sdk": SDK_VERSION, "proved": sorted_proofs}, indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")


def claims() -> dict[str, list[str]]:
    """Endpoint -> the tests whose sources claim it."""
    found: dict[str, list[str]] = {}
    for path in sorted(SUITE.glob("test_*.py")):
        for test, endpoints in _claims_of(ast.parse(path.read_text(encoding="utf-8"))):
            for endpoint in endpoints:
                found.setdefault(endpoint, []).append(f"{path.relative_to(ROOT).as_posix()}::{test}")
    return {endpoint: sorted(tests) for endpoint, tests in sorted(found.items())}


def _claims_of(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            marks = [d for d in node.decorator_list if isinstance(d, ast.Call) and _is_works(d.func)]
            yield node.name, [name for mark in marks for a in mark.args for name in _endpoints(a, constants)]


def _endpoints(argument: ast.expr, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """The names in an argument: a text, a constant of the module, or several of those behind a star."""
    value = argument.value if isinstance(argument, ast.Starred) else argument
    if isinstance(value, ast.Name):
        value = constants[value.id]
    if isinstance(value, ast.Tuple | ast.List):
        for inner in value.elts:
            yield from _endpoints(inner, constants)
        return
    yield str(ast.literal_eval(value))


def _is_works(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function) == "pytest.mark.works"


def problems() -> list[str]:
    """Where record and claims differ; empty when the record holds."""
    recorded, claimed = _pairs(read_record()), _pairs(claims())
    lost = [f"{endpoint}: no longer claimed by {test}" for endpoint, test in sorted(recorded - claimed)]
    new = [f"{endpoint}: claimed by {test}, not recorded" for endpoint, test in sorted(claimed - recorded)]
    return [*lost, *new]


def _pairs(proofs: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(endpoint, test) for endpoint, tests in proofs.items() for test in tests}
