from __future__ import annotations

from pathlib import Path

import pytest

from framedex.core.errors import InvalidArguments
from framedex.stores.blobs.file_addresses import address_of, path_of, shown

ODD_NAMES = [
    "a b.png",
    "a+b.png",
    "100%.png",
    "100%25.png",
    "a#b.png",
    "a?b.png",
    "été ✓ 图.png",
    "e\u0301.png",
    "a;b=c&d.png",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_path_of__inverts_address_of(name: str) -> None:
    assert path_of(address_of(f"/data/{name}")) == f"/data/{name}"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_path_of__understands_what_pathlib_writes(name: str) -> None:
    assert path_of(Path(f"/data/{name}").as_uri()) == f"/data/{name}"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///data/a b+c#d?e.png", "/data/a b+c#d?e.png"),
        ("FILE://LocalHost/data/a.png", "/data/a.png"),
        ("file:///data/%2525.png", "/data/%25.png"),
        ("file:///data/a%2Fb.png", "/data/a/b.png"),
        ("file:///data/été.png", "/data/été.png"),
    ],
)
def test_path_of__decodes_once(address: str, path: str) -> None:
    assert path_of(address) == path


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("/data/a.png", "not an absolute file:// URI"),
        ("file:/data/a.png", "not an absolute file:// URI"),
        ("file://data", "not an absolute file:// URI"),
        ("http:///data/a.png", "not an absolute file:// URI"),
        ("file://other/data/a.png", "leave its host empty"),
        ("file://127.0.0.1/data/a.png", "leave its host empty"),
        ("file:///data/../etc/passwd", ". or .. segment"),
        ("file:///data/%2e%2e/etc/passwd", ". or .. segment"),
        ("file:///data/..%2fetc/passwd", ". or .. segment"),
        ("file:///data%2f%2E.%2Fetc/passwd", ". or .. segment"),
        ("file:///data/./a.png", ". or .. segment"),
        ("file:///data/a%00.png", "NUL"),
        ("file:///data/a\0.png", "NUL"),
        ("file:///data/100%.png", "write a literal % as %25"),
        ("file:///data/%zz.png", "write a literal % as %25"),
        ("file:///data/%ff.png", "not UTF-8"),
        ("file:///data/%c0%ae%c0%ae/etc/passwd", "not UTF-8"),
        ("file:///data/\ud800.png", "not UTF-8"),
    ],
)
def test_path_of__refuses(address: str, reason: str) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        path_of(address)
    assert reason in refusal.value.message


def test_path_of__double_encoded_dots_are_a_name() -> None:
    assert path_of("file:///data/%252e%252e/a") == "/data/%2e%2e/a"


def test_shown__drops_the_query_and_bounds_the_length() -> None:
    assert shown("https://h/a?X-Signature=secret") == "https://h/a"
    assert len(shown("x" * 10_000)) == 200
    assert "\n" not in shown("a\nb")
