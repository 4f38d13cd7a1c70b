from __future__ import annotations

import httpx
import pytest

from framedex.core.errors import InvalidArguments
from framedex.http.multipart import parse_form


def _encoded(files: dict[str, tuple[str, bytes, str]], data: dict[str, str]) -> tuple[bytes, str]:
    """As a real client writes it."""
    request = httpx.Request("POST", "http://x/", files=files, data=data)
    return request.read(), request.headers["content-type"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\r\n", b"\r\n--", b"a\r\n--b\r\n\r\n", bytes(range(256)) * 300, b"x" * 100_000]
)
def test_parse_form__content_is_exact(content: bytes) -> None:
    body, kind = _encoded({"file": ("a b.json", content, "application/json")}, {"folder": "ü", "n": ""})
    form = parse_form(memoryview(body), kind)
    assert bytes(form.file.content) == content
    assert (form.file.name, form.file.filename, form.file.content_type) == ("file", "a b.json", "application/json")
    assert form.fields == {"folder": "ü", "n": ""}


def test_parse_form__copies_nothing() -> None:
    body, kind = _encoded({"file": ("a", b"x" * 1000, "text/csv")}, {})
    assert parse_form(memoryview(body), kind).file.content.obj is body


def test_parse_form__a_quoted_boundary_and_a_preamble() -> None:
    body = (
        b'preamble\r\n--a b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n1\r\n--a b--\r\nepilogue'
    )
    assert bytes(parse_form(body, 'multipart/form-data; boundary="a b"').file.content) == b"1"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", "multipart/form-data; boundary=b", "cut off"),
        (b"--b\r\n", "multipart/form-data; boundary=b", "no headers"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", "exactly one file"),
        (b"--b\r\nContent-Type: x\r\n\r\n1\r\n--b--", "multipart/form-data; boundary=b", "no name"),
        (b"x", "multipart/form-data", "boundary"),
        (b"x", "application/json; boundary=b", "multipart/form-data"),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nhalf',
            "multipart/form-data; boundary=b",
            "cut off",
        ),
    ],
)
def test_parse_form__refuses(body: bytes, kind: str, message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        parse_form(body, kind)


def test_parse_form__two_files_are_one_too_many() -> None:
    files = {"one": ("a", b"1", "text/csv"), "two": ("b", b"2", "text/csv")}
    with pytest.raises(InvalidArguments, match="this has 2"):
        parse_form(*_encoded(files, {}))


def test_parse_form__a_long_field_is_no_manifest() -> None:
    with pytest.raises(InvalidArguments, match="as a file"):
        parse_form(*_encoded({"file": ("a", b"1", "text/csv")}, {"folder": "x" * 70_000}))
