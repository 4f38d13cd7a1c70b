from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote, urlencode

import pytest
import requests
from encord.configs import SshConfig
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from framedex.auth.openssh import generate_key_pair
from framedex.auth.v2_signatures import MAX_SKEW_S, SignedBy, check_digest, verify_v2
from framedex.core.errors import NotAuthenticated

URL = "http://127.0.0.1:8420/v2/public/storage/folders?isRecursive=False&search=a%20b%2Fc"
TARGET = "/v2/public/storage/folders?isRecursive=False&search=a%20b%2Fc"
BODY = b'{"title": "caf\\u00e9"}'


def _signed(sdk: SshConfig, method: str = "PATCH", url: str = URL, body: bytes | None = BODY) -> dict[str, str]:
    prepared = sdk.define_headers_v2(requests.Request(method, url, data=body).prepare())
    return {name: str(value) for name, value in prepared.headers.items()}


def _created(headers: dict[str, str]) -> int:
    found = re.search(r"created=(\d+)", headers["Signature-Input"])
    assert found is not None
    return int(found[1])


def _verify(
    headers: dict[str, str], method: str = "PATCH", target: bytes | str = TARGET, *, now: float | None = None
) -> SignedBy:
    return verify_v2(method, target, headers, time.time() if now is None else now)


def _refused(
    headers: dict[str, str], method: str = "PATCH", target: bytes | str = TARGET, *, now: float | None = None
) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        _verify(headers, method, target, now=now)
    return caught.value.message


# ------------------------------------------------------------------------------------------------- what the SDK signs


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_verify_v2__accepts_every_method_of_the_sdk(sdk: SshConfig, method: str) -> None:
    signed = _verify(_signed(sdk, method), method)
    assert signed.key_hex == sdk.public_key_hex
    assert signed.digest == hashlib.sha256(BODY).digest()
    assert len(signed.signature) == 64


def test_verify_v2__accepts_the_target_as_bytes(sdk: SshConfig) -> None:
    assert _verify(_signed(sdk), target=TARGET.encode()).key_hex == sdk.public_key_hex


def test_verify_v2__a_request_without_body_has_the_digest_of_nothing(sdk: SshConfig) -> None:
    signed = _verify(_signed(sdk, "GET", body=None), "GET")
    check_digest(signed, hashlib.sha256(b"").digest())


@pytest.mark.parametrize("convert", [str.lower, str.upper])
def test_verify_v2__header_names_have_no_case(sdk: SshConfig, convert: Callable[[str], str]) -> None:
    headers = {convert(name): value for name, value in _signed(sdk).items()}
    assert _verify(headers).key_hex == sdk.public_key_hex


def test_verify_v2__accepts_the_headers_of_the_web_framework(sdk: SshConfig) -> None:
    assert verify_v2("PATCH", TARGET, Headers(_signed(sdk)), time.time()).key_hex == sdk.public_key_hex


def test_verify_v2__the_same_request_is_accepted_again(sdk: SshConfig) -> None:
    headers = _signed(sdk)
    assert _verify(headers) == _verify(headers)


@contextmanager
def _recording_server(targets: list[str]) -> Iterator[str]:
    class Recorder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            targets.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Recorder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "path_and_query",
    [
        "/v2/public/a?" + urlencode({"search": "50% off + ü/ö&=#", "pageToken": "a=="}),
        "/v2/public/" + quote("ключ/:@!$&'()*+,;=~ x", safe=""),
        "/v2/public/a?x=%2f%2F&y=%7e&z=[1]&empty=",
        "/v2/public/a//b/../c/./d?q=\u00e9 \u4e2d",
        "/v2/public/a?uuids=1&uuids=2",
    ],
)
def test_verify_v2__the_signature_fits_the_target_on_the_wire(sdk: SshConfig, path_and_query: str) -> None:
    targets: list[str] = []
    with _recording_server(targets) as origin, requests.Session() as session:
        prepared = sdk.define_headers_v2(session.prepare_request(requests.Request("GET", origin + path_and_query)))
        session.send(prepared, timeout=5)
    headers = {name: str(value) for name, value in prepared.headers.items()}
    assert _verify(headers, "GET", targets[0]).key_hex == sdk.public_key_hex


# ----------------------------------------------------------------------------------------------------------- tampering


@pytest.mark.parametrize("method", ["DELETE", "patch", "PATCHX", "", "PATCH\n", "PÄTCH"])
def test_verify_v2__refuses_another_method(sdk: SshConfig, method: str) -> None:
    _refused(_signed(sdk), method=method)


@pytest.mark.parametrize(
    "target",
    [
        "/v2/public/storage/folders",
        TARGET + "&x=1",
        TARGET.replace("%2F", "/"),
        TARGET.replace("%2F", "%2f"),
        TARGET.replace("%20", "+"),
        TARGET.replace("False", "True"),
        TARGET + "#fragment",
        TARGET + "\n",
        TARGET + "é",
        TARGET.encode() + b"\xff",
        "",
        "\ud800",
    ],
)
def test_verify_v2__refuses_another_target(sdk: SshConfig, target: str | bytes) -> None:
    _refused(_signed(sdk), target=target)


def test_verify_v2__a_line_in_the_target_cannot_stand_for_another(sdk: SshConfig) -> None:
    headers = _signed(sdk)
    digest = headers["Content-Digest"]
    assert "percent-encode" in _refused(headers, target=f'{TARGET}\n"content-digest": {digest}')


def test_verify_v2__refuses_a_digest_that_was_not_signed(sdk: SshConfig) -> None:
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    message = _refused(_signed(sdk) | {"Content-Digest": f"sha-256=:{other}:"})
    assert "does not fit" in message


def test_verify_v2__refuses_another_key(sdk: SshConfig, other_sdk: SshConfig) -> None:
    headers = _signed(sdk)
    swapped = headers["Signature-Input"].replace(sdk.public_key_hex, other_sdk.public_key_hex)
    message = _refused(headers | {"Signature-Input": swapped})
    assert "another private key" in message
    assert other_sdk.public_key_hex not in message


def test_verify_v2__refuses_the_signature_of_another_key(sdk: SshConfig, other_sdk: SshConfig) -> None:
    _refused(_signed(sdk) | {"Signature": _signed(other_sdk)["Signature"]})


def test_verify_v2__refuses_a_keyid_that_is_no_point_of_the_curve(sdk: SshConfig) -> None:
    headers = _signed(sdk)
    _refused(headers | {"Signature-Input": headers["Signature-Input"].replace(sdk.public_key_hex, "ff" * 32)})


def test_verify_v2__refuses_another_created(sdk: SshConfig) -> None:
    headers = _signed(sdk)
    created = _created(headers)
    moved = headers["Signature-Input"].replace(str(created), str(created + 1))
    assert "does not fit" in _refused(headers | {"Signature-Input": moved})


@pytest.mark.parametrize("bit", [0, 255, 511])
def test_verify_v2__refuses_one_flipped_bit_of_the_signature(sdk: SshConfig, bit: int) -> None:
    headers = _signed(sdk)
    raw = bytearray(_verify(headers).signature)
    raw[bit // 8] ^= 1 << bit % 8
    _refused(headers | {"Signature": f"encord-sig=:{base64.b64encode(raw).decode()}:"})


@pytest.mark.parametrize("kept", [0, 32, 63, 65, 66])
def test_verify_v2__refuses_a_signature_of_another_length(sdk: SshConfig, kept: int) -> None:
    headers = _signed(sdk)
    raw = (_verify(headers).signature + b"\x00\x00")[:kept]
    message = _refused(headers | {"Signature": f"encord-sig=:{base64.b64encode(raw).decode()}:"})
    assert "Signature is malformed" in message


# ----------------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("skew_s", [-MAX_SKEW_S, -1, 0, 1, MAX_SKEW_S, MAX_SKEW_S + 0.9])
def test_verify_v2__accepts_up_to_300_seconds_either_way(sdk: SshConfig, skew_s: float) -> None:
    headers = _signed(sdk)
    verify_v2("PATCH", TARGET, headers, _created(headers) + skew_s)


@pytest.mark.parametrize(
    ("skew_s", "words"),
    [(301, "301 s before"), (86400, "86400 s before"), (-301, "301 s after"), (-3600, "3600 s after")],
)
def test_verify_v2__names_the_skew(sdk: SshConfig, skew_s: int, words: str) -> None:
    headers = _signed(sdk)
    with pytest.raises(NotAuthenticated, match=words) as caught:
        verify_v2("PATCH", TARGET, headers, _created(headers) + skew_s)
    assert "clock" in caught.value.message
    assert caught.value.facts == {"skew_s": -skew_s}


# ---------------------------------------------------------------------------------------------------- malformed headers


@pytest.mark.parametrize("name", ["Signature-Input", "Signature", "Content-Digest"])
def test_verify_v2__names_a_missing_header(sdk: SshConfig, name: str) -> None:
    headers = _signed(sdk)
    del headers[name]
    message = _refused(headers)
    assert f"not signed: {name} missing" in message


@pytest.mark.parametrize("name", ["Signature-Input", "Signature", "Content-Digest"])
def test_verify_v2__refuses_a_header_that_occurs_twice(sdk: SshConfig, name: str) -> None:
    headers = _signed(sdk)
    assert f"{name} occurs twice" in _refused(headers | {name.lower(): headers[name]})
    doubled = Headers(raw=[(k.lower().encode(), v.encode()) for k, v in [*headers.items(), (name, headers[name])]])
    with pytest.raises(NotAuthenticated, match="occurs twice"):
        verify_v2("PATCH", TARGET, doubled, time.time())


@pytest.mark.parametrize("name", ["Signature-Input", "Signature", "Content-Digest"])
@pytest.mark.parametrize(
    "form", ["{0}, {0}", "{0},{0}", " {0}", "{0} ", "{0}\n", "{0};", "{0}é", "{0}\ud800", "x{0}", ""]
)
def test_verify_v2__refuses_anything_around_a_header(sdk: SshConfig, name: str, form: str) -> None:
    headers = _signed(sdk)
    assert name in _refused(headers | {name: form.format(headers[name])})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"@method" "@request-target"', '"@request-target" "@method"', "cover exactly"),
        (' "content-digest"', "", "cover exactly"),
        ('"content-digest")', '"content-digest" "host")', "cover exactly"),
        ("encord-sig=", "sig1=", "begin with encord-sig="),
        ('alg="ed25519"', 'alg="rsa-v1_5-sha256"', "wrong alg"),
        ('alg="ed25519"', "alg=ed25519", "wrong alg"),
        ('alg="ed25519"', 'alg="ed25519";alg="ed25519"', "each once"),
        (';alg="ed25519"', "", "each once"),
        (';alg="ed25519"', ';alg="ed25519";nonce="x"', "no other"),
        (";created=", ";created=1;created=", "each once"),
        (";created=", ";created=-", "wrong created"),
        (";created=", ";created=0x", "wrong created"),
        (";created=", ";created=٣", "wrong created"),
        (";created=", ";created=" + "9" * 20, "wrong created"),
        (";created=", "; created=", "no other"),
        (';keyid="', ';keyid="ab', "wrong keyid"),
        (';keyid="', ";keyid='", "wrong keyid"),
        (";keyid=", ";KEYID=", "no other"),
        (";created=", ";" * 600 + "created=", "longer than"),
    ],
)
def test_verify_v2__refuses_another_signature_input(sdk: SshConfig, old: str, new: str, words: str) -> None:
    headers = _signed(sdk)
    value = headers["Signature-Input"]
    assert old in value
    assert words in _refused(headers | {"Signature-Input": value.replace(old, new)})


def test_verify_v2__refuses_a_keyid_in_capitals(sdk: SshConfig) -> None:
    headers = _signed(sdk)
    value = headers["Signature-Input"].replace(sdk.public_key_hex, sdk.public_key_hex.upper())
    assert "lower-case hex" in _refused(headers | {"Signature-Input": value})


@pytest.mark.parametrize("algorithm", ["sha-512", "SHA-256", "md5"])
def test_verify_v2__refuses_another_digest_algorithm(sdk: SshConfig, algorithm: str) -> None:
    headers = _signed(sdk)
    value = headers["Content-Digest"].replace("sha-256", algorithm)
    assert "Content-Digest is malformed" in _refused(headers | {"Content-Digest": value})


_SDK = SshConfig.from_ssh_private_key(generate_key_pair().private_pem.decode(), domain="http://127.0.0.1:8420")
_HEADERS = _signed(_SDK)
# The tests below may run long after the headers were made: for them the clock stands still.
_SIGNED_AT = _created(_HEADERS)
_ANY_TEXT = st.text(st.characters(), max_size=300)


@given(name=st.sampled_from(["Signature-Input", "Signature", "Content-Digest"]), value=_ANY_TEXT)
def test_verify_v2__any_text_in_a_header_is_not_authenticated(name: str, value: str) -> None:
    _refused(_HEADERS | {name: value}, now=_SIGNED_AT)


@given(
    name=st.sampled_from(["Signature-Input", "Signature", "Content-Digest"]),
    at=st.integers(0, 200),
    removed=st.integers(0, 200),
    inserted=_ANY_TEXT,
)
@example(name="Signature", at=97, removed=4, inserted="A==:")
def test_verify_v2__any_change_of_a_header_is_not_authenticated(
    name: str, at: int, removed: int, inserted: str
) -> None:
    original = _HEADERS[name]
    changed = original[:at] + inserted + original[at + removed :]
    if changed != original and not _same_signature(name, changed):
        _refused(_HEADERS | {name: changed}, now=_SIGNED_AT)


def _same_signature(name: str, changed: str) -> bool:
    # Base64 of 64 bytes has four spare bits; the header Signature is not itself signed, so they may differ.
    form = re.fullmatch(r"encord-sig=:([A-Za-z0-9+/]{86}==):", changed)
    return (
        name == "Signature"
        and form is not None
        and base64.b64decode(form[1]) == _verify(_HEADERS, now=_SIGNED_AT).signature
    )


@given(method=_ANY_TEXT, target=st.one_of(_ANY_TEXT, st.binary(max_size=300)))
def test_verify_v2__any_method_and_target_is_not_authenticated(method: str, target: str | bytes) -> None:
    _refused(_HEADERS, method=method, target=target, now=_SIGNED_AT)
    _refused(_HEADERS, target=target, now=_SIGNED_AT)


# ------------------------------------------------------------------------------------------------------------ the body


def test_check_digest__accepts_the_signed_body(sdk: SshConfig) -> None:
    check_digest(_verify(_signed(sdk)), hashlib.sha256(BODY).digest())


@pytest.mark.parametrize("digest", [hashlib.sha256(BODY + b" ").digest(), hashlib.sha256(BODY).digest()[:16], b""])
def test_check_digest__refuses_another_body(sdk: SshConfig, digest: bytes) -> None:
    with pytest.raises(NotAuthenticated, match="not the one that was signed"):
        check_digest(_verify(_signed(sdk)), digest)
