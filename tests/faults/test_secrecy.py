from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.faults.secrecy import Record, random_key

SECRET = "a/secret+with=odd&characters 0123"


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps({"a": SECRET}),
        SECRET.encode().hex(),
        *(base64.b64encode(b"x" * n + SECRET.encode() + b"tail").decode() for n in range(7)),
        *(base64.urlsafe_b64encode(b"y" * n + SECRET.encode() + b"?>~").decode() for n in range(3)),
    ],
)
def test_where__in_every_form(said: str) -> None:
    record = Record()
    record.add("log", f"before {said} behind".encode())
    assert record.where(SECRET) == ["0000 log"]


def test_where__nothing_of_it() -> None:
    record = Record()
    record.add("log", json.dumps([random_key() for _ in range(1000)]).encode())
    assert record.where(SECRET) == []
