from __future__ import annotations

from textwrap import dedent

import pytest

from tools.lints.run import check_source
from tools.lints.source import Source


def findings(path: str, text: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.rule) for finding in check_source(Source(path, dedent(text)))]


@pytest.mark.parametrize("call", ["connection.commit()", "self.session.rollback()", "done = unit.commit"])
def test_commit__outside_the_unit_of_work(call: str) -> None:
    assert findings("src/framedex/services/items.py", f"{call}\n") == [(1, "commit")]


@pytest.mark.parametrize(
    "path",
    [
        "src/framedex/stores/catalog/unit_of_work.py",
        "src/framedex/stores/catalog/migrations/env.py",
        "tests/unit/stores/test_catalog.py",
    ],
)
def test_commit__where_it_belongs(path: str) -> None:
    assert findings(path, "connection.commit()\n") == []


@pytest.mark.parametrize(
    "line",
    ["home = os.environ['HOME']", "home = os.getenv('HOME')", "from os import environ", "from os import path, getenv"],
)
def test_environment__outside_settings(line: str) -> None:
    assert findings("src/framedex/cli/serve.py", f"{line}\n") == [(1, "environment")]


def test_environment__in_settings_and_tests() -> None:
    assert findings("src/framedex/settings.py", "home = os.environ['HOME']\n") == []
    assert findings("tests/conftest.py", "home = os.environ['HOME']\n") == []


def test_environment__other_names_of_os() -> None:
    assert findings("src/framedex/cli/serve.py", "from os import path\nos.fsync(1)\n") == []


@pytest.mark.parametrize(
    "clause", ["except:", "except Exception:", "except BaseException as error:", "except (OSError, Exception):"]
)
def test_broad_except__handler(clause: str) -> None:
    text = f"try:\n    work()\n{clause}\n    log()\n"
    assert findings("src/framedex/services/items.py", text) == [(3, "broad-except")]


@pytest.mark.parametrize("call", ["suppress(Exception)", "contextlib.suppress(OSError, BaseException)"])
def test_broad_except__suppress(call: str) -> None:
    assert findings("src/framedex/services/items.py", f"with {call}:\n    work()\n") == [(1, "broad-except")]


def test_broad_except__handler_that_passes_on() -> None:
    text = "try:\n    work()\nexcept BaseException:\n    tidy_up()\n    raise\n"
    assert findings("src/framedex/services/items.py", text) == []


def test_broad_except__translated_is_not_passed_on() -> None:
    text = "try:\n    work()\nexcept Exception as error:\n    raise Unavailable('no') from error\n"
    assert findings("src/framedex/services/items.py", text) == [(3, "broad-except")]


def test_broad_except__named_errors_and_the_job_runner() -> None:
    text = "try:\n    work()\nexcept {}:\n    log()\n"
    assert findings("src/framedex/services/items.py", text.format("(OSError, ValueError)")) == []
    assert findings("src/framedex/jobs/runner.py", text.format("Exception")) == []


@pytest.mark.parametrize(
    "signature",
    [
        "def add(self, item: ItemIn) -> None: ...",
        "async def add(item: dto.ItemPatch) -> None: ...",
        "def add(*, item: 'Sequence[ItemIn]') -> None: ...",
        "def get(key: str) -> Page[ItemOut]: ...",
    ],
)
def test_dto__in_a_service_signature(signature: str) -> None:
    assert findings("src/framedex/services/items.py", f"{signature}\n") == [(1, "dto")]


def test_dto__domain_types_and_other_layers() -> None:
    service = """\
        from framedex.core.items import ItemPatch

        def change(patch: ItemPatch, built_in: BuiltIn2) -> Timeout: ...
        """
    assert findings("src/framedex/services/items.py", service) == []
    assert findings("src/framedex/protocol/rest/items.py", "def add(item: ItemIn) -> None: ...\n") == []
