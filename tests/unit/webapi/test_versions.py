from __future__ import annotations

import pytest

from framedex.core.errors import InvalidArguments
from framedex.webapi.versions import etag, expected_version, is_any


def test_expected_version__is_what_etag_said() -> None:
    assert expected_version(etag(12)) == 12
    assert expected_version(f" {etag(0)} ") == 0


@pytest.mark.parametrize("if_match", [None, "*", " * "])
def test_expected_version__none_named(if_match: str | None) -> None:
    assert expected_version(if_match) is None
    assert is_any(if_match) is (if_match is not None)


@pytest.mark.parametrize("if_match", ["3", 'W/"3"', '"3", "4"', '"x"', "", '"-1"', '"12345678901"'])
def test_expected_version__anything_else_is_refused(if_match: str) -> None:
    with pytest.raises(InvalidArguments, match="If-Match"):
        expected_version(if_match)
