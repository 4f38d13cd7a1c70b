"""A Framedex server as its client sees it: signs in with the key of the SDK, asks the own API."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from framedex.client.frames import Certificate

_TIMEOUT_S = 180.0
_TOKEN_TARGET = "/v2/public/user/bearer-token"
_MOST_AT_ONCE = 100


class ServerRefused(Exception):
    """The server said no; the message is its own."""


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What the server says of a frame, and in which object it is: of groups a child item's."""

    certificate: Certificate
    frame_count: int
    object_uuid: str
    object_index: int


class Server:
    """One server and one user."""

    def __init__(self, url: str, token: str) -> None:
        """`token` is a bearer token: `get_bearer_token()` of the SDK, or `sign_in`."""
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=_TIMEOUT_S)

    @classmethod
    def sign_in(cls, url: str, private_key: Path) -> Self:
        """A server, with a token that a private OpenSSH key (Ed25519) was exchanged for."""
        headers = signed_headers("GET", _TOKEN_TARGET, private_key.read_bytes())
        answer = httpx.get(url.rstrip("/") + _TOKEN_TARGET, headers=headers, timeout=_TIMEOUT_S)
        return cls(url, str(_checked(answer).json()["token"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def item_type(self, item: str) -> str:
        """`video`, `image`, `dicomSeries` and so on."""
        return str(self._get(f"/items/{item}").json()["type"])

    def certificates(self, item: str, frames: Sequence[int]) -> Sequence[ServerCertificate]:
        """What the server says that frames are, in the order asked for."""
        found: list[ServerCertificate] = []
        for start in range(0, len(frames), _MOST_AT_ONCE):
            part = ",".join(str(frame) for frame in frames[start : start + _MOST_AT_ONCE])
            answer = self._get(f"/items/{item}/frames/certificates", {"frames": part})
            found.extend(_certificate(row) for row in answer.json()["certificates"])
        return found

    def download(self, item: str, target: Path) -> None:
        """Writes the item's object into a file."""
        with target.open("wb") as out, self._http.stream("GET", f"/items/{item}/content") as answer:
            if answer.is_error:
                answer.read()
            _checked(answer)
            out.writelines(answer.iter_bytes())

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> httpx.Response:
        return _checked(self._http.get(path, params=dict(query or {})))


def signed_headers(method: str, target: str, private_pem: bytes) -> Mapping[str, str]:
    """Headers that sign a request without a body (an early draft of RFC 9421, as the SDK has it)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    key = load_ssh_private_key(private_pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ServerRefused("The private key is no Ed25519 key; make one with: ssh-keygen -t ed25519")
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(b'').digest()).decode()}:"
    covered = '("@method" "@request-target" "content-digest")'
    parameters = f'{covered};created={int(time.time())};keyid="{public}";alg="ed25519"'
    lines = (
        f'"@method": {method}',
        f'"@request-target": {target}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    )
    signature = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    return {
        "Content-Digest": digest,
        "Signature-Input": f"encord-sig={parameters}",
        "Signature": f"encord-sig=:{signature}:",
    }


def is_secure(url: str) -> bool:
    """Whether a token sent there is seen by nobody else."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        try:
            problem = answer.json()
            message = str(problem.get("detail") or problem.get("message"))
        except ValueError:
            message = f"the answer is no JSON ({answer.text[:200]!r})"
        raise ServerRefused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {message}")
    return answer


def _certificate(row: Mapping[str, object]) -> ServerCertificate:
    facts = {name: row[name] for name in ("frame", "pts", "pixel_format", "width", "height", "sha256")}
    return ServerCertificate(
        Certificate(**facts),  # type: ignore[arg-type]  # JSON of the own API
        int(str(row["frame_count"])),
        str(row["object_uuid"]),
        int(str(row["object_index"])),
    )
