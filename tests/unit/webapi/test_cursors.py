from __future__ import annotations

import pytest

from framedex.auth.cursors import CursorSigner
from framedex.core.errors import InvalidArguments
from framedex.webapi.cursors import ListCursor

SIGNER = CursorSigner(b"k" * 32, parameter="cursor")


def test_list_cursor__reads_what_it_wrote() -> None:
    units = ListCursor(SIGNER, "units", "job")
    assert units.number(units.after(41)) == 41
    folders = ListCursor(SIGNER, "folders", None, "a")
    assert folders.texts(folders.after("name", "id"), 2) == ["name", "id"]
    assert units.number(None) is None
    assert folders.texts(None, 2) is None


@pytest.mark.parametrize("other", [("units", "another"), ("jobs", "job"), ("units",)])
def test_list_cursor__fits_no_other_list(other: tuple[str, ...]) -> None:
    cursor = ListCursor(SIGNER, "units", "job").after(1)
    with pytest.raises(InvalidArguments, match="without cursor"):
        ListCursor(SIGNER, *other).number(cursor)


def test_list_cursor__refuses_another_shape() -> None:
    found = ListCursor(SIGNER, "units")
    with pytest.raises(InvalidArguments):
        found.number(found.after("a"))
    with pytest.raises(InvalidArguments):
        found.texts(found.after("a"), 2)
    with pytest.raises(InvalidArguments):
        found.number("garbled")
