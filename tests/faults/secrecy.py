"""Secrets as a search finds them, and a record of everything that a system says."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter

_SHORTEST = 12


def forms(secret: str) -> set[bytes]:
    """What a secret looks like when somebody wrote it down: plain, encoded for JSON, an address, in base64 or hex."""
    raw = secret.encode()
    found = {raw, json.dumps(secret)[1:-1].encode(), secret.replace("/", "\\/").encode(), repr(secret)[1:-1].encode()}
    for safe in ("", "/", "/+="):
        found |= {quote(secret, safe=safe).encode(), quote(quote(secret, safe=safe), safe="").encode()}
    found |= {form.lower() for form in found if b"%" in form}
    found |= {raw.hex().encode(), raw.hex().upper().encode(), raw[::-1], secret.encode("utf-16-le")}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found |= set(_anywhere(raw, encode))
    return {form for form in found if len(form) >= _SHORTEST}


def _anywhere(raw: bytes, encode: object) -> Iterator[bytes]:
    """Base64 of the secret at each of the three places where it may begin in a longer text."""
    assert callable(encode)
    for before in range(3):
        text: bytes = encode(b"\0" * before + raw)
        # Characters that also hold bits of what stands before or behind are left out.
        yield text[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


@dataclass
class Record:
    """Everything that was said, by whom."""

    said: dict[str, bytes] = field(default_factory=dict)

    def add(self, source: str, content: bytes) -> None:
        self.said[f"{len(self.said):04} {source}"] = content

    def add_files(self, name: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.add(f"{name} {path.relative_to(folder)}", path.read_bytes())

    def where(self, secret: str, sources: str = "") -> list[str]:
        """The sources (of those whose name holds a text) that say a secret in any form."""
        wanted = forms(secret)
        return [
            source for source, content in self.said.items()
            if sources in source and any(form in content for form in wanted)
        ]  # fmt: skip

    @property
    def size(self) -> int:
        return sum(map(len, self.said.values()))

    def count(self, kind: str) -> int:
        return sum(1 for source in self.said if kind in source)


@contextmanager
def recording(record: Record) -> Iterator[None]:
    """Records every answer that the SDK gets in this process."""
    real = HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, *places: Any, **named: Any) -> requests.Response:
        answer = real(self, request, *places, **named)
        body = f"{answer.status_code} {dict(answer.headers)}".encode() + answer.content
        record.add(f"answer sdk {request.method} {str(request.url).partition('?')[0]}", body)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", send)
        yield


def asked(record: Record, method: str, url: str, **arguments: object) -> httpx.Response:
    """A request whose answer is recorded."""
    answer = httpx.request(method, url, timeout=60, **arguments)  # type: ignore[arg-type]  # passed on
    body = f"{answer.status_code} {dict(answer.headers)}".encode() + answer.content
    record.add(f"answer {method} {url.partition('?')[0]}", body)
    return answer


def random_key() -> str:
    """With the characters that are encoded in addresses and JSON."""
    return f"{secrets.token_urlsafe(15)}/+{secrets.token_urlsafe(9)}"


def random_account_key() -> str:
    return base64.b64encode(os.urandom(64)).decode()


@dataclass(frozen=True)
class ServiceAccount:
    """A service account's key file of our own making; Google knows nothing of it."""

    document: bytes
    secrets: tuple[str, ...]


def service_account() -> ServiceAccount:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    key_id = secrets.token_hex(20)
    document = {
        "type": "service_account",
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": "framedex@example.iam.gserviceaccount.com",
    }
    lines = pem.splitlines()
    return ServiceAccount(json.dumps(document).encode(), (key_id, lines[5], lines[12]))
