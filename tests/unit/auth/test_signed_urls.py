from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framedex.auth.signed_urls import UrlSigner
from framedex.core.errors import NotPermitted
from framedex.core.ids import UserId
from framedex.core.ports.signing import UrlGrant, UrlPurpose

SIGNER = UrlSigner(bytes(range(32)))
GRANT = UrlGrant("PUT", UrlPurpose.UPLOAD, "uploads/0190/файл.png", UserId("u-1"), 10_000, expires_at=2_000_000)


def _verify(
    token: str, method: str = "PUT", purpose: UrlPurpose = UrlPurpose.UPLOAD, now_us: int = 1_000_000
) -> UrlGrant:
    return SIGNER.verify(token, method=method, purpose=purpose, now_us=now_us)


@pytest.mark.parametrize("max_bytes", [None, 0, 5 * 2**40])
@pytest.mark.parametrize("purpose", list(UrlPurpose))
def test_verify__answers_the_grant(max_bytes: int | None, purpose: UrlPurpose) -> None:
    grant = dataclasses.replace(GRANT, purpose=purpose, max_bytes=max_bytes)
    assert _verify(SIGNER.sign(grant), purpose=purpose) == grant


def test_sign__needs_no_quoting_in_a_query() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", SIGNER.sign(GRANT))


def test_verify__refuses_at_and_after_its_end() -> None:
    token = SIGNER.sign(GRANT)
    assert _verify(token, now_us=1_999_999) == GRANT
    for now_us in (2_000_000, 9_000_000):
        with pytest.raises(NotPermitted, match="expired at 1970-01-01T00:00:02"):
            _verify(token, now_us=now_us)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "put", ""])
def test_verify__refuses_another_method(method: str) -> None:
    with pytest.raises(NotPermitted, match="for PUT requests"):
        _verify(SIGNER.sign(GRANT), method=method)


def test_verify__a_link_to_get_allows_head_but_not_the_other_way_round() -> None:
    for method, asked in (("GET", "HEAD"), ("HEAD", "HEAD")):
        assert _verify(SIGNER.sign(dataclasses.replace(GRANT, method=method)), method=asked).method == method
    for method, asked in (("PUT", "HEAD"), ("HEAD", "GET")):
        with pytest.raises(NotPermitted):
            _verify(SIGNER.sign(dataclasses.replace(GRANT, method=method)), method=asked)


def test_verify__refuses_another_purpose() -> None:
    with pytest.raises(NotPermitted, match="for upload, not for metadata"):
        _verify(SIGNER.sign(GRANT), purpose=UrlPurpose.METADATA)


def test_verify__refuses_the_token_of_another_key() -> None:
    with pytest.raises(NotPermitted, match="changed, cut off"):
        _verify(UrlSigner(bytes(32)).sign(GRANT))


def test_verify__refuses_every_single_changed_character() -> None:
    token = SIGNER.sign(GRANT)
    for at, character in enumerate(token):
        changed = token[:at] + ("B" if character == "A" else "A") + token[at + 1 :]
        with pytest.raises(NotPermitted, match="changed, cut off"):
            _verify(changed)


@pytest.mark.parametrize("form", ["{}=", "{}A", "{}\n", " {}", "{}%", "{}é", "{}.{}"])
def test_verify__one_grant_has_one_spelling(form: str) -> None:
    token = SIGNER.sign(GRANT)
    with pytest.raises(NotPermitted, match="changed, cut off"):
        _verify(form.format(token, token))


@given(st.text(st.characters(), max_size=200))
def test_verify__any_text_is_not_permitted(text: str) -> None:
    with pytest.raises(NotPermitted):
        _verify(text)
