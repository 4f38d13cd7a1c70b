from __future__ import annotations

import pytest
from encord.configs import BearerConfig, SshConfig
from hypothesis import given
from hypothesis import strategies as st

from framedex.auth.authorization import BearerCredential, is_bearer, parse_authorization
from framedex.auth.tokens import new_token
from framedex.auth.v1_signatures import KeyCredential
from framedex.core.errors import NotAuthenticated


def test_parse_authorization__reads_the_sdks_bearer_header() -> None:
    token = new_token()
    header = BearerConfig(token=token, domain="http://h").define_headers(None, None, "")["Authorization"]
    assert parse_authorization(header) == BearerCredential(token)


def test_parse_authorization__reads_the_sdks_v1_header(sdk: SshConfig) -> None:
    credential = parse_authorization(sdk.define_headers(None, None, "{}")["Authorization"])
    assert isinstance(credential, KeyCredential)
    assert credential.key_hex == sdk.public_key_hex


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_parse_authorization__the_scheme_has_no_case(scheme: str) -> None:
    token = new_token()
    assert parse_authorization(f"{scheme} {token}") == BearerCredential(token)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer ",
        "Bearer abc",
        "Bearer fdx_" + "a" * 42,
        "Bearer fdx_" + "a" * 44,
        "Bearer fdx_" + "é" * 43,
        "Bearer \n",
    ],
)
def test_parse_authorization__refuses_a_token_of_another_form(header: str) -> None:
    with pytest.raises(NotAuthenticated, match="bearer token"):
        parse_authorization(header)


@pytest.mark.parametrize("header", ["", "Basic dTpw", "Bearer", "fdx_" + "a" * 43])
def test_parse_authorization__names_the_forms_it_knows(header: str) -> None:
    with pytest.raises(NotAuthenticated, match="Bearer <token>"):
        parse_authorization(header)


@given(st.text(st.characters(), max_size=300), st.sampled_from(["", "Bearer ", "Bearer fdx_"]))
def test_parse_authorization__any_text_is_not_authenticated(text: str, scheme: str) -> None:
    with pytest.raises(NotAuthenticated):
        parse_authorization(scheme + text)


def test_is_bearer__tells_the_two_forms_apart(sdk: SshConfig) -> None:
    assert is_bearer("Bearer x")
    assert not is_bearer(sdk.define_headers(None, None, "{}")["Authorization"])


def test_bearer_credential__is_not_printed() -> None:
    token = new_token()
    assert token not in repr(BearerCredential(token))
