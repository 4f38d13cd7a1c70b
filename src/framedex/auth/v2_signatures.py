"""The SDK's v2 signatures: an HTTP message signature (Ed25519) over method, raw target and `Content-Digest`.

The SDK implements an early draft of RFC 9421, with the component `@request-target` and the label `encord-sig`. The base
that is signed is four lines joined by a line feed:

```
"@method": GET
"@request-target": /v2/public/storage/folders?pageSize=100
"content-digest": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
"@signature-params": ("@method" "@request-target" "content-digest");created=…;keyid="…";alg="ed25519"
```

The body enters through its digest alone, so that a request can be refused before its body is read. The SDK sends the
same signed request again when it retries, and two equal requests within a second have equal signatures: there is no
nonce, and seeing a signature twice means nothing.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from framedex.auth.ed25519_keys import is_signed_by
from framedex.core.errors import NotAuthenticated

#: How far the client's clock may be from ours, in seconds, either way.
MAX_SKEW_S = 300

_SIGNATURE_INPUT = "signature-input"
_SIGNATURE = "signature"
_CONTENT_DIGEST = "content-digest"
_HEADER_NAMES = {_SIGNATURE_INPUT: "Signature-Input", _SIGNATURE: "Signature", _CONTENT_DIGEST: "Content-Digest"}

_LABEL = "encord-sig="
_COVERED = '("@method" "@request-target" "content-digest")'
#: The SDK's header has about 170 characters; nothing longer is looked at.
_MAX_INPUT_CHARS = 512
_PARAMETERS = {
    "created": (re.compile(r"[0-9]{1,12}"), "an integer of Unix seconds"),
    "keyid": (re.compile(r'"[0-9a-f]{64}"'), "the raw Ed25519 public key as 64 lower-case hex digits in double quotes"),
    "alg": (re.compile(r'"ed25519"'), '"ed25519"'),
}
_SIGNATURE_FORM = re.compile(r"encord-sig=:([A-Za-z0-9+/]{86}==):")
_DIGEST_FORM = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_METHOD_FORM = re.compile(r"[A-Z]{1,32}")
# Nothing that could end a line of the signature base; the SDK's HTTP library percent-encodes everything else.
_TARGET_FORM = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A request whose headers carry a valid signature; whose key it is remains to be looked up.

    Attributes:
        key_hex: the signing Ed25519 public key, 64 lower-case hex digits.
        digest: the SHA-256 that the body must have, 32 bytes; see `check_digest`.
        signature: 64 bytes.
    """

    key_hex: str
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class _SignatureInput:
    params: str  # The literal text behind the label: it is signed as sent.
    created: int
    key_hex: str


def verify_v2(method: str, raw_target: bytes | str, headers: Mapping[str, str], now: float) -> SignedBy:
    """Checks the signature of a request by its headers alone.

    Args:
        method: the HTTP method in upper case.
        raw_target: path, `?` and query exactly as they came, percent-encoding untouched.
        headers: by name in any case; names that occur twice in `items()` (as a web framework's do) are refused.
        now: seconds since 1970.

    Raises:
        NotAuthenticated: no valid signature; the message says what is wrong and how to mend it.
    """
    values = _signature_headers(headers)
    signed_input = _parse_signature_input(values[_SIGNATURE_INPUT])
    digest = _decoded(values, _CONTENT_DIGEST, _DIGEST_FORM, "sha-256=:<base64 of 32 bytes>:")
    signature = _decoded(values, _SIGNATURE, _SIGNATURE_FORM, "encord-sig=:<base64 of 64 bytes>:")
    _check_freshness(signed_input.created, now)
    base = _signature_base(method, raw_target, values[_CONTENT_DIGEST], signed_input.params)
    if not is_signed_by(signed_input.key_hex, signature, base):
        raise NotAuthenticated(
            "The signature does not fit this request: it was made with another private key than the one of `keyid`, or "
            "the method, path, query or digest changed on the way. Check the key file, and any proxy that rewrites "
            "addresses."
        )
    return SignedBy(signed_input.key_hex, digest, signature)


def check_digest(signed: SignedBy, sha256_of_body: bytes) -> None:
    """Checks that the body is the one that was signed.

    Args:
        signed: what `verify_v2` answered.
        sha256_of_body: 32 bytes; those of the empty string where there is no body.

    Raises:
        NotAuthenticated: it is another body.
    """
    if not hmac.compare_digest(signed.digest, sha256_of_body):
        raise NotAuthenticated(
            "The body is not the one that was signed: its SHA-256 differs from Content-Digest. It was cut off or "
            "changed on the way; check any proxy between you and this server, and send it again."
        )


def _signature_headers(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered not in _HEADER_NAMES:
            continue
        if lowered in found:
            raise NotAuthenticated(f"The header {_HEADER_NAMES[lowered]} occurs twice; send it once.")
        found[lowered] = value
    missing = [title for name, title in _HEADER_NAMES.items() if name not in found]
    if missing:
        raise NotAuthenticated(
            f"The request is not signed: {', '.join(missing)} missing. Use an SDK client made with an SSH key, or send "
            "`Authorization: Bearer <token>`."
        )
    return found


def _parse_signature_input(value: str) -> _SignatureInput:
    if len(value) > _MAX_INPUT_CHARS:
        raise _malformed(f"is longer than {_MAX_INPUT_CHARS} characters")
    if not value.startswith(_LABEL):
        raise _malformed(f"must begin with {_LABEL}")
    params = value[len(_LABEL) :]
    if not params.startswith(_COVERED + ";"):
        raise _malformed(f"must cover exactly {_COVERED}, in this order")
    parameters = _parse_parameters(params[len(_COVERED) + 1 :])
    return _SignatureInput(params, int(parameters["created"]), parameters["keyid"].strip('"'))


def _parse_parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name not in _PARAMETERS or name in found:
            raise _malformed("must have the parameters created, keyid and alg, each once, and no other")
        form, expected = _PARAMETERS[name]
        if not form.fullmatch(value):
            raise _malformed(f"has a wrong {name}: expected {expected}")
        found[name] = value
    if len(found) != len(_PARAMETERS):
        raise _malformed("must have the parameters created, keyid and alg, each once, and no other")
    return found


def _malformed(what: str) -> NotAuthenticated:
    return NotAuthenticated(f"The header Signature-Input {what}.")


def _decoded(values: Mapping[str, str], name: str, form: re.Pattern[str], expected: str) -> bytes:
    match = form.fullmatch(values[name])
    if match is None:
        raise NotAuthenticated(f"The header {_HEADER_NAMES[name]} is malformed: expected {expected}.")
    return base64.b64decode(match[1])


def _check_freshness(created: int, now: float) -> None:
    age_s = int(now) - created
    if abs(age_s) <= MAX_SKEW_S:
        return
    direction = "before" if age_s > 0 else "after"
    raise NotAuthenticated(
        f"The request was signed {abs(age_s)} s {direction} this server's time; at most {MAX_SKEW_S} s are allowed. "
        "Set the clock of the machine that signs (or the server's), or sign the request anew.",
        skew_s=-age_s,
    )


def _signature_base(method: str, raw_target: bytes | str, digest_header: str, params: str) -> bytes:
    target = raw_target if isinstance(raw_target, str) else raw_target.decode("latin-1")
    if not _METHOD_FORM.fullmatch(method):
        raise NotAuthenticated("The HTTP method of a signed request must consist of capital letters.")
    if not _TARGET_FORM.fullmatch(target):
        raise NotAuthenticated("The address of a signed request may hold visible ASCII only; percent-encode the rest.")
    lines = (
        f'"@method": {method}',
        f'"@request-target": {target}',
        f'"content-digest": {digest_header}',
        f'"@signature-params": {params}',
    )
    return "\n".join(lines).encode("ascii")
