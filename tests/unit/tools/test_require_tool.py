from __future__ import annotations

import pytest

from tests import conftest

ABSENT = "a-program-that-nobody-has"


def test_require_tool__present() -> None:
    assert conftest.require_tool("git").endswith("git")


def test_require_tool__absent_is_not_run() -> None:
    with pytest.raises(pytest.skip.Exception, match=f"NOT RUN: `{ABSENT}` is not installed"):
        conftest.require_tool(ABSENT)


def test_require_tool__absent_but_demanded_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "REQUIRED", frozenset({ABSENT}))
    with pytest.raises(pytest.fail.Exception, match="FRAMEDEX_REQUIRE demands it"):
        conftest.require_tool(ABSENT)
