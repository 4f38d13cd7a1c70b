from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from encord.configs import SshConfig
from hypothesis import given
from hypothesis import strategies as st

from framedex.auth.v1_signatures import KeyCredential, parse_v1_authorization, verify_v1
from framedex.core.errors import NotAuthenticated

BODY = '{"query_type": "GET", "values": {"payload": "caf\\u00e9"}}'


def _credential(sdk: SshConfig, body: str = BODY) -> KeyCredential:
    return parse_v1_authorization(sdk.define_headers(None, None, body)["Authorization"])


def _sha256(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def test_verify_v1__accepts_what_the_sdk_signed(sdk: SshConfig) -> None:
    credential = _credential(sdk)
    assert credential.key_hex == sdk.public_key_hex
    verify_v1(credential.key_hex, credential.signature, _sha256(BODY))


def test_verify_v1__refuses_another_body(sdk: SshConfig) -> None:
    credential = _credential(sdk)
    with pytest.raises(NotAuthenticated, match="body changed"):
        verify_v1(credential.key_hex, credential.signature, _sha256(BODY + " "))


def test_verify_v1__refuses_another_key(sdk: SshConfig, other_sdk: SshConfig) -> None:
    with pytest.raises(NotAuthenticated, match="another private key"):
        verify_v1(other_sdk.public_key_hex, _credential(sdk).signature, _sha256(BODY))


@pytest.mark.parametrize("key_hex", ["", "00", "zz" * 32, "ff" * 32, "é" * 64])
def test_verify_v1__refuses_a_key_that_is_none(sdk: SshConfig, key_hex: str) -> None:
    with pytest.raises(NotAuthenticated):
        verify_v1(key_hex, _credential(sdk).signature, _sha256(BODY))


@pytest.mark.parametrize("change", [str.upper, lambda key: f" {key}", lambda key: key + "\n"])
def test_verify_v1__one_key_has_one_spelling(sdk: SshConfig, change: Callable[[str], str]) -> None:
    credential = _credential(sdk)
    with pytest.raises(NotAuthenticated):
        verify_v1(change(credential.key_hex), credential.signature, _sha256(BODY))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_verify_v1__refuses_a_signature_of_another_length(sdk: SshConfig, length: int) -> None:
    credential = _credential(sdk)
    with pytest.raises(NotAuthenticated):
        verify_v1(credential.key_hex, (credential.signature + b"\x00")[:length], _sha256(BODY))


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda header: header[:-1],
        lambda header: header + "0",
        lambda header: header + "\n",
        lambda header: " " + header,
        lambda header: header.replace(":", ";"),
        lambda header: f"{header}, {header}",
        lambda header: header[:-1] + "\uff10",
        lambda header: header[:0],
    ],
)
def test_parse_v1_authorization__refuses_another_form(sdk: SshConfig, change: Callable[[str], str]) -> None:
    header = sdk.define_headers(None, None, BODY)["Authorization"]
    with pytest.raises(NotAuthenticated, match="Authorization is malformed"):
        parse_v1_authorization(change(header))


@given(st.text(st.characters(), max_size=300))
def test_parse_v1_authorization__any_text_is_not_authenticated(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        parse_v1_authorization(text)
