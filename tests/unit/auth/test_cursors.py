from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.auth.cursors import CursorSigner, CursorValue, query_hash
from framedex.auth.signed_urls import UrlSigner
from framedex.core.errors import InvalidArguments
from framedex.core.ids import UserId
from framedex.core.ports.signing import UrlGrant, UrlPurpose

KEY = bytes(range(32))
SIGNER = CursorSigner(KEY)
QUERY = query_hash("folders", "name", False)
VALUES = st.one_of(st.text(st.characters()), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())


@given(st.lists(VALUES, max_size=5))
def test_decode__answers_the_values_exactly(values: list[CursorValue]) -> None:
    decoded = SIGNER.decode(SIGNER.encode(values, QUERY), QUERY)
    assert decoded == values
    assert [type(value) for value in decoded] == [type(value) for value in values]


def test_decode__refuses_the_token_of_another_query() -> None:
    token = SIGNER.encode(["a", 1], QUERY)
    with pytest.raises(InvalidArguments) as caught:
        SIGNER.decode(token, query_hash("folders", "name", True))
    assert caught.value.message == "this page token belongs to another query; start again without pageToken"


def test_decode__names_the_parameter_of_its_api() -> None:
    with pytest.raises(InvalidArguments, match="start again without cursor"):
        CursorSigner(KEY, "cursor").decode("x", QUERY)


def test_decode__refuses_the_token_of_another_server() -> None:
    with pytest.raises(InvalidArguments):
        SIGNER.decode(CursorSigner(bytes(32)).encode(["a"], QUERY), QUERY)


def test_decode__refuses_a_link_made_with_the_same_key() -> None:
    link = UrlSigner(KEY).sign(UrlGrant("GET", UrlPurpose.CONTENT, "x", UserId("u"), None, 1))
    with pytest.raises(InvalidArguments):
        SIGNER.decode(link, QUERY)


def test_decode__refuses_every_single_changed_character() -> None:
    token = SIGNER.encode(["name", "0190"], QUERY)
    for at, character in enumerate(token):
        with pytest.raises(InvalidArguments):
            SIGNER.decode(token[:at] + ("B" if character == "A" else "A") + token[at + 1 :], QUERY)


@given(st.text(st.characters(), max_size=200), st.text(st.characters(), max_size=10))
def test_decode__any_text_is_invalid_arguments(text: str, query: str) -> None:
    with pytest.raises(InvalidArguments):
        SIGNER.decode(text, query)


def test_query_hash__tells_parts_apart() -> None:
    hashes = [
        query_hash(),
        query_hash(None),
        query_hash(""),
        query_hash("ab", "c"),
        query_hash("a", "bc"),
        query_hash("abc"),
        query_hash(["a", "bc"]),
        query_hash(1),
        query_hash("1"),
        query_hash(True),
        query_hash(1.0),
        query_hash({"a": "bc"}),
    ]
    assert len(set(hashes)) == len(hashes)


def test_query_hash__does_not_mind_the_order_of_keys() -> None:
    assert query_hash({"a": 1, "b": [2, None]}) == query_hash({"b": [2, None], "a": 1})
