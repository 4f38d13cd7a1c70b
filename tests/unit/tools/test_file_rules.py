from __future__ import annotations

import pytest

from tools.lints.run import check_source
from tools.lints.source import Source


def rules(path: str, text: str) -> list[str]:
    return [finding.rule for finding in check_source(Source(path, text))]


@pytest.mark.parametrize(("path", "cap"), [("src/framedex/core/items.py", 400), ("tests/builders/items.py", 300)])
def test_file_cap__at_and_over(path: str, cap: int) -> None:
    assert rules(path, "x = 1\n" * cap) == []
    assert rules(path, "x = 1\n" * (cap + 1)) == ["file-size"]


@pytest.mark.parametrize(
    "path",
    ["tests/unit/core/test_items.py", "src/framedex/stores/catalog/migrations/versions/r1.py", "src/framedex/x.md"],
)
def test_file_cap__free(path: str) -> None:
    assert rules(path, "x = 1\n" * 2000) == []


@pytest.mark.parametrize(
    "path",
    ["src/framedex/core/utils.py", "src/framedex/helpers/paths.py", "tools/job_manager.py", "tests/builders/common.py"],
)
def test_module_name__says_nothing(path: str) -> None:
    assert rules(path, "") == ["module-name"]


def test_module_name__says_something() -> None:
    assert rules("src/framedex/core/commons_licence.py", "") == []
    assert rules("docs/utils.md", "") == []


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "work/main/x",
        "KEY = '/" + "root/.ssh/id'",
        "cd /" + "home/anna/src",
        "/" + "tmp/v/bin/python",
        "index-" + "url = https://x/simple",
        "pip install --extra-index-" + "url https://mirror.example/simple x",
        "https://files." + "pythonhosted.org/x.whl",
        '"resolved": "https://' + 'registry.npmjs.org/x.tgz"',
    ],
)
def test_machine_path__found(text: str) -> None:
    assert rules("docs/guides/x.md", f"{text}\n") == ["machine-path"]


@pytest.mark.parametrize(
    "text",
    ["https://example.org/work/x", "file:///data/images/a.png", "./work/x", "the registry of media kinds", "/homes/x/"],
)
def test_machine_path__harmless(text: str) -> None:
    assert rules("docs/guides/x.md", f"{text}\n") == []
